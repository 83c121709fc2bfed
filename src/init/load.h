/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.h - JOB_LOADER: reading the inittab as pid 1 sees it. Nothing here blocks but load_in_child(). */
#ifndef INIT_LOAD_H
#define INIT_LOAD_H

#include "init/init.h"

/* Makes the memfd that the loader writes to. */
int load_prepare(struct init *in) MUST_CHECK;
void load_in_child(struct init *in);                       /* exits with 0 or a positive errno */

/* Without a table in use: how often a reading that failed for want of anything but a good file is tried again, and after how long. */
enum { LOAD_RETRIES = 3, LOAD_RETRY_S = 1 };

/* Takes the table if it is good; keeps the one in use, and says so, if not; tells level.h, unless it is tried again. */
void load_ended(struct init *in, int err);

/* The table that is used when there is none: a shell for root in level S. Also for the emergency boot. */
void load_fallback(struct init *in);

#endif
