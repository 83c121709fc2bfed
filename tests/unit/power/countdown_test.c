/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "power/countdown.h"

#define MINUTE INT64_C(60000000000)

/* All of a wait: start minutes, and the minutes at which it warns. What stock lacks: the 1 of each, the 10 of +11. */
static const struct row {
	enum countdown_marks marks;
	int64_t start;
	const char *warnings;
} rows[] = {
	{ COUNTDOWN_ALL, 1, "1 " },
	{ COUNTDOWN_ALL, 2, "2 1 " },
	{ COUNTDOWN_ALL, 5, "5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 10, "10 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 11, "11 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 14, "14 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 15, "15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 16, "15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 20, "15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 60, "60 45 30 15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 90, "90 60 45 30 15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_ALL, 240, "240 180 150 120 90 60 45 30 15 9 8 7 6 5 4 3 2 1 " },
	{ COUNTDOWN_FEW, 12, "12 10 5 " },
	{ COUNTDOWN_FEW, 60, "60 10 5 " },
	{ COUNTDOWN_FEW, 130, "120 60 10 5 " },
	{ COUNTDOWN_NONE, 12, "12 " },
	{ COUNTDOWN_NONE, 15, "" },
	{ COUNTDOWN_NONE, 60, "" },
};

struct seen {
	char warnings[256];
	int64_t closed_at;              /* minutes */
	int looks;
};

/* From start until it is over, each look late by some nanoseconds. */
static void run(struct countdown *c, int64_t start_ns, int64_t late_ns, struct seen *seen)
{
	int64_t left = start_ns;

	memset(seen, 0, sizeof *seen);
	for (;;) {
		struct countdown_step step = countdown_look(c, left);
		size_t used = strlen(seen->warnings);

		seen->looks++;
		assert_in_range(seen->looks, 1, 200);
		if (step.over)
			break;
		assert_int_equal(step.minutes, (left + MINUTE - 1) / MINUTE);
		if (step.warn)
			(void)snprintf(seen->warnings + used, sizeof seen->warnings - used, "%d ", (int)step.minutes);
		if (step.close) {
			assert_int_equal(seen->closed_at, 0);
			seen->closed_at = step.minutes;
		}
		assert_true(step.look_again_ns < left);
		left = step.look_again_ns - late_ns;
	}
	assert_true(left <= 0);
}

static void each_wait_has_its_warnings(void **state)
{
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		/* On time, by chance early, a moment late, almost a minute late. */
		for (int late = -1; late < 3; late++) {
			static const int64_t lates[] = { 0, 1, 1000000, MINUTE - 2 };
			struct countdown c = { .marks = rows[i].marks };

			run(&c, rows[i].start * MINUTE, late < 0 ? 0 : lates[late + 1], &seen);
			if (strcmp(seen.warnings, rows[i].warnings))
				fail_msg("row %zu, late %d: %s", i, late, seen.warnings);
			assert_int_equal(seen.closed_at, rows[i].start < 5 ? rows[i].start : 5);
		}
	}
}

static void a_look_that_comes_early_waits_on(void **state)
{
	struct countdown c = { .marks = COUNTDOWN_ALL };
	struct countdown_step step = countdown_look(&c, 3 * MINUTE);

	(void)state;
	assert_int_equal(step.look_again_ns, 2 * MINUTE);
	step = countdown_look(&c, 2 * MINUTE + 1);
	assert_false(step.warn);
	assert_int_equal(step.look_again_ns, 2 * MINUTE);
	assert_true(countdown_look(&c, 2 * MINUTE).warn);
	assert_false(countdown_look(&c, 2 * MINUTE).warn);
}

static void part_of_a_minute_counts_as_one(void **state)
{
	struct countdown c = { .marks = COUNTDOWN_ALL };
	struct seen seen;

	(void)state;
	run(&c, 4 * MINUTE + MINUTE / 4, 0, &seen);
	assert_string_equal(seen.warnings, "5 4 3 2 1 ");
}

/* The machine slept through marks, or the clock went on: one warning, of what is left. */
static void missed_marks_are_made_up_for_once(void **state)
{
	struct countdown c = { .marks = COUNTDOWN_ALL };

	(void)state;
	assert_true(countdown_look(&c, 60 * MINUTE).warn);
	assert_true(countdown_look(&c, 12 * MINUTE).warn);
	assert_false(countdown_look(&c, 11 * MINUTE).warn);
	assert_true(countdown_look(&c, 9 * MINUTE).warn);
	assert_true(countdown_look(&c, -5 * MINUTE).over);
}

static void a_clock_that_was_set_back_brings_marks_again(void **state)
{
	struct countdown c = { .marks = COUNTDOWN_ALL };

	(void)state;
	assert_true(countdown_look(&c, 2 * MINUTE).warn);
	assert_false(countdown_look(&c, 20 * MINUTE).warn);
	assert_true(countdown_look(&c, 15 * MINUTE).warn);
	assert_true(countdown_look(&c, 2 * MINUTE).warn);
}

static void nothing_left_is_over_at_once(void **state)
{
	struct countdown c = { .marks = COUNTDOWN_ALL };
	struct countdown_step step = countdown_look(&c, 0);

	(void)state;
	assert_true(step.over);
	assert_false(step.warn || step.close);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(each_wait_has_its_warnings),
		CASE(a_look_that_comes_early_waits_on),
		CASE(part_of_a_minute_counts_as_one),
		CASE(missed_marks_are_made_up_for_once),
		CASE(a_clock_that_was_set_back_brings_marks_again),
		CASE(nothing_left_is_over_at_once),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
