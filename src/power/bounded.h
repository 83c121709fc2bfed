/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bounded.h - work that may never return (a dead disk, server, terminal), done by children with a time limit.
 * A child has default dispositions and an empty mask, whatever the caller has; the caller must not ignore SIGCHLD.
 * For tools; waits as long as it is told and no longer. */
#ifndef POWER_BOUNDED_H
#define POWER_BOUNDED_H

#include <sys/types.h>

#include "lib/clock.h"
#include "lib/num.h"

/* Starts work(arg) in a child; what it returns is the child's exit status. *out is its pid. 0 or a negative errno. */
int bounded_start(int (*work)(const void *arg), const void *arg, pid_t *out) MUST_CHECK;

/* Waits for its end: the exit status, or 128 + the signal that ended it. -ETIMEDOUT: it did not end; it was sent SIGKILL
 * and is left alone. Another negative errno: nothing is known of it. */
int bounded_wait(pid_t pid, struct mono deadline) MUST_CHECK;

/* Both. When no child can be made the work is done here, without a limit: rather that than not at all. */
int bounded_run(int (*work)(const void *arg), const void *arg, int limit_ms) MUST_CHECK;

/* Executes argv[0], a path, with the environment of a shutdown (HOME, PATH, TERM, SHELL and nothing else), in "/", with
 * /dev/null for standard error when quiet. Status as of bounded_wait(), 127 when it is not there. */
int bounded_command(const char *const argv[], bool quiet, int limit_ms) MUST_CHECK;

#endif
