/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reap.h - every child is reaped at once and exactly once. */
#ifndef INIT_REAP_H
#define INIT_REAP_H

#include <stdbool.h>

#include "init/init.h"

enum { REAP_BATCH = 1024, REAP_CROWD = 32 };

/* The kernel's list of pid 1's children (/proc/1/task/1/children), opened by a child; -1: there is none. Becomes ours.
 * wait4(-1) walks past all living children for each dead one. Where more than REAP_CROWD entries live, the pids behind an
 * orphan's are waited for by number; where that finds few, the list is read once for up to REAP_LISTED of them, and each is waited
 * for by its pid. */
void reap_take_list(struct init *in, int fd);

/* Called on SIGCHLD. Waits with WNOHANG until no child is left or the batch is full; marks each entry ended in the same
 * step. Never blocks. True: the batch was full, call again before sleeping. A wait that fails is tried again at in->reap_at. */
bool chld_handler(struct init *in);

#endif
