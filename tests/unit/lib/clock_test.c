/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "lib/clock.h"

static const int64_t MS = 1000000;

static int thaw(void **state)
{
	(void)state;
	fake_clock_set(-1, -1);
	return 0;
}

static void deadlines_are_of_the_clock_that_cannot_be_set(void **state)
{
	struct timespec before, after;
	int64_t now;

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &before);
	now = mono_now().ns;
	clock_gettime(CLOCK_BOOTTIME, &after);
	assert_true(now >= before.tv_sec * 1000000000LL + before.tv_nsec);
	assert_true(now <= after.tv_sec * 1000000000LL + after.tv_nsec);
}

static void records_are_of_the_wall_clock(void **state)
{
	struct wall now;

	(void)state;
	fake_clock_set(5, 1700000000123456789);
	now = wall_now();
	assert_int_equal(now.s, 1700000000);
	assert_int_equal(now.us, 123456);
	assert_int_equal(mono_now().ns, 5);
}

static void a_step_of_the_wall_clock_moves_no_deadline(void **state)
{
	struct mono deadline;

	(void)state;
	fake_clock_set(1000 * MS, 0);
	deadline = mono_after_s(mono_now(), 3);
	fake_clock_set(1000 * MS, 86400 * 1000 * MS);
	assert_int_equal(mono_left_ms(deadline, mono_now()), 3000);
	fake_clock_advance_ms(2999);
	assert_false(mono_is_due(deadline, mono_now()));
	fake_clock_advance_ms(1);
	assert_true(mono_is_due(deadline, mono_now()));
}

static void what_is_left_is_rounded_up(void **state)
{
	struct mono now = { 1000 };

	(void)state;
	assert_int_equal(mono_left_ms((struct mono){ 1001 }, now), 1);
	assert_int_equal(mono_left_ms((struct mono){ 1000 + MS }, now), 1);
	assert_int_equal(mono_left_ms((struct mono){ 1001 + MS }, now), 2);
	assert_int_equal(mono_left_ms((struct mono){ 1000 }, now), 0);
	assert_int_equal(mono_left_ms((struct mono){ 999 }, now), 0);
}

static void never_is_never_due_and_waits_without_end(void **state)
{
	(void)state;
	assert_int_equal(mono_left_ms(MONO_NEVER, (struct mono){ 0 }), -1);
	assert_false(mono_is_due(MONO_NEVER, (struct mono){ INT64_MAX - 1 }));
	assert_true(mono_is_never(MONO_NEVER));
	assert_false(mono_is_never((struct mono){ INT64_MAX - 1 }));
}

static void a_far_deadline_is_as_far_as_poll_can_wait(void **state)
{
	(void)state;
	assert_int_equal(mono_left_ms((struct mono){ INT64_MAX - 1 }, (struct mono){ 0 }), INT_MAX);
	assert_int_equal(mono_left_ms((struct mono){ INT64_MAX - 1 }, (struct mono){ -5 }),
		INT_MAX);
}

static void sums_that_do_not_fit_are_never(void **state)
{
	struct mono t = { 1000 };

	(void)state;
	assert_true(mono_is_never(mono_after_ms(t, INT64_MAX)));
	assert_true(mono_is_never(mono_after_ms((struct mono){ 775808 }, INT64_MAX / MS)));
	assert_false(mono_is_never(mono_after_ms((struct mono){ 775806 }, INT64_MAX / MS)));
	assert_true(mono_is_never(mono_after_s(t, INT64_MAX)));
	assert_true(mono_is_never(mono_after_s(t, INT64_MAX / 1000)));
	assert_true(mono_is_never(mono_after_ms(MONO_NEVER, 1)));
	assert_int_equal(mono_after_ms(t, 2).ns, 1000 + 2 * MS);
	assert_int_equal(mono_after_s(t, 0).ns, 1000);
	assert_int_equal(mono_after_s(t, INT_MAX).ns, 1000 + INT_MAX * 1000LL * MS);
}

static void the_first_is_the_earlier_one(void **state)
{
	struct mono early = { 1 }, late = { 2 };

	(void)state;
	assert_int_equal(mono_first(early, late).ns, 1);
	assert_int_equal(mono_first(late, early).ns, 1);
	assert_int_equal(mono_first(MONO_NEVER, late).ns, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, thaw)
	const struct CMUnitTest tests[] = {
		CASE(deadlines_are_of_the_clock_that_cannot_be_set),
		CASE(records_are_of_the_wall_clock),
		CASE(a_step_of_the_wall_clock_moves_no_deadline),
		CASE(what_is_left_is_rounded_up),
		CASE(never_is_never_due_and_waits_without_end),
		CASE(a_far_deadline_is_as_far_as_poll_can_wait),
		CASE(sums_that_do_not_fit_are_never),
		CASE(the_first_is_the_earlier_one),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
