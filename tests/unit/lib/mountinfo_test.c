/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "lib/mountinfo.h"

static const char table[] =
	"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
	"23 22 0:21 / /proc rw - proc proc rw\n"
	"24 22 0:22 / /srv rw master:1 propagate_from:2 - nfs4 server:/export rw\n"
	"25 24 0:23 / /srv/local rw - tmpfs tmpfs rw\n"
	"garbage\n"
	"26 22 0:24 / /with\\040blank\\011tab\\134back\\043hash rw - ext3 /dev/x rw\n"
	"27 22 0:25 /sub /twice rw - ext2 /dev/a rw\n"
	"28 27 0:26 /sub /twice rw - fuse.sshfs host: rw\n"
	"29 22 1x:2 / /bad rw - ext2 /dev/a rw\n"
	"30 22 0:27 / /cut rw -\n"
	"31 22 0:28 / /last rw - CIFS //a/b rw";

static struct mountinfo info;

static void read_text(const char *text)
{
	char path[] = "/tmp/mountinfo_test.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(mountinfo_read(path, &info), 0);
	unlink(path);
}

static int begin(void **state)
{
	(void)state;
	fault_clear();
	read_text(table);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mountinfo_drop(&info);
	return 0;
}

static const char *kind_at(const char *place)
{
	struct mountinfo_entry entry;

	return mountinfo_find(&info, place, &entry) ? "none" : entry.kind;
}

static const char *kind_under(const char *path)
{
	struct mountinfo_entry entry;

	return mountinfo_holding(&info, path, &entry) ? "none" : entry.kind;
}

static void a_place_is_found_whole_and_decoded(void **state)
{
	struct mountinfo_entry entry;

	(void)state;
	assert_int_equal(info.count, 8);
	assert_string_equal(kind_at("/"), "ext4");
	assert_string_equal(kind_at("/srv"), "nfs4");
	assert_string_equal(kind_at("/sr"), "none");
	assert_string_equal(kind_at("/srv/"), "none");
	assert_string_equal(kind_at("/with blank\ttab\\back#hash"), "ext3");
	assert_string_equal(kind_at("/twice"), "fuse.sshfs");
	assert_string_equal(kind_at("/bad"), "none");
	assert_string_equal(kind_at("/cut"), "none");
	assert_string_equal(kind_at("/last"), "CIFS");
	assert_int_equal(mountinfo_find(&info, "/", &entry), 0);
	assert_int_equal(entry.major, 254);
	assert_int_equal(entry.minor, 0);
}

static void a_path_lies_on_the_deepest_mount(void **state)
{
	(void)state;
	assert_string_equal(kind_under("/srv/data"), "nfs4");
	assert_string_equal(kind_under("/srv/local/data"), "tmpfs");
	assert_string_equal(kind_under("/srv/localdata"), "nfs4");
	assert_string_equal(kind_under("/srvdata"), "ext4");
	assert_string_equal(kind_under("/twice"), "fuse.sshfs");
}

static void kinds_over_the_network_are_known(void **state)
{
	(void)state;
	assert_true(mountinfo_is_network("nfs"));
	assert_true(mountinfo_is_network("CIFS"));
	assert_true(mountinfo_is_network("fuse.sshfs"));
	assert_false(mountinfo_is_network("ext4"));
	assert_false(mountinfo_is_network("nfsd"));
	assert_false(mountinfo_is_network(""));
}

static void a_table_of_any_size_is_read(void **state)
{
	size_t lines = 3000, size = lines * 64;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	text[0] = '\0';
	for (size_t i = 0, at = 0; i < lines; i++)
		at += (size_t)snprintf(text + at, size - at, "%zu 1 0:%zu / /m%zu rw - tmpfs x rw\n", i, i, i);
	mountinfo_drop(&info);
	read_text(text);
	free(text);
	assert_int_equal(info.count, lines);
	assert_string_equal(kind_at("/m2999"), "tmpfs");
}

static void an_error_is_told(void **state)
{
	struct mountinfo none;

	(void)state;
	assert_int_equal(mountinfo_read("/nonexistent", &none), -ENOENT);
	fault_name("read", -EIO);
	assert_int_equal(mountinfo_read("/proc/self/mountinfo", &none), -EIO);
	fault_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_place_is_found_whole_and_decoded, begin, end),
		cmocka_unit_test_setup_teardown(a_path_lies_on_the_deepest_mount, begin, end),
		cmocka_unit_test_setup_teardown(kinds_over_the_network_are_known, begin, end),
		cmocka_unit_test_setup_teardown(a_table_of_any_size_is_read, begin, end),
		cmocka_unit_test_setup_teardown(an_error_is_told, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
