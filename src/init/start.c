/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/start.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "init/child.h"
#include "init/command.h"
#include "lib/sys.h"

/* What an action means once the level has been settled. */
enum manner { MANNER_NEVER, MANNER_ALWAYS, MANNER_ONCE, MANNER_ONCE_AND_WAIT };

static const enum manner manners[] = {
	[ACTION_NONE] = MANNER_NEVER,
	[ACTION_RESPAWN] = MANNER_ALWAYS,
	[ACTION_ONDEMAND] = MANNER_ALWAYS,
	[ACTION_ONCE] = MANNER_ONCE,
	[ACTION_BOOT] = MANNER_ONCE,
	[ACTION_POWERFAIL] = MANNER_ONCE,
	[ACTION_KBREQUEST] = MANNER_ONCE,
	[ACTION_WAIT] = MANNER_ONCE_AND_WAIT,
	[ACTION_BOOTWAIT] = MANNER_ONCE_AND_WAIT,
	[ACTION_SYSINIT] = MANNER_ONCE_AND_WAIT,
	[ACTION_POWERWAIT] = MANNER_ONCE_AND_WAIT,
	[ACTION_POWEROKWAIT] = MANNER_ONCE_AND_WAIT,
	[ACTION_POWERFAILNOW] = MANNER_ONCE_AND_WAIT,
	[ACTION_CTRLALTDEL] = MANNER_ONCE_AND_WAIT,
	[ACTION_OFF] = MANNER_NEVER,
	[ACTION_INITDEFAULT] = MANNER_NEVER,
};
static_assert(sizeof manners / sizeof manners[0] == ACTION_COUNT, "a manner for every action");

bool start_is_respawned(const struct entry *entry)
{
	return manners[entry->action] == MANNER_ALWAYS;
}

bool start_is_waited_for(const struct entry *entry)
{
	return manners[entry->action] == MANNER_ONCE_AND_WAIT;
}

bool start_is_of_level(const struct entry *entry, char level)
{
	if (entry->flags & ENTRY_DEMAND && !strchr("#*S", level))
		return true;
	return memchr(entry->levels, level, strnlen(entry->levels, sizeof entry->levels));
}

static bool is_demanded(const struct entry *entry, char demand)
{
	size_t len = strnlen(entry->levels, sizeof entry->levels);

	return memchr(entry->levels, demand, len) || memchr(entry->levels, demand - 'A' + 'a', len);
}

void start_demand(struct init *in)
{
	char demand = in->level.demand;

	in->level.demand = 0;
	for (int32_t i = 0; demand && i < in->family.count; i++) {
		struct entry *entry = &in->family.entry[i];

		if (in->level.now == LEVEL_SINGLE || !is_demanded(entry, demand))
			continue;
		entry->flags = (entry->flags | ENTRY_DEMAND) & ~(uint32_t)ENTRY_EXECUTED;
		family_seal(entry);
	}
}

enum wish start_wish(const struct init *in, const struct entry *entry)
{
	if (entry->pid)
		return entry->flags & ENTRY_WAITING ? WISH_WAIT : WISH_NOTHING;
	if (!start_is_of_level(entry, in->level.now))
		return WISH_FORGET;
	switch (manners[entry->action]) {
	case MANNER_ALWAYS:
		return WISH_START;
	case MANNER_ONCE:
		return entry->flags & ENTRY_EXECUTED ? WISH_NOTHING : WISH_START;
	case MANNER_ONCE_AND_WAIT:
		return entry->flags & ENTRY_EXECUTED ? WISH_NOTHING : WISH_START_AND_WAIT;
	case MANNER_NEVER:
		break;
	}
	return WISH_NOTHING;
}

static bool guard_window_is_over(const struct entry *entry, struct mono now)
{
	return mono_is_due(mono_after_s((struct mono){ entry->guard_since_ns }, GUARD_WINDOW_S), now);
}

/* True: enough starts in too short a time. */
static bool guard_trips(const struct entry *entry, struct mono now)
{
	return entry->guard_count >= GUARD_STARTS && !guard_window_is_over(entry, now);
}

static void guard_count_start(struct entry *entry, struct mono now)
{
	if (!entry->guard_count || guard_window_is_over(entry, now)) {
		entry->guard_since_ns = now.ns;
		entry->guard_count = 0;
	}
	entry->guard_count++;
}

static void hold_back(struct init *in, struct entry *entry, struct mono now)
{
	initlog(&in->log, LOG_TO_BOTH, "Id \"%.4s\" respawning too fast: disabled for %d minutes", entry->id,
		GUARD_HOLD_S / 60);
	entry->guard_count = 0;
	entry->held_until_ns = mono_after_s(now, GUARD_HOLD_S).ns;
	family_seal(entry);
	family_list_push(&in->family, &in->family.held, entry);
}

static void mark_started(struct init *in, struct entry *entry, pid_t pid, struct mono now)
{
	if (start_is_respawned(entry))
		guard_count_start(entry, now);
	else
		entry->flags |= ENTRY_EXECUTED;
	if (start_is_waited_for(entry))
		entry->flags |= ENTRY_WAITING;
	family_set_running(&in->family, entry, pid);
	if (command_has_record(family_process(&in->family, entry)))
		record_start(&in->log, entry->id, pid);
}

void start_note(struct init *in, struct entry *entry, struct mono now)
{
	mark_started(in, entry, entry->forked, now);
}

int start_entry(struct init *in, struct entry *entry, struct mono now)
{
	uint64_t record_seq = in->log.queue ? queue_next_seq(in->log.queue) : 0;
	pid_t pid;

	if (start_is_respawned(entry) && guard_trips(entry, now)) {
		hold_back(in, entry, now);
		return 0;
	}
	pid = sys_fork_noting(&entry->forked);
	if (!pid)
		child_main(in, entry, record_seq);
	if (pid < 0)
		return pid;
	mark_started(in, entry, pid, now);
	return 0;
}
