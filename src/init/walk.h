/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.h - starting what a level wants, in the table's order.
 * The walk goes through the table once for each level, re-reading or event; it stops at an entry that is waited
 * for. What it has passed is looked at no more: a respawn entry that ends goes on the due list, so that a start
 * costs the same however long the table is. At most 64 starts a turn. Nothing here blocks. */
#ifndef INIT_WALK_H
#define INIT_WALK_H

#include <stdbool.h>

#include "init/init.h"

/* Begins at the top: the level, the table or a mark has changed. */
void walk_again(struct init *in);

/* For a new image: who was held back by the respawn guard is held back for the rest of its time. */
void walk_hold_again(struct init *in);

void walk_entry_ended(struct init *in, struct entry *entry);

/* Starts what is due. Returns when to come back: now when there is more to do. */
struct mono walk_tend(struct init *in, struct mono now);

/* True when nothing of the level runs, is due or is held back. Boot entries are of no level. */
bool walk_is_over(const struct init *in);

#endif
