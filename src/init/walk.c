/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/walk.h"

#include <errno.h>

#include "init/level.h"
#include "init/start.h"

enum { STARTS_A_TURN = 64 };

void walk_again(struct init *in)
{
	in->level.walk = 0;
}

/* But not the demand, which counts again in the level after those of the boot. */
static void forget_marks(struct entry *entry)
{
	uint32_t keep = family_is_born_executed(entry->action) ? ENTRY_EXECUTED : 0;
	uint32_t flags = entry->flags & (keep | ENTRY_LISTED | ENTRY_DEMAND);

	if (flags == entry->flags)
		return;
	entry->flags = flags;
	family_seal(entry);
}

/* Starts an entry that is due. False: fork refused, try again later and in this order. */
static bool start(struct init *in, struct entry *entry, struct mono now)
{
	int err = start_entry(in, entry, now);

	if (!err)
		return true;
	initlog(&in->log, LOG_TO_BOTH, "cannot fork, retry..");
	in->level.fork_retry = mono_after_s(now, FORK_RETRY_S);
	return false;
}

/* Looks at the entry under the walk. False: the walk stays there. */
static bool walk_step(struct init *in, int *budget, struct mono now)
{
	struct entry *entry = &in->family.entry[in->level.walk];

	switch (start_wish(in, entry)) {
	case WISH_WAIT:
		return false;
	case WISH_START:
	case WISH_START_AND_WAIT:
		if (entry->flags & ENTRY_LISTED)
			break;
		(*budget)--;
		if (!start(in, entry, now) || entry->flags & ENTRY_WAITING)
			return false;
		break;
	case WISH_FORGET:
		forget_marks(entry);
		break;
	case WISH_NOTHING:
		break;
	}
	in->level.walk++;
	return true;
}

static void restart_due(struct init *in, int *budget, struct mono now)
{
	struct entry *entry;

	while (*budget > 0 && (entry = family_list_first(&in->family, &in->family.due))) {
		if (start_wish(in, entry) == WISH_START) {
			(*budget)--;
			/* Off the list first: the guard may put it on the other one. On failure it stays first. */
			family_list_pop(&in->family, &in->family.due);
			if (!start(in, entry, now)) {
				family_list_push_front(&in->family, &in->family.due, entry);
				return;
			}
		} else {
			family_list_pop(&in->family, &in->family.due);
		}
	}
}

/* Hands those whose time is over to the due list; when the next one is. */
static struct mono release_held(struct init *in, struct mono now)
{
	struct entry *entry;

	while ((entry = family_list_first(&in->family, &in->family.held))) {
		struct mono until = { entry->held_until_ns };

		if (!mono_is_due(until, now))
			return until;
		family_list_pop(&in->family, &in->family.held);
		family_list_push(&in->family, &in->family.due, entry);
	}
	return MONO_NEVER;
}

/* Whose time is over next, of those that are on no list. */
static struct entry *next_to_hold(struct init *in, struct mono now)
{
	struct entry *next = NULL;

	for (int32_t i = 0; i < in->family.count; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!(entry->flags & ENTRY_LISTED) && entry->held_until_ns > now.ns &&
		    (!next || entry->held_until_ns < next->held_until_ns))
			next = entry;
	}
	return next;
}

void walk_hold_again(struct init *in)
{
	struct mono now = mono_now();
	struct entry *entry;

	while ((entry = next_to_hold(in, now)))
		family_list_push(&in->family, &in->family.held, entry);
}

void walk_entry_ended(struct init *in, struct entry *entry)
{
	int32_t position = family_position(&in->family, entry);

	if (position < in->level.walk && start_wish(in, entry) == WISH_START)
		family_list_push(&in->family, &in->family.due, entry);
}

struct mono walk_tend(struct init *in, struct mono now)
{
	struct level *level = &in->level;
	int budget = STARTS_A_TURN;
	struct mono next;

	level->is_fresh = false;
	if (level->is_halted)
		return MONO_NEVER;
	next = release_held(in, now);
	if (!mono_is_due(level->fork_retry, now))
		return mono_first(next, level->fork_retry);
	level->fork_retry = MONO_AT_ONCE;
	restart_due(in, &budget, now);
	while (level->walk < in->family.count && budget > 0 && mono_is_due(level->fork_retry, now))
		if (!walk_step(in, &budget, now))
			break;
	if (!mono_is_due(level->fork_retry, now))
		return mono_first(next, level->fork_retry);
	level->is_fresh = budget <= 0;
	/* The walk alone may have held entries back: their time comes, too. */
	return budget > 0 ? mono_first(next, release_held(in, now)) : now;
}

bool walk_is_over(const struct init *in)
{
	const struct family *family = &in->family;

	return in->level.walk >= family->count && family->running == family->running_boot &&
		family->due.head < 0 && family->held.head < 0;
}
