/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reap.h - every child is reaped at once and exactly once. */
#ifndef INIT_REAP_H
#define INIT_REAP_H

#include <stdbool.h>

#include "init/init.h"

enum { REAP_BATCH = 1024 };

/* Called on SIGCHLD. Waits with WNOHANG until no child is left or the batch is full; marks each entry ended in the same
 * step. Never blocks. True: the batch was full, call again before sleeping. */
bool chld_handler(struct init *in);

#endif
