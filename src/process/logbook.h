/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logbook.h - the file that logsave writes, which may not be there yet: its file system may still be read-only, or not
 * mounted. What is written is held in memory until the file can be opened, the newest LOGBOOK_HELD_MAX bytes of it. */
#ifndef PROCESS_LOGBOOK_H
#define PROCESS_LOGBOOK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/num.h"

enum { LOGBOOK_HELD_MAX = 16 << 20, LOGBOOK_TRIES_MAX = 3600 };

struct logbook {
	char path[PATH_MAX];            /* absolute, wherever the caller goes */
	int flags;
	int fd;                         /* -1: not open yet */
	bool is_refused;                /* nothing is kept: somebody else's link */
	bool has_complained;
	struct mono next_try;
	char *held;
	size_t held_bytes, room_bytes;
	bool is_cut;                    /* the oldest was given up */
};

/* Tries to open the file, truncating or appending. Says on standard error what will never do. -ENAMETOOLONG or another
 * negative errno: there is no such path. */
int logbook_begin(struct logbook *book, const char *path, bool appends) MUST_CHECK;
void logbook_drop(struct logbook *book);

/* Never fails: what the disk does not take is lost, and said once on standard error. Tries again to open the file, at most
 * once a second. May block as the file may. */
void logbook_write(struct logbook *book, const char *text, size_t len_bytes);

/* True if there is something that is not in the file yet. */
bool logbook_is_holding(const struct logbook *book);

/* Forks a process that keeps nothing of the caller's and tries once a second to write what is held. -errno, or its pid. */
pid_t logbook_save_later(struct logbook *book) MUST_CHECK;

#endif
