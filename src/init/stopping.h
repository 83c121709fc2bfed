/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stopping.h - which processes a change of level ends: those without a place in the wanted level, those gone from the
 * table, and those whose action is another now. Signals go to groups whose leader is not reaped yet, never to a number
 * alone. When to go on is level.c's business. Nothing here blocks or allocates. */
#ifndef INIT_STOPPING_H
#define INIT_STOPPING_H

#include <stdbool.h>

#include "lib/num.h"

struct init;

/* Before the table is read anew: what has no place in in->level.wanted will be stopped, whatever the new table says. */
void stopping_mark(struct init *in);

/* SIGTERM to all that is to stop. False: that is nobody. */
bool stopping_begin(struct init *in) MUST_CHECK;

/* SIGKILL to who is left of them. */
void stopping_kill(struct init *in);

/* What even SIGKILL did not end is nobody's from now on: named, reaped when it ends, never signalled again. */
void stopping_give_up(struct init *in);

#endif
