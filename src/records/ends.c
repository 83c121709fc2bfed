/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 64 };

void ends_init(struct ends *ends)
{
	*ends = (struct ends){ .generation = 1 };
}

void ends_free(struct ends *ends)
{
	free(ends->entry);
	ends_init(ends);
}

/* The entry of this line, or the free one where it would be. */
static struct ends_entry *find(const struct ends *ends, const char *line, size_t len, uint32_t hash)
{
	for (size_t at = hash;; at++) {
		struct ends_entry *entry = &ends->entry[at & (ends->room - 1)];

		if (!entry->generation)
			return entry;
		if (entry->hash == hash && !memcmp(entry->line, line, len) &&
				(len == ENDS_LINE_BYTES || !entry->line[len]))
			return entry;
	}
}

static bool is_noted(const struct ends *ends, const struct ends_entry *entry)
{
	return entry->generation == ends->generation && !entry->is_taken;
}

/* A new table with what is still noted; at most half of it is in use. */
static int make_room(struct ends *ends)
{
	struct ends next = { .generation = 1, .room = ROOM_AT_FIRST };
	size_t noted = 0;

	for (size_t i = 0; i < ends->room; i++)
		noted += is_noted(ends, &ends->entry[i]);
	while (next.room / 4 <= noted)
		next.room *= 2;
	next.entry = calloc(next.room, sizeof *next.entry);
	if (!next.entry)
		return -ENOMEM;
	for (size_t i = 0; i < ends->room; i++) {
		const struct ends_entry *entry = &ends->entry[i];
		struct ends_entry *to;

		if (!is_noted(ends, entry))
			continue;
		to = find(&next, entry->line, strnlen(entry->line, sizeof entry->line), entry->hash);
		*to = *entry;
		to->generation = next.generation;
		next.used++;
	}
	free(ends->entry);
	*ends = next;
	return 0;
}

int ends_put(struct ends *ends, const char *line, size_t len, int64_t s)
{
	uint32_t hash = num_hash(line, len);
	struct ends_entry *entry;

	if (ends->used * 2 >= ends->room) {
		int err = make_room(ends);

		if (err)
			return err;
	}
	entry = find(ends, line, len, hash);
	if (!entry->generation) {
		ends->used++;
		memset(entry->line, 0, sizeof entry->line);
		memcpy(entry->line, line, len);
		entry->hash = hash;
	}
	entry->generation = ends->generation;
	entry->is_taken = false;
	entry->s = s;
	return 0;
}

bool ends_take(struct ends *ends, const char *line, size_t len, int64_t *out)
{
	struct ends_entry *entry;

	if (!ends->room)
		return false;
	entry = find(ends, line, len, num_hash(line, len));
	if (!is_noted(ends, entry))
		return false;
	entry->is_taken = true;
	*out = entry->s;
	return true;
}

void ends_forget(struct ends *ends)
{
	if (++ends->generation)
		return;
	free(ends->entry);              /* the counter went round: all are older */
	ends_init(ends);
}
