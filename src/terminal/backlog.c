/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int backlog_make(struct backlog *backlog, size_t size_bytes)
{
	char *bytes = malloc(size_bytes);

	if (!bytes)
		return -ENOMEM;
	*backlog = (struct backlog){ .bytes = bytes, .size_bytes = size_bytes };
	return 0;
}

void backlog_free(struct backlog *backlog)
{
	free(backlog->bytes);
	backlog->bytes = NULL;
}

/* The first count, and the rest of the line that they end in. */
static void lose(struct backlog *backlog, size_t count)
{
	uint64_t to = backlog->tail + count;

	while (to < backlog->head && backlog->bytes[(to - 1) % backlog->size_bytes] != '\n')
		to++;
	backlog->lost_bytes += to - backlog->tail;
	backlog->tail = to;
}

static void copy_in(struct backlog *backlog, const char *bytes, size_t len_bytes)
{
	size_t at = (size_t)(backlog->head % backlog->size_bytes), first = backlog->size_bytes - at;

	if (first > len_bytes)
		first = len_bytes;
	memcpy(backlog->bytes + at, bytes, first);
	memcpy(backlog->bytes, bytes + first, len_bytes - first);
	backlog->head += len_bytes;
}

void backlog_put(struct backlog *backlog, const char *bytes, size_t len_bytes)
{
	size_t room = backlog->size_bytes - backlog_waiting(backlog);

	/* More than fits at all: piece by piece, so that what goes goes by lines. */
	while (len_bytes > backlog->size_bytes / 2) {
		backlog_put(backlog, bytes, backlog->size_bytes / 2);
		bytes += backlog->size_bytes / 2;
		len_bytes -= backlog->size_bytes / 2;
		room = backlog->size_bytes - backlog_waiting(backlog);
	}
	if (len_bytes > room)
		lose(backlog, len_bytes - room);
	copy_in(backlog, bytes, len_bytes);
}

size_t backlog_take(struct backlog *backlog, char *out, size_t size_bytes)
{
	size_t len = backlog_waiting(backlog), at = (size_t)(backlog->tail % backlog->size_bytes), first;

	if (len > size_bytes)
		len = size_bytes;
	first = backlog->size_bytes - at;
	if (first > len)
		first = len;
	memcpy(out, backlog->bytes + at, first);
	memcpy(out + first, backlog->bytes, len - first);
	backlog->tail += len;
	return len;
}
