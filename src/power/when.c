/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/when.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

/* 1 to max_digits digits at *at, which ends behind them. False: fewer, or more. */
static bool digits(const char **at, int max_digits, int64_t *out)
{
	int count = 0;
	int64_t value = 0;

	for (; **at >= '0' && **at <= '9'; ++*at) {
		if (++count > max_digits)
			return false;
		value = value * 10 + (**at - '0');
	}
	*out = value;
	return count > 0;
}

static int span_parse(const char *text, struct when *out)
{
	int64_t value, minutes = 0;

	if (!digits(&text, 10, &value))
		return -EINVAL;
	if (*text == ':') {
		text++;
		if (value > 99999 || !digits(&text, 2, &minutes) || minutes > 59)
			return -EINVAL;
		value = value * 60 + minutes;
	}
	if (*text || value > WHEN_MINUTES_MAX)
		return -EINVAL;
	*out = (struct when){ .minutes = value };
	return 0;
}

int when_parse(const char *text, struct when *out)
{
	int64_t hour, minute;

	if (!strcmp(text, "now")) {
		*out = (struct when){ .minutes = 0 };
		return 0;
	}
	if (*text == '+')
		return span_parse(text + 1, out);
	if (!strchr(text, ':'))
		return span_parse(text, out);
	if (!digits(&text, 2, &hour) || *text++ != ':' || !digits(&text, 2, &minute) || *text || hour > 23 || minute > 59)
		return -EINVAL;
	*out = (struct when){ .is_time_of_day = true, .hour = (int)hour, .minute = (int)minute };
	return 0;
}

/* The seconds of that minute on this day, or on the next. */
static int64_t on_day(const struct tm *today, int days_on, const struct when *when)
{
	struct tm then = *today;

	then.tm_mday += days_on;
	then.tm_hour = when->hour;
	then.tm_min = when->minute;
	then.tm_sec = 0;
	then.tm_isdst = -1;             /* whatever is valid on that day */
	return mktime(&then);
}

struct moment when_moment(const struct when *when)
{
	struct wall now = wall_now();
	time_t now_s = (time_t)now.s;
	struct tm today;
	int64_t then;

	if (!when->is_time_of_day)
		return (struct moment){ .mono = mono_after_s(mono_now(), when->minutes * 60) };
	if (!localtime_r(&now_s, &today))
		return (struct moment){ .is_wall = true, .wall_s = now.s };
	then = on_day(&today, 0, when);
	if (then + 60 <= now.s)
		then = on_day(&today, 1, when);
	return (struct moment){ .is_wall = true, .wall_s = then };
}

int64_t moment_left_ns(const struct moment *moment)
{
	struct wall now;

	if (!moment->is_wall)
		return moment->mono.ns - mono_now().ns;
	now = wall_now();
	return (moment->wall_s - now.s) * NS_PER_S - (int64_t)now.us * 1000;
}

int64_t moment_wall_s(const struct moment *moment)
{
	struct wall now;

	if (moment->is_wall)
		return moment->wall_s;
	now = wall_now();
	return (now.s * NS_PER_S + (int64_t)now.us * 1000 + moment_left_ns(moment) + NS_PER_S / 2) / NS_PER_S;
}
