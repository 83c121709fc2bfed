/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moment.h - seconds since 1970 as local time, many of them in a row at little cost.
 * The C library is asked once for each hour that occurs; the calendar is computed here. Nothing here blocks
 * but the library's first look at the time zone's file. */
#ifndef RECORDS_MOMENT_H
#define RECORDS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { MOMENT_DATE_BYTES = 32, MOMENT_SLOTS = 64 };

struct moment {
	struct {
		int64_t hour;           /* number + 1, 0: not in use */
		int32_t offset_s;
		bool is_steady;         /* the offset is the same throughout */
	} slot[MOMENT_SLOTS];
	int64_t day;                    /* of the date that is kept */
	char date[16];                  /* "Mon Mar  4 " */
	int year;
	bool has_date;
};

void moment_init(struct moment *moment);

/* East of Greenwich, at that time. */
int32_t moment_offset_s(struct moment *moment, int64_t s);

/* "Mon Mar  4 09:45:59 2024", as ctime(3) without its newline. What the calendar cannot hold (years beyond 9999 or before
 * 0) is "@" and the seconds. The length; out is terminated. */
int moment_write(struct moment *moment, int64_t s, char out[MOMENT_DATE_BYTES]);

/* The time of day as "09:45" alone: 5 bytes, terminated. */
void moment_write_clock(struct moment *moment, int64_t s, char out[6]);

/* Whether there is such a day (years 0 to 9999) and such a time of day; a leap second counts. */
bool moment_is_valid(const struct tm *tm);

#endif
