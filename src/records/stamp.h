/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stamp.h - the time of a record in a line of utmpdump(1), written and read back.
 * What is written says in which zone it is meant, so that the same seconds come back on this machine and, when they are in
 * UTC, on any. Times are local as of TZ. Nothing here blocks but the library's first look at the time zone's file. */
#ifndef RECORDS_STAMP_H
#define RECORDS_STAMP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum { STAMP_WIDTH = 28, STAMP_BYTES = 64 };

/* "Fri Mar 01 08:00:00 2024 CET" in local time, where the zone has at most three letters and this text means these seconds
 * and no others; in UTC elsewhere. "@SECONDS" for what no calendar holds, blanks for 0. At least STAMP_WIDTH characters. */
void stamp_write(int64_t s, char out[STAMP_BYTES]);

/* "2024-03-01T08:00:00,000000+00:00"; "@SECONDS,MICROSECONDS" where that cannot say it. */
void stamp_write_exact(int64_t s, int64_t us, char out[STAMP_BYTES]);

/* Reads either, whatever machine wrote it: zones are UTC, GMT, Z, a numeric offset, or a name that is in use here at that
 * time; any other, or none, means local time. 0 or -EINVAL. Blanks are 0. */
int stamp_read(const char *text, int64_t *s, int64_t *us) MUST_CHECK;

#endif
