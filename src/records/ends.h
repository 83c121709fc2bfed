/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ends.h - for each terminal line, the time of the nearest later record: there a session on it ended.
 * A hash table that keeps of the lines only those since the last ends_forget(). Nothing here can block. */
#ifndef RECORDS_ENDS_H
#define RECORDS_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum { ENDS_LINE_BYTES = 32 };

struct ends_entry {
	char line[ENDS_LINE_BYTES];     /* padded with NULs */
	int64_t s;
	uint32_t hash;
	uint32_t generation;            /* 0: free; not the table's: forgotten */
	bool is_taken;                  /* nothing is noted, but others may lie behind it */
};

struct ends {
	struct ends_entry *entry;
	size_t room, used;              /* room: a power of two, or 0 */
	uint32_t generation;
};

void ends_init(struct ends *ends);
void ends_free(struct ends *ends);

/* Notes the time of a line of at most ENDS_LINE_BYTES, in place of an earlier note. 0 or -ENOMEM. */
int ends_put(struct ends *ends, const char *line, size_t len, int64_t s) MUST_CHECK;

/* Takes the note of this line out. False: there is none. */
bool ends_take(struct ends *ends, const char *line, size_t len, int64_t *out);

/* All notes are gone. */
void ends_forget(struct ends *ends);

#endif
