/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootlines.h - console output as the lines of a boot log: each begins with the time at which its first byte came. Without
 * keep_escapes a line holds what a person would read: no escape sequence and no control character but TAB. Nothing here
 * can block or allocate. */
#ifndef TERMINAL_BOOTLINES_H
#define TERMINAL_BOOTLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "terminal/escape.h"

/* As of ctime(3), and a colon and a blank. */
enum { BOOTLINES_STAMP_LEN = 26, BOOTLINES_STAMP_SIZE = 48 };

typedef void bootlines_put(void *context, const char *bytes, size_t len_bytes);

struct bootlines {
	bool keep_escapes;
	char stamp[BOOTLINES_STAMP_SIZE];       /* of now; the caller keeps it so, by bootlines_set_time() */
	bootlines_put *put;
	void *context;
	struct escape escape;
	bool in_line, after_blank;
};

void bootlines_begin(struct bootlines *lines, bool keep_escapes, bootlines_put *put, void *context);

/* utc_s since the epoch, east_s of UTC what the local clock is ahead. */
void bootlines_set_time(struct bootlines *lines, int64_t utc_s, int32_t east_s);

void bootlines_take(struct bootlines *lines, const char *bytes, size_t len_bytes);

/* A line of our own; one that has begun is ended before it. */
void bootlines_say(struct bootlines *lines, const char *text);

/* Ends the line that has begun, if one has. */
void bootlines_end(struct bootlines *lines);

#endif
