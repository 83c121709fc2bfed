/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "records/moment.h"

static const char *const zones[] = { "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
	"Africa/Monrovia", "Pacific/Apia", "<+0345>-3:45", "X0:00:30Y,M3.2.0/1:07:11,M10.1.0/2:03:09" };
enum { ZONES = sizeof zones / sizeof zones[0] };

static void set_zone(struct moment *moment, const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	moment_init(moment);
}

static void check(struct moment *moment, int64_t s)
{
	char found[MOMENT_DATE_BYTES], wanted[32], clock[6];
	time_t t = (time_t)s;

	assert_int_equal(moment_write(moment, s, found), 24);
	assert_non_null(ctime_r(&t, wanted));
	wanted[24] = '\0';
	assert_string_equal(found, wanted);
	moment_write_clock(moment, s, clock);
	assert_memory_equal(clock, wanted + 11, 5);
}

static void it_says_what_the_c_library_says(void **state)
{
	static struct moment moment;

	(void)state;
	for (int i = 0; i < ZONES; i++) {
		set_zone(&moment, zones[i]);
		for (int64_t s = 1704067000; s < 1704067000 + 366 * 86400; s += 1907)
			check(&moment, s);
		for (int64_t s = 0; s < UINT32_MAX; s += 9999991)
			check(&moment, s);
		for (int64_t s = -2000000; s < 2000000; s += 7777)
			check(&moment, s);
	}
}

/* Second by second around the changes of the odd zone, whose changes are in the middle of an hour. */
static void a_change_in_the_middle_of_an_hour_is_seen(void **state)
{
	static struct moment moment;

	(void)state;
	set_zone(&moment, zones[ZONES - 1]);
	for (int64_t s = 1710000000; s < 1710050000; s += 7)
		check(&moment, s);
	for (int64_t s = 1728180000; s < 1728190000; s++)
		check(&moment, s);
}

static void what_no_calendar_holds_is_written_as_seconds(void **state)
{
	static struct moment moment;
	char text[MOMENT_DATE_BYTES];

	(void)state;
	set_zone(&moment, "Pacific/Apia");
	assert_int_equal(moment_write(&moment, INT64_MAX, text), 20);
	assert_string_equal(text, "@9223372036854775807");
	assert_int_equal(moment_write(&moment, INT64_MIN, text), 21);
	moment_write_clock(&moment, INT64_MIN, text);
	moment_write_clock(&moment, INT64_MAX, text);
	assert_int_equal(moment_write(&moment, INT64_C(253402214399), text), 24);
	assert_int_equal(moment_write(&moment, INT64_C(-62167132800), text), 24);
}

static bool is_date(int year, int month, int day, int hour, int min, int sec)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = min,
		.tm_sec = sec };

	return moment_is_valid(&tm);
}

static void days_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_true(is_date(2024, 2, 29, 23, 59, 60));
	assert_true(is_date(2000, 2, 29, 0, 0, 0));
	assert_true(is_date(2023, 12, 31, 0, 0, 0));
	assert_false(is_date(2023, 2, 29, 0, 0, 0));
	assert_false(is_date(1900, 2, 29, 0, 0, 0));
	assert_false(is_date(2023, 0, 1, 0, 0, 0));
	assert_false(is_date(2023, 13, 1, 0, 0, 0));
	assert_false(is_date(2023, 4, 31, 0, 0, 0));
	assert_false(is_date(2023, 1, 0, 0, 0, 0));
	assert_false(is_date(2023, 1, 1, 24, 0, 0));
	assert_false(is_date(2023, 1, 1, 0, 60, 0));
	assert_false(is_date(2023, 1, 1, 0, 0, 61));
	assert_false(is_date(10000, 1, 1, 0, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_c_library_says),
		cmocka_unit_test(a_change_in_the_middle_of_an_hour_is_seen),
		cmocka_unit_test(what_no_calendar_holds_is_written_as_seconds),
		cmocka_unit_test(days_that_are_none_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
