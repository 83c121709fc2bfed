/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/log_writer.h"

static char dir[] = "/tmp/log_writer_test.XXXXXX";
static char path[64], old[64];

static int dir_make(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof path, "%s/log", mkdtemp(dir));
	(void)snprintf(old, sizeof old, "%s/log~", dir);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	unlink(path);
	unlink(old);
	return 0;
}

static int dir_remove(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *content(const char *name)
{
	static char text[64];
	int fd = open(name, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return "none";
	got = read(fd, text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	close(fd);
	return text;
}

/* Opens, writes "new", closes. */
static int log_it(struct log_writer log)
{
	size_t written = 0;
	uint64_t device;
	int err = log_writer_ops.open(&log, &device);

	if (err)
		return err;
	err = log_writer_ops.write(&log, "new", 3, &written);
	assert_int_equal(written, 3);
	assert_int_equal(log_writer_ops.sync(&log), 0);
	log_writer_ops.close(&log);
	return err;
}

static void it_waits_for_the_file_unless_it_may_make_it(void **state)
{
	(void)state;
	assert_int_equal(log_it((struct log_writer){ .path = path }), -ENOENT);
	assert_string_equal(content(path), "none");
	assert_int_equal(log_it((struct log_writer){ .path = path, .may_create = true }), 0);
	assert_string_equal(content(path), "new");
	assert_int_equal(log_it((struct log_writer){ .path = path, .sync_always = true }), 0);
	assert_string_equal(content(path), "newnew");
}

static void the_old_one_is_renamed_when_asked_for(void **state)
{
	(void)state;
	assert_int_equal(log_it((struct log_writer){ .path = path, .must_rename = true }), -ENOENT);
	put(path, "old");
	put(old, "older");
	assert_int_equal(log_it((struct log_writer){ .path = path, .must_rename = true }), 0);
	assert_string_equal(content(path), "new");
	assert_string_equal(content(old), "old");
	unlink(path);
	assert_int_equal(log_it((struct log_writer){ .path = path, .must_rename = true, .may_create = true }), 0);
	assert_string_equal(content(old), "old");
}

static void it_is_renamed_once(void **state)
{
	struct log_writer log = { .path = path, .must_rename = true };
	uint64_t device;

	(void)state;
	put(path, "old");
	assert_int_equal(log_writer_ops.open(&log, &device), 0);
	log_writer_ops.close(&log);
	assert_int_equal(log_writer_ops.open(&log, &device), 0);
	log_writer_ops.close(&log);
	assert_string_equal(content(old), "old");
	/* It made one, and may make it again, should the first attempt have failed behind the rename. */
	unlink(path);
	assert_int_equal(log_writer_ops.open(&log, &device), 0);
	log_writer_ops.close(&log);
}

static void what_is_no_regular_file_is_refused_and_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(log_it((struct log_writer){ .path = path, .may_create = true }), -ENXIO);
	unlink(path);
	assert_int_equal(log_it((struct log_writer){ .path = dir }), -EISDIR);
	assert_int_equal(log_it((struct log_writer){ .path = "/dev/null" }), -EINVAL);
}

static void a_link_is_followed_when_root_made_it(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("# not root: whose the link is cannot be set\n");
		return;
	}
	put(old, "");
	assert_int_equal(symlink(old, path), 0);
	assert_int_equal(log_it((struct log_writer){ .path = path }), 0);
	assert_string_equal(content(old), "new");
	assert_int_equal(lchown(path, 12345, 12345), 0);
	assert_int_equal(log_it((struct log_writer){ .path = path }), -ELOOP);
	assert_string_equal(content(old), "new");
}

static void a_full_disk_is_told_with_what_got_out(void **state)
{
	struct log_writer log = { .path = path, .may_create = true };
	size_t written = 0;
	uint64_t device;

	(void)state;
	assert_int_equal(log_writer_ops.open(&log, &device), 0);
	fault_name("write", -ENOSPC);
	assert_int_equal(log_writer_ops.write(&log, "new", 3, &written), -ENOSPC);
	assert_int_equal(written, 0);
	fault_clear();
	log_writer_ops.close(&log);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		struct log_writer log = { .path = path, .may_create = true, .must_rename = true };
		uint64_t device;

		put(path, "old");
		fault_arm(++nth, -EIO);
		if (!log_writer_ops.open(&log, &device))
			log_writer_ops.close(&log);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(it_waits_for_the_file_unless_it_may_make_it, clean),
		cmocka_unit_test_teardown(the_old_one_is_renamed_when_asked_for, clean),
		cmocka_unit_test_teardown(it_is_renamed_once, clean),
		cmocka_unit_test_teardown(what_is_no_regular_file_is_refused_and_not_waited_for, clean),
		cmocka_unit_test_teardown(a_link_is_followed_when_root_made_it, clean),
		cmocka_unit_test_teardown(a_full_disk_is_told_with_what_got_out, clean),
		cmocka_unit_test_teardown(every_failure_leaves_nothing_open, clean),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
