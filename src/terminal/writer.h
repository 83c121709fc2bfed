/* SPDX-License-Identifier: GPL-2.0-or-later */
/* writer.h - the process that writes to one device or file, so that nobody else waits for it: a terminal's locks and a dead
 * file system sleep uninterruptibly, whatever the descriptor's flags say. It gets packets over a socket, one at a time,
 * and answers each with a report. It ends when the other end of the socket is closed.
 * May block in its device for ever; that is what it is for. */
#ifndef TERMINAL_WRITER_H
#define TERMINAL_WRITER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum {
	WRITER_BYTES_MAX = 65536,
	WRITER_LAST_MS = 500,           /* for what is under way when the other end is gone */
};

enum writer_order {
	WRITER_WRITE = 1,               /* opens if needed */
	WRITER_OPEN,
	WRITER_REOPEN,                  /* closes, and opens what has the name now */
	WRITER_SYNC,
};

struct writer_packet {
	uint32_t order;                 /* enum writer_order */
	char bytes[WRITER_BYTES_MAX];
};

struct writer_report {
	int32_t err;                    /* 0 or a negative errno */
	uint32_t written;
	int32_t east_s;                 /* local time against UTC: reading the zone's file may block, too */
	uint32_t is_open;
	uint64_t device;                /* st_rdev, for those that want no terminal twice */
};
static_assert(sizeof(struct writer_report) == 24, "no padding on the wire");

/* What is written to. Each returns 0 or a negative errno. */
struct writer_ops {
	const char *name;
	int (*open)(void *target, uint64_t *device);
	int (*write)(void *target, const char *bytes, size_t len_bytes, size_t *written);
	int (*sync)(void *target);
	void (*close)(void *target);
};

/* Serves socket until its other end is closed. 0, or the error that ended it. */
int writer_run(int socket, const struct writer_ops *ops, void *target) MUST_CHECK;

#endif
