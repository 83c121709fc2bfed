/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reap.h - every child is reaped at once and exactly once. */
#ifndef INIT_REAP_H
#define INIT_REAP_H

#include <stdbool.h>

#include "init/init.h"

enum { REAP_BATCH = 1024, REAP_CROWD = 32, REAP_PAUSE_MAX_MS = 500 };

/* The kernel's list of pid 1's children (/proc/1/task/1/children), opened by a child; -1: there is none. Becomes ours.
 * wait4(-1) walks past all living children for each dead one, and once more to find that there is none. So two whose numbers follow each
 * other begin a run, which is waited for by number up to the first who is not dead. Where more than REAP_CROWD
 * entries live, the child that SIGCHLD names and the pids behind it are waited for by number, at once. Then comes the search for
 * others who died (a pending SIGCHLD absorbs the next ones: signal(7)): it waits for one with -1 and for the pids behind it; where
 * that finds few, the list is read once for up to REAP_LISTED of them, and each is waited for by its pid. Between two searches, and
 * between a first end that was found by number and the search for more, there is a pause: 1 ms for every 100 entries that live, for
 * each of which a walk takes a fraction of a microsecond; REAP_PAUSE_MAX_MS at most. */
void reap_take_list(struct init *in, int fd);

/* SIGCHLD came and names this child, one of those who died; whatever the number, nobody is lost. Has chld_handler() called. */
void reap_died(struct init *in, pid_t pid);

/* Called on SIGCHLD. Waits with WNOHANG until no child is left or the batch is full; marks each entry ended in the same
 * step. Never blocks. True: the batch was full, call again before sleeping. A wait that fails, and a search that is not due yet, are
 * for in->reap_at. */
bool chld_handler(struct init *in);

#endif
