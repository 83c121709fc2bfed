/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
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

#include <sys/stat.h>

#include "fake/sys.h"
#include "process/mounts.h"

static char table[] = "/tmp/mounts_test.XXXXXX";

static int begin(void **state)
{
	static const char text[] = "1 1 8:1 / / rw - ext4 x rw\n2 1 0:99 / /nonexistent/nfs rw - nfs4 x rw\n3 1 0:98 / /bound rw - ext4 x rw\n";
	int fd;

	(void)state;
	fault_clear();
	strcpy(table, "/tmp/mounts_test.XXXXXX");
	fd = mkstemp(table);
	return fd < 0 || write(fd, text, sizeof text - 1) != sizeof text - 1 || close(fd) ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	fake_statx_is(STATX_TODAYS);
	return unlink(table);
}

static void the_kernel_knows_what_is_a_mount(void **state)
{
	struct mounts_place place;
	struct stat st;

	(void)state;
	assert_int_equal(mounts_look("/", table, &place), 0);
	assert_true(place.is_mounted);
	assert_int_equal(mounts_look("/proc", table, &place), 0);
	assert_true(place.is_mounted);
	assert_int_equal(mounts_look("/proc/self", table, &place), -ENOTDIR);   /* a link is not followed */
	assert_int_equal(mounts_look("/proc/sys/fs/", table, &place), 0);
	assert_false(place.is_mounted);
	assert_int_equal(stat("/proc/sys/fs", &st), 0);
	assert_int_equal(place.minor, (int)(st.st_dev & 0xff));
}

static void errors_are_told(void **state)
{
	struct mounts_place place;
	int before = fds_open();

	(void)state;
	assert_int_equal(mounts_look("/nonexistent", table, &place), -ENOENT);
	assert_int_equal(mounts_look("/dev/null", table, &place), -ENOTDIR);
	fault_name("identify", -EIO);
	assert_int_equal(mounts_look("/", table, &place), -EIO);
	fault_clear();
	assert_int_equal(mounts_look("/", "/nonexistent", &place), 0);
	assert_int_equal(fds_open(), before);
}

static void a_server_is_not_asked_what_the_table_tells(void **state)
{
	struct mounts_place place;

	(void)state;
	assert_int_equal(mounts_look("/nonexistent/nfs", table, &place), 0);
	assert_true(place.is_mounted);
	assert_int_equal(place.major, 0);
	assert_int_equal(place.minor, 99);
	assert_int_equal(mounts_look("/nonexistent/nfs/", table, &place), -ENOENT);
	assert_int_equal(mounts_look("/bound", table, &place), -ENOENT);        /* a local one is looked at */
}

static void write_table(const char *text)
{
	int fd = open(table, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Before Linux 5.8: by the device number of what is above, and the table for what has the same one, as a bind has. */
static void an_older_kernel_is_helped_by_what_is_above_and_the_table(void **state)
{
	struct mounts_place place, today;

	(void)state;
	assert_int_equal(mounts_look("/proc", table, &today), 0);
	for (enum fake_statx_age age = STATX_WITHOUT_MOUNTS; age <= STATX_ABSENT; age++) {
		fake_statx_is(age);
		assert_int_equal(mounts_look("/proc", table, &place), 0);
		assert_true(place.is_mounted);
		assert_int_equal(place.major, today.major);
		assert_int_equal(place.minor, today.minor);
		assert_int_equal(mounts_look("/", table, &place), 0);           /* its own parent */
		assert_true(place.is_mounted);
		assert_int_equal(mounts_look("/proc/sys/fs/", table, &place), 0);
		assert_false(place.is_mounted);
		assert_int_equal(mounts_look("/proc/self", table, &place), -ENOTDIR);
		write_table("1 1 8:1 / / rw - ext4 x rw\n2 1 0:5 /fs /proc/sys/fs rw - proc x rw\n");
		assert_int_equal(mounts_look("/proc/sys/fs", table, &place), 0);
		assert_true(place.is_mounted);
		assert_int_equal(mounts_look("/proc/sys", table, &place), 0);
		assert_false(place.is_mounted);
		assert_int_equal(mounts_look("/", "/nonexistent", &place), 0);
		assert_true(place.is_mounted);
		write_table("1 1 8:1 / / rw - ext4 x rw\n");
	}
}

static void a_device_has_a_number(void **state)
{
	struct mounts_place place;

	(void)state;
	assert_int_equal(mounts_look_device("/dev/null", &place), -ENOTBLK);
	assert_int_equal(mounts_look_device("/nonexistent", &place), -ENOENT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_kernel_knows_what_is_a_mount),
		CASE(errors_are_told),
		CASE(a_server_is_not_asked_what_the_table_tells),
		CASE(an_older_kernel_is_helped_by_what_is_above_and_the_table),
		CASE(a_device_has_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
