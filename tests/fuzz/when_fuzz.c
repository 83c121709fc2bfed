/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as shutdown's time argument, at any moment of any zone: it is refused, or means what a plain reading of the
 * digits gives; a time of day is the next such minute, not more than a day and a change of the clocks away. A wrong
 * answer aborts. */
#include <errno.h>
#include <time.h>

#include "fake/sys.h"
#include "fuzz/input.h"
#include "power/when.h"

enum { HALF_HOUR = 30, MINUTE_S = 60, DAY_S = 86400, CHANGE_S = 7200 };

static void check_span(const char *text, const struct when *when)
{
	unsigned long long hours = 0, minutes = 0;

	FUZZ_CHECK(when->minutes >= 0 && when->minutes <= WHEN_MINUTES_MAX);
	if (!strcmp(text, "now"))
		FUZZ_CHECK(when->minutes == 0);
	else if (strchr(text, ':'))
		FUZZ_CHECK(sscanf(text, "+%llu:%llu", &hours, &minutes) == 2 && minutes < 60);
	else
		FUZZ_CHECK(sscanf(text + (*text == '+'), "%llu", &minutes) == 1);
	FUZZ_CHECK((unsigned long long)when->minutes == hours * 60 + minutes);
}

static void check_time_of_day(const char *text, const struct when *when, int64_t now_s)
{
	struct moment moment = when_moment(when);
	time_t then_s = (time_t)moment_wall_s(&moment);
	unsigned hour, minute;
	struct tm then;

	FUZZ_CHECK(sscanf(text, "%2u:%2u", &hour, &minute) == 2);
	FUZZ_CHECK(when->hour == (int)hour && when->minute == (int)minute && hour < 24 && minute < 60);
	FUZZ_CHECK(then_s > now_s - MINUTE_S && then_s <= now_s + DAY_S + CHANGE_S);
	FUZZ_CHECK(moment_left_ns(&moment) == (then_s - now_s) * INT64_C(1000000000));
	FUZZ_CHECK(localtime_r(&then_s, &then));
	/* A minute that this day leaves out is one before or behind the gap, which is of an hour or a half. */
	FUZZ_CHECK(!then.tm_sec && then.tm_min % HALF_HOUR == when->minute % HALF_HOUR);
	FUZZ_CHECK(then.tm_hour == when->hour || abs(then.tm_hour - when->hour) == 1 || abs(then.tm_hour - when->hour) == 23);
}

static bool is_of_digits(const char *text)
{
	return strspn(text, "0123456789:+") == strlen(text) && *text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const zones[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-11>11", "<+14>-14", "<+0545>-5:45", "IST-1GMT0,M10.5.0,M3.5.0/1" };
	struct input input = { data, size };
	const char *zone = zones[input_byte(&input) % 8];
	int64_t now_s = (int64_t)input_number(&input, 4);
	char *text = input_text(&input, input.left);
	struct when when = { .minutes = -1 };
	int err;

	(void)setenv("TZ", zone, 1);
	tzset();
	fake_clock_set(1000000000, now_s * 1000000000);
	err = when_parse(text, &when);
	FUZZ_CHECK(!err || err == -EINVAL);
	FUZZ_CHECK(!err || when.minutes == -1);
	FUZZ_CHECK(err || is_of_digits(text) || !strcmp(text, "now"));
	if (!err && when.is_time_of_day)
		check_time_of_day(text, &when, now_s);
	else if (!err)
		check_span(text, &when);
	fake_clock_set(-1, -1);
	free(text);
	return 0;
}
