/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backlog.h - bytes that wait for somebody slow, within bounds: when there is no room the oldest go, by whole lines where
 * there are lines, and are counted. Putting and taking never block, allocate or fail. */
#ifndef TERMINAL_BACKLOG_H
#define TERMINAL_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

struct backlog {
	char *bytes;
	size_t size_bytes;
	uint64_t head, tail;            /* ever put; ever taken or lost */
	uint64_t lost_bytes;            /* right before what is next to be taken */
};

/* 0 or -ENOMEM. backlog_free() gives the memory back. */
int backlog_make(struct backlog *backlog, size_t size_bytes) MUST_CHECK;
void backlog_free(struct backlog *backlog);

void backlog_put(struct backlog *backlog, const char *bytes, size_t len_bytes);

/* Copies the oldest to out and forgets them here. Number of bytes. The caller has looked at lost_bytes, and set it to 0. */
size_t backlog_take(struct backlog *backlog, char *out, size_t size_bytes);

static inline size_t backlog_waiting(const struct backlog *backlog)
{
	return (size_t)(backlog->head - backlog->tail);
}

#endif
