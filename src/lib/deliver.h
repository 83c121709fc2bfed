/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deliver.h - the same bytes to many terminals at once, in a time that is bounded whatever the terminals do.
 * Writes do not wait, but opening, writing and closing a terminal can still sleep in the kernel (a serial line in its
 * last close, a console that is redirected, a line discipline that hangs). So worker processes do it. Each
 * takes one terminal after the other, writes what goes at once, and polls for the rest. One that does not come back
 * from a call gets company after a moment, so that the terminals behind are not late, and SIGKILL when the
 * time of that terminal is over; then another goes on where it had got to with its other terminals. */
#ifndef LIB_DELIVER_H
#define LIB_DELIVER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum {
	DELIVER_EACH_MS = 2000,         /* for a terminal, unless something else is asked for */
	DELIVER_WHOLE_MS = 30000,       /* for everything: what has no terminal by then gets nothing */
	DELIVER_PROCESSES_MAX = 128,    /* workers at the same time; 16 where none of them hangs */
};

/* To each terminal that people are logged in on by the utmp file, each with each_ms from its opening on.
 * 0: each has all of it. -EIO: some have not, or not all. -ENOMEM, and others of reading utmp: nobody has. For a process of its own that is about to exit: it forks,
 * waits for any child, blocks SIGCHLD, sets a timer whose SIGALRM ends it, and may leave workers behind that are not yet
 * gone. Blocks for at most about DELIVER_WHOLE_MS. */
int deliver(const char *utmp, const void *message, size_t len_bytes, int64_t each_ms) MUST_CHECK;

/* The same without any process, for when none can be had: only to pseudo terminals, whose calls do not sleep, and in at most
 * half a second. Changes nothing of the caller. */
int deliver_alone(const char *utmp, const void *message, size_t len_bytes) MUST_CHECK;

#endif
