/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "records/ends.h"

static struct ends ends;

static void put(const char *line, int64_t s)
{
	assert_int_equal(ends_put(&ends, line, strlen(line), s), 0);
}

/* -1: none. */
static int64_t take(const char *line)
{
	int64_t s;

	return ends_take(&ends, line, strlen(line), &s) ? s : -1;
}

static int set_up(void **state)
{
	(void)state;
	ends_init(&ends);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ends_free(&ends);
	return 0;
}

static void a_note_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(take("tty1"), -1);
	put("tty1", 5);
	put("tty10", 6);
	assert_int_equal(take("tty1"), 5);
	assert_int_equal(take("tty1"), -1);
	assert_int_equal(take("tty10"), 6);
}

static void the_note_made_last_counts(void **state)
{
	(void)state;
	put("tty1", 9);
	put("tty1", 5);
	assert_int_equal(take("tty1"), 5);
	put("tty1", 3);
	assert_int_equal(take("tty1"), 3);
}

static void nothing_is_left_when_all_is_forgotten(void **state)
{
	(void)state;
	put("tty1", 5);
	ends_forget(&ends);
	assert_int_equal(take("tty1"), -1);
	put("tty1", 6);
	assert_int_equal(take("tty1"), 6);
	put("tty2", 7);
	ends.generation = UINT32_MAX;
	ends_forget(&ends);
	assert_int_equal(take("tty2"), -1);
}

static void lines_that_fill_their_field_are_lines(void **state)
{
	char full[ENDS_LINE_BYTES + 1];

	(void)state;
	memset(full, 'x', ENDS_LINE_BYTES);
	full[ENDS_LINE_BYTES] = '\0';
	put(full, 5);
	full[ENDS_LINE_BYTES - 1] = '\0';
	assert_int_equal(take(full), -1);
	full[ENDS_LINE_BYTES - 1] = 'x';
	assert_int_equal(take(full), 5);
}

static void thousands_of_lines_are_kept_apart(void **state)
{
	char line[16];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(line, sizeof line, "pts/%d", i);
		put(line, i);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(line, sizeof line, "pts/%d", i);
		assert_int_equal(take(line), i);
	}
}

/* What was forgotten or taken makes room. */
static void memory_grows_with_what_is_noted_alone(void **state)
{
	char line[16];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		snprintf(line, sizeof line, "ftp%d", i);
		put(line, i);
		if (i % 10 == 0)
			ends_forget(&ends);
		else if (i % 2)
			assert_int_equal(take(line), i);
	}
	assert_in_range(ends.room, 1, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_note_is_taken_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_note_made_last_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_left_when_all_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_that_fill_their_field_are_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thousands_of_lines_are_kept_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_grows_with_what_is_noted_alone, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
