/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start.h - what a level wants of an entry, and starting it. Nothing here blocks. */
#ifndef INIT_START_H
#define INIT_START_H

#include <stdbool.h>

#include "init/init.h"

enum { GUARD_STARTS = 10, GUARD_WINDOW_S = 120, GUARD_HOLD_S = 300, FORK_RETRY_S = 5 };

enum wish {
	WISH_NOTHING,
	WISH_START,                     /* and go on */
	WISH_START_AND_WAIT,            /* and the walk stops until it has ended */
	WISH_WAIT,                      /* it runs and is waited for */
	WISH_FORGET,                    /* not of this level: it loses its marks */
};

/* What the present level wants of the entry now. Pure. */
enum wish start_wish(const struct init *in, const struct entry *entry);

/* True if entry belongs to level (its field, or a demand mark). Pure. */
bool start_is_of_level(const struct entry *entry, char level);

/* What names the letter of in->level.demand has a place in every level but S from now on, and starts once more. The letter is
 * used up. In level S nothing comes of it. */
void start_demand(struct init *in);

bool start_is_respawned(const struct entry *entry);
bool start_is_waited_for(const struct entry *entry);

/* A start that the image before did not come to note: entry->forked is a child of ours. */
void start_note(struct init *in, struct entry *entry, struct mono now);

/* Forks the entry's process, marks it, puts its record. Not started: 0 pid with the guard (then it is on the held
 * list, said) or a negative errno of fork. */
int start_entry(struct init *in, struct entry *entry, struct mono now) MUST_CHECK;

#endif
