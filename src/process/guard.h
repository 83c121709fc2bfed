/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.h - a child that lets processes go on which its parent has stopped, should the parent not live to do it.
 * It wakes up when the parent ends in whatever way, even if it was stopped like everybody else (the kernel sends it SIGCONT
 * then), or gives no sign of life for GUARD_PATIENCE_MS. Only when both are killed, or nothing can be forked, do they stay. */
#ifndef PROCESS_GUARD_H
#define PROCESS_GUARD_H

#include <sys/types.h>

#include "process/pidset.h"

enum { GUARD_PATIENCE_MS = 10000 };

struct guard {
	pid_t pid;              /* 0: none, and all calls do nothing */
	int fd;
};

/* Lets go on whom set holds, or everybody when that is NULL. Never blocks. */
void guard_thaw(const struct pidset *set);

/* Starts the child, and waits until it stands ready. Signals that the caller blocks, it blocks too. Without a child: a
 * negative errno. */
int guard_begin(struct guard *guard, const struct pidset *set) MUST_CHECK;

/* After a stop that reached the guard, too. */
void guard_wake(const struct guard *guard);

/* A sign of life. Never blocks. */
void guard_tell(const struct guard *guard);

/* All go on again: ends the child and waits for that. */
void guard_end(struct guard *guard);

#endif
