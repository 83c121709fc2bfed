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
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/follow.h"

static char dir[] = "/tmp/follow_test.XXXXXX";
static char path[64], old[64];
static int null;

static int dir_make(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof path, "%s/log", dir);
	(void)snprintf(old, sizeof old, "%s/log.0", dir);
	null = open("/dev/null", O_WRONLY);
	return null < 0;
}

static int dir_remove(void **state)
{
	(void)state;
	unlink(path);
	unlink(old);
	close(null);
	return rmdir(dir);
}

static void add(const char *name, int flags, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void begin(struct follow *follow)
{
	unlink(path);
	unlink(old);
	add(path, 0, "one");
	assert_int_equal(follow_open(follow, path), 0);
}

static void reads(struct follow *follow, const char *wanted)
{
	char text[64];
	ssize_t got = follow_read(follow, text, sizeof text - 1);

	assert_true(got >= 0);
	text[got] = '\0';
	assert_string_equal(text, wanted);
}

static void what_is_added_is_read(void **state)
{
	struct follow follow;

	(void)state;
	begin(&follow);
	reads(&follow, "one");
	reads(&follow, "");
	assert_int_equal(follow_wait(&follow, null), 0);
	reads(&follow, "");
	add(path, O_APPEND, "two");
	assert_int_equal(follow_wait(&follow, null), 0);
	reads(&follow, "two");
	follow_close(&follow);
}

static void a_file_that_was_cut_begins_anew(void **state)
{
	struct follow follow;

	(void)state;
	begin(&follow);
	reads(&follow, "one");
	add(path, O_TRUNC, "2");
	assert_int_equal(follow_wait(&follow, null), 1);
	reads(&follow, "2");
	follow_close(&follow);
}

static void the_successor_comes_behind_all_of_the_old_one(void **state)
{
	struct follow follow;

	(void)state;
	begin(&follow);
	reads(&follow, "one");
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(follow_wait(&follow, null), 0);
	add(old, O_APPEND, "last");
	add(path, O_EXCL, "new");
	assert_int_equal(follow_wait(&follow, null), 0);
	reads(&follow, "last");
	assert_int_equal(follow_wait(&follow, null), 1);
	reads(&follow, "new");
	follow_close(&follow);
}

static void it_ends_when_nobody_reads_it_any_more(void **state)
{
	struct follow follow;
	int fds[2];

	(void)state;
	begin(&follow);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(follow_wait(&follow, fds[1]), 0);
	close(fds[0]);
	assert_int_equal(follow_wait(&follow, fds[1]), -EPIPE);
	close(fds[1]);
	follow_close(&follow);
}

static void errors_are_told(void **state)
{
	struct follow follow;
	char text[8];

	(void)state;
	assert_int_equal(follow_open(&follow, "/nonexistent"), -ENOENT);
	assert_int_equal(follow_open(&follow, dir), 0);
	assert_int_equal(follow_read(&follow, text, sizeof text), -EISDIR);
	follow_close(&follow);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		struct follow follow;

		begin(&follow);
		reads(&follow, "one");
		assert_int_equal(rename(path, old), 0);
		add(path, O_EXCL, "new");
		fault_arm(++nth, -EIO);
		(void)!follow_wait(&follow, null);
		follow_close(&follow);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_read),
		cmocka_unit_test(a_file_that_was_cut_begins_anew),
		cmocka_unit_test(the_successor_comes_behind_all_of_the_old_one),
		cmocka_unit_test(it_ends_when_nobody_reads_it_any_more),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(every_failure_leaves_nothing_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
