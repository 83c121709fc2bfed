/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zone.h - local time for who must not touch the disk later: libc's localtime() maps or reads the
 * zone's file when it likes, and once it found none it stays with UTC for good. This one reads it
 * once, when told to, into *zone. Files as tzfile(5) has them, rules as POSIX has them for TZ; leap
 * seconds are not counted. */
#ifndef LIB_ZONE_H
#define LIB_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum { ZONE_BYTES_MAX = 8192 };

struct zone_date {
	char kind;                      /* M: week and weekday, J: day but February 29, D: day */
	int month, week, day;
	int32_t at_s;                   /* local time of that day */
};

struct zone_rule {
	bool is_set, has_summer;
	int32_t standard_s, summer_s;   /* east of UTC */
	struct zone_date begin, end;    /* of summer time */
};

struct zone {
	unsigned char data[ZONE_BYTES_MAX];
	size_t time_bytes;              /* of one transition: 4 or 8 */
	size_t times, types, infos;     /* where they lie in data */
	uint32_t time_count, info_count;
	struct zone_rule rule;          /* from the last transition on */
};

struct civil {
	int month, day;                 /* from 0; from 1 */
	int hour, minute, second;
};

/* As TZ has it: "Europe/Berlin", "/a/file", ":/a/file", "CET-1CEST,M3.5.0,M10.5.0/3", "" is UTC,
 * NULL /etc/localtime. 0, or a negative errno, -EINVAL for a file or a text that is none: *zone is
 * UTC then. Opens and reads a file, without trying again after EINTR: a timer's signal ends what
 * can be ended. */
int zone_load(struct zone *zone, const char *name) MUST_CHECK;

/* The file that zone_load() would read, the name itself or in room; NULL: none. Cannot block. */
enum { ZONE_FILE_MAX = 256 };
const char *zone_file(const char *name, char room[ZONE_FILE_MAX]);

/* Seconds east of UTC. Cannot block. */
int32_t zone_offset_s(const struct zone *zone, int64_t utc_s);

struct civil zone_civil(const struct zone *zone, int64_t utc_s);

#endif
