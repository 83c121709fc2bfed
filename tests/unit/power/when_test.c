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
#include "power/when.h"

#define NS INT64_C(1000000000)

/* minutes -1: refused. hour -1: it is a span. */
static const struct row {
	const char *text;
	int64_t minutes;
	int hour, minute;
} rows[] = {
	{ "now", 0, -1, 0 }, { "0", 0, -1, 0 }, { "00", 0, -1, 0 }, { "+0", 0, -1, 0 }, { "+00", 0, -1, 0 }, { "+0:0", 0, -1, 0 },
	{ "5", 5, -1, 0 }, { "+5", 5, -1, 0 }, { "000005", 5, -1, 0 }, { "+1:05", 65, -1, 0 }, { "+1:5", 65, -1, 0 },
	{ "+99999:59", 5999999, -1, 0 }, { "5999999", 5999999, -1, 0 },
	{ "12:05", 0, 12, 5 }, { "12:5", 0, 12, 5 }, { "0:00", 0, 0, 0 }, { "23:59", 0, 23, 59 }, { "07:30", 0, 7, 30 },
	/* refused by stock, too */
	{ "", -1, 0, 0 }, { "+", -1, 0, 0 }, { ":30", -1, 0, 0 }, { "12:", -1, 0, 0 }, { "5:", -1, 0, 0 }, { "24:00", -1, 0, 0 },
	{ "12:60", -1, 0, 0 }, { "+1:60", -1, 0, 0 }, { "+100000:00", -1, 0, 0 }, { "-5", -1, 0, 0 }, { "+-1", -1, 0, 0 },
	{ "+x", -1, 0, 0 }, { "5x", -1, 0, 0 }, { "NOW", -1, 0, 0 }, { "5:00pm", -1, 0, 0 }, { "0x10", -1, 0, 0 },
	{ "now ", -1, 0, 0 },
	/* stock takes these for 5, 5, 1, 65, 12:05, 12:34, 12:10 and 1:02, and these minutes for another number */
	{ "++5", -1, 0, 0 }, { "+5+", -1, 0, 0 }, { "+1+1", -1, 0, 0 }, { "+1:+5", -1, 0, 0 }, { "12:059", -1, 0, 0 },
	{ "12:345", -1, 0, 0 }, { "0012:10", -1, 0, 0 }, { "1:2:3", -1, 0, 0 }, { "35791395", -1, 0, 0 },
	{ "99999999999999999999", -1, 0, 0 }, { "6000000", -1, 0, 0 },
};

static void each_form_is_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct when when = { .minutes = -7 };
		int err = when_parse(rows[i].text, &when);

		if (rows[i].minutes < 0) {
			if (err != -EINVAL || when.minutes != -7)
				fail_msg("taken: %s", rows[i].text);
			continue;
		}
		if (err || when.is_time_of_day != (rows[i].hour >= 0) || when.minutes != rows[i].minutes)
			fail_msg("%s", rows[i].text);
		if (when.is_time_of_day) {
			assert_int_equal(when.hour, rows[i].hour);
			assert_int_equal(when.minute, rows[i].minute);
		}
	}
}

static void a_span_does_not_follow_the_wall_clock(void **state)
{
	struct moment moment;

	(void)state;
	fake_clock_set(100 * NS, 1000000 * NS);
	moment = when_moment(&(struct when){ .minutes = 10 });
	assert_int_equal(moment_left_ns(&moment), 600 * NS);
	fake_clock_set(160 * NS, 5 * NS);
	assert_int_equal(moment_left_ns(&moment), 540 * NS);
	assert_int_equal(moment_wall_s(&moment), 545);
	moment = when_moment(&(struct when){ .minutes = WHEN_MINUTES_MAX });
	assert_int_equal(moment_left_ns(&moment), WHEN_MINUTES_MAX * 60 * NS);
}

static int64_t seconds_until(const char *now, int hour, int minute)
{
	struct when when = { .is_time_of_day = true, .hour = hour, .minute = minute };
	struct tm tm = { .tm_isdst = -1 };
	struct moment moment;

	assert_non_null(strptime(now, "%Y-%m-%d %H:%M:%S", &tm));
	fake_clock_set(0, (int64_t)mktime(&tm) * NS);
	moment = when_moment(&when);
	assert_true(moment.is_wall);
	return moment_left_ns(&moment) / NS;
}

static void a_time_of_day_is_the_next_such_minute(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	assert_int_equal(seconds_until("2026-11-25 12:00:00", 12, 5), 300);
	assert_int_equal(seconds_until("2026-11-25 12:00:45", 12, 1), 15);
	assert_int_equal(seconds_until("2026-11-25 12:00:00", 11, 59), 86400 - 60);
	/* The present minute is now. */
	assert_true(seconds_until("2026-11-25 12:00:00", 12, 0) <= 0);
	assert_true(seconds_until("2026-11-25 12:00:59", 12, 0) <= 0);
	assert_int_equal(seconds_until("2026-11-25 12:01:00", 12, 0), 86400 - 60);
	assert_int_equal(seconds_until("2026-12-31 23:59:30", 0, 0), 30);
}

/* Clocks go on by an hour at 02:00 of 29 March 2026, and back at 03:00 of 25 October. */
static void a_change_of_daylight_saving_is_counted(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(seconds_until("2026-03-28 12:00:00", 11, 0), 22 * 3600);
	assert_int_equal(seconds_until("2026-10-24 12:00:00", 11, 0), 24 * 3600);
	assert_int_equal(seconds_until("2026-03-29 01:30:00", 4, 0), 5400);
	setenv("TZ", "UTC0", 1);
	tzset();
}

static void a_time_of_day_follows_the_wall_clock(void **state)
{
	struct when when = { .is_time_of_day = true, .hour = 1, .minute = 0 };
	struct moment moment;

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	fake_clock_set(0, 0);
	moment = when_moment(&when);
	assert_int_equal(moment_left_ns(&moment), 3600 * NS);
	fake_clock_set(0, 1800 * NS);
	assert_int_equal(moment_left_ns(&moment), 1800 * NS);
	assert_int_equal(moment_wall_s(&moment), 3600);
	fake_clock_set(0, 7200 * NS);
	assert_true(moment_left_ns(&moment) < 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(each_form_is_taken_or_refused),
		CASE(a_span_does_not_follow_the_wall_clock),
		CASE(a_time_of_day_is_the_next_such_minute),
		CASE(a_change_of_daylight_saving_is_counted),
		CASE(a_time_of_day_follows_the_wall_clock),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
