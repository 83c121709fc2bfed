/* SPDX-License-Identifier: GPL-2.0-or-later */
/* when.h - the time argument of shutdown(8), and the moment that it means. A span counts on the clock that nobody sets
 * and that goes on while the machine sleeps; a time of day is a moment of the wall clock, so that a step of it counts.
 * Nothing here can block but reading the zone's file. */
#ifndef POWER_WHEN_H
#define POWER_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/num.h"

/* As it was written. */
struct when {
	bool is_time_of_day;
	int hour, minute;               /* of the day */
	int64_t minutes;                /* from now; 0: at once */
};

/* The longest span, in minutes: +99999:59. */
#define WHEN_MINUTES_MAX ((int64_t)99999 * 60 + 59)

struct moment {
	bool is_wall;
	struct mono mono;
	int64_t wall_s;
};

/* "now", "N" and "+N" (minutes), "H:MM" (time of day; one digit of minutes will do), "+H:MM" (hours and minutes from now);
 * all of text, digits only. 0 or -EINVAL. */
int when_parse(const char *text, struct when *out) MUST_CHECK;

/* A time of day is the next such minute of the local time (TZ); the present minute is now. */
struct moment when_moment(const struct when *when);

/* Nanoseconds until then; negative when it is past. */
int64_t moment_left_ns(const struct moment *moment);

/* When that is by the wall clock as it is now, in seconds. */
int64_t moment_wall_s(const struct moment *moment);

#endif
