/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.h - the one place where pid 1 sleeps.
 * A turn: signals, reaping (at most 1,024), reports (64), requests (16), starts, deadlines. */
#ifndef INIT_LOOP_H
#define INIT_LOOP_H

#include "init/init.h"

enum { LOOP_DEGRADED_MS = 500 };

enum source { SOURCE_SIGNAL, SOURCE_TIMER, SOURCE_REPORT, SOURCE_CONTROL, SOURCE_FOLDER, SOURCE_MOUNTS };

/* Blocks all signals but the fatal ones and makes the descriptors of the loop. 0 or a negative errno: what is missing is
 * tried again every LOOP_DEGRADED_MS, and until it is there everything is looked at as often: an orphan is gone within a second. */
int loop_open(struct init *in) MUST_CHECK;

/* Watches fd for input (SOURCE_MOUNTS: for its exceptional condition). Errors are logged; it is tried again. */
void loop_watch(struct init *in, int fd, enum source source);
void loop_unwatch(struct init *in, int fd);

/* One turn; sleeps at most until the next deadline. For loop_run() and tests. */
void loop_turn(struct init *in);

_Noreturn void loop_run(struct init *in);

#endif
