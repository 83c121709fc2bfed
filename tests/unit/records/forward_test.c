/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake/record.h"
#include "fake/sys.h"
#include "records/forward.h"

static struct forward reader;
static char dir[64], path[96], other[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/forward_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/wtmp", dir);
	snprintf(other, sizeof other, "%s/wtmp.1", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	unlink(path);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void append(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	assert_true(!len || fwrite(bytes, len, 1, file) == 1);
	assert_int_equal(fclose(file), 0);
}

/* Records with these pids, from first to last, at the file's end. */
static void append_records(int first, int last)
{
	for (int pid = first; pid <= last; pid++) {
		struct fake_file file = { .layout = layout_native(false) };

		fake_add(&file, 7, pid, "tty1", "bob", 1700000000);
		append(file.bytes, file.len);
	}
}

/* The first and the last pid of those that come now, and how many there are. */
static const char *taken(void)
{
	static char text[64];
	int first = 0, last = 0, count = 0, err;
	struct record record;

	while (!(err = forward_next(&reader, &record))) {
		last = record.pid;
		if (!count++)
			first = last;
	}
	assert_int_equal(err, -ENOENT);
	snprintf(text, sizeof text, "%d-%d:%d", first, last, count);
	return text;
}

static void open_file(void)
{
	assert_int_equal(forward_open(&reader, path, NULL, false), 0);
}

static void the_oldest_comes_first(void **state)
{
	(void)state;
	append_records(1, 1000);
	open_file();
	assert_string_equal(taken(), "1-1000:1000");
	assert_int_equal(forward_left_bytes(&reader), 0);
	forward_close(&reader);
}

static void what_is_added_comes_later(void **state)
{
	(void)state;
	append_records(1, 3);
	open_file();
	assert_string_equal(taken(), "1-3:3");
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "0-0:0");
	append_records(4, 5);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "4-5:2");
	forward_close(&reader);
}

static void a_file_may_be_empty_at_first(void **state)
{
	(void)state;
	append("", 0);
	open_file();
	assert_int_equal(forward_seek_last(&reader, 10), 0);
	assert_string_equal(taken(), "0-0:0");
	assert_int_equal(forward_look_again(&reader), 1);
	append_records(1, 2);
	assert_string_equal(taken(), "1-2:2");
	forward_close(&reader);
}

/* Half a record is left alone; when it is whole, or was taken back and another came, it is read. */
static void only_whole_records_are_taken(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };

	(void)state;
	append_records(1, 1);
	fake_add(&file, 7, 2, "tty1", "bob", 1700000000);
	append(file.bytes, 100);
	open_file();
	assert_string_equal(taken(), "1-1:1");
	assert_int_equal(forward_left_bytes(&reader), 100);
	assert_int_equal(forward_look_again(&reader), 1);
	append(file.bytes + 100, file.len - 100);
	assert_string_equal(taken(), "2-2:1");
	append(file.bytes, 50);
	assert_string_equal(taken(), "0-0:0");
	assert_int_equal(truncate(path, 2 * file.layout->bytes), 0);
	assert_int_equal(forward_look_again(&reader), 1);
	append_records(3, 3);
	assert_string_equal(taken(), "3-3:1");
	forward_close(&reader);
}

static void the_last_ten_are_found(void **state)
{
	(void)state;
	append_records(1, 33);
	append("partial", 7);
	open_file();
	assert_int_equal(forward_seek_last(&reader, 10), 0);
	assert_string_equal(taken(), "24-33:10");
	forward_close(&reader);
	open_file();
	assert_int_equal(forward_seek_last(&reader, 40), 0);
	assert_string_equal(taken(), "1-33:33");
	forward_close(&reader);
}

static void a_file_that_is_cut_short_is_begun_anew(void **state)
{
	(void)state;
	append_records(1, 5);
	open_file();
	assert_string_equal(taken(), "1-5:5");
	assert_int_equal(truncate(path, 0), 0);
	append_records(6, 7);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "6-7:2");
	forward_close(&reader);
}

static void a_new_file_of_that_name_is_gone_over_to(void **state)
{
	(void)state;
	append_records(1, 5);
	open_file();
	assert_string_equal(taken(), "1-5:5");
	append_records(6, 6);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "6-6:1");
	append_records(7, 8);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "7-8:2");
	append_records(9, 9);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "9-9:1");
	forward_close(&reader);
}

/* What came into the old one between the last reading and the look is not left behind. */
static void the_rest_of_the_old_file_comes_first(void **state)
{
	struct fake_file late = { .layout = layout_native(false) };
	int fd;

	(void)state;
	append_records(1, 2);
	open_file();
	assert_string_equal(taken(), "1-2:2");
	assert_int_equal(rename(path, other), 0);
	append_records(10, 10);
	fake_add(&late, 7, 3, "tty1", "bob", 1700000000);
	fd = open(other, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, late.bytes, late.len), late.len);
	close(fd);
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "3-3:1");
	assert_int_equal(forward_look_again(&reader), 1);
	assert_string_equal(taken(), "10-10:1");
	forward_close(&reader);
}

static void a_pipe_ends_for_good(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };
	int fds[2], kept = dup(0);
	struct record record;

	(void)state;
	fake_add(&file, 7, 1, "tty1", "bob", 1700000000);
	fake_add(&file, 7, 2, "tty1", "bob", 1700000000);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[0], 0), 0);
	close(fds[0]);
	assert_int_equal(forward_open(&reader, NULL, NULL, false), 0);
	assert_int_equal(write(fds[1], file.bytes, 450), 450);
	assert_int_equal(forward_next(&reader, &record), 0);
	assert_int_equal(record.pid, 1);
	assert_int_equal(write(fds[1], file.bytes + 450, file.len - 450), file.len - 450);
	assert_int_equal(forward_next(&reader, &record), 0);
	assert_int_equal(record.pid, 2);
	close(fds[1]);
	assert_int_equal(forward_next(&reader, &record), -ENOENT);
	assert_int_equal(forward_look_again(&reader), 0);
	forward_close(&reader);
	assert_int_equal(dup2(kept, 0), 0);
	close(kept);
}

static void what_cannot_be_opened_or_read_is_told(void **state)
{
	struct record record;

	(void)state;
	assert_int_equal(forward_open(&reader, path, NULL, false), -ENOENT);
	append_records(1, 2);
	open_file();
	fault_name("pread", -EIO);
	assert_int_equal(forward_next(&reader, &record), -EIO);
	fault_clear();
	assert_string_equal(taken(), "1-2:2");
	forward_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_oldest_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_added_comes_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_may_be_empty_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_whole_records_are_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_ten_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_cut_short_is_begun_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_file_of_that_name_is_gone_over_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_rest_of_the_old_file_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pipe_ends_for_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_or_read_is_told, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
