/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "terminal/backlog.h"

enum { SIZE = 16 };

static struct backlog backlog;

static int make(void **state)
{
	(void)state;
	return backlog_make(&backlog, SIZE);
}

static int unmake(void **state)
{
	(void)state;
	backlog_free(&backlog);
	return 0;
}

static void put(const char *text)
{
	backlog_put(&backlog, text, strlen(text));
}

static const char *taken(void)
{
	static char text[2 * SIZE];

	text[backlog_take(&backlog, text, sizeof text - 1)] = '\0';
	return text;
}

static void what_is_put_is_taken_in_order(void **state)
{
	char two[2];

	(void)state;
	for (int i = 0; i < 100; i++) {         /* around the end of the ring, many times */
		put("one\n");
		put("two\n");
		assert_int_equal(backlog_waiting(&backlog), 8);
		assert_int_equal(backlog_take(&backlog, two, 2), 2);
		assert_memory_equal(two, "on", 2);
		assert_string_equal(taken(), "e\ntwo\n");
		assert_int_equal(backlog_waiting(&backlog), 0);
	}
	assert_int_equal(backlog.lost_bytes, 0);
	assert_string_equal(taken(), "");
}

static void the_oldest_lines_go_whole_and_are_counted(void **state)
{
	(void)state;
	put("1111\n2222\n3333\n");
	put("4\n");
	assert_int_equal(backlog.lost_bytes, 5);
	assert_string_equal(taken(), "2222\n3333\n4\n");
	backlog.lost_bytes = 0;
	put("5555\n");
	assert_int_equal(backlog.lost_bytes, 0);
}

static void exactly_full_loses_nothing(void **state)
{
	(void)state;
	put("12345678");
	put("1234567\n");
	assert_int_equal(backlog.lost_bytes, 0);
	assert_string_equal(taken(), "123456781234567\n");
}

static void a_line_that_fills_everything_goes_by_what_is_needed(void **state)
{
	(void)state;
	put("1234567890123456");
	put("ab");
	/* There is no line to stop at: all that was there is one. */
	assert_int_equal(backlog.lost_bytes, 16);
	assert_string_equal(taken(), "ab");
}

static void more_than_fits_leaves_the_newest(void **state)
{
	(void)state;
	put("aaaa\nbbbb\ncccc\ndddd\neeee\nffff\ngggg\n");
	assert_true(backlog.lost_bytes >= 35 - SIZE);
	assert_int_equal(backlog.lost_bytes + backlog_waiting(&backlog), 35);
	assert_string_equal(taken(), "eeee\nffff\ngggg\n");
}

static void every_sum_of_kept_and_lost_is_what_was_put(void **state)
{
	static const char text[] = "abc\nde\nfghijklm\n\nn";
	uint64_t put_bytes = 0, taken_bytes = 0;
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char out[SIZE];
		size_t from, len;

		seed = seed * 1664525 + 1013904223;
		from = (seed >> 8) % (sizeof text - 1);
		len = (seed >> 16) % (sizeof text - from);
		backlog_put(&backlog, text + from, len);
		put_bytes += len;
		taken_bytes += backlog_take(&backlog, out, (seed >> 24) % SIZE);
		assert_true(backlog_waiting(&backlog) <= SIZE);
		assert_true(put_bytes == taken_bytes + backlog.lost_bytes + backlog_waiting(&backlog));
	}
	assert_true(backlog.lost_bytes && taken_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_put_is_taken_in_order, make, unmake),
		cmocka_unit_test_setup_teardown(the_oldest_lines_go_whole_and_are_counted, make, unmake),
		cmocka_unit_test_setup_teardown(exactly_full_loses_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(a_line_that_fills_everything_goes_by_what_is_needed, make, unmake),
		cmocka_unit_test_setup_teardown(more_than_fits_leaves_the_newest, make, unmake),
		cmocka_unit_test_setup_teardown(every_sum_of_kept_and_lost_is_what_was_put, make, unmake),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
