/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h - the lines of a text, with their numbers. Reading may block as read(2) of that file may. */
#ifndef RECORDS_LINES_H
#define RECORDS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum { LINES_LENGTH_MAX = 8192 };       /* of one line: longer ones are refused, so that memory does not grow */

struct lines {
	int fd;
	bool has_ended;
	uint64_t number;                /* of the line given last, from 1 */
	size_t used, have;              /* of the block: given, and read */
	char block[2 * LINES_LENGTH_MAX];
};

void lines_init(struct lines *lines, int fd);

/* The next line without its newline, valid until the next call; not terminated. The last one needs no newline. 1, 0 at the
 * end, -EMSGSIZE (too long), or a negative errno of read(2). */
int lines_next(struct lines *lines, const char **line, size_t *len) MUST_CHECK;

#endif
