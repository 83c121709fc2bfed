/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/stopping.h"

#include <errno.h>
#include <signal.h>

#include "init/init.h"
#include "init/start.h"
#include "lib/sys.h"

/* What was demanded stays in the boot's levels, too, though it is not started there. */
static bool has_place(const struct entry *entry, char level)
{
	return entry->action == ACTION_BOOT || start_is_of_level(entry, level) ||
		(entry->flags & ENTRY_DEMAND && level != LEVEL_SINGLE);
}

/* Decided by the table that started it, as in stock: that a new table no longer names the present level stops nothing
 * before the next change. What has no place in the wanted level is as if born anew, whether it runs or not. */
void stopping_mark(struct init *in)
{
	for (int32_t i = 0; i < in->family.total; i++) {
		struct entry *entry = &in->family.entry[i];

		if (has_place(entry, in->level.wanted))
			continue;
		entry->flags &= ~(uint32_t)(ENTRY_DEMAND | ENTRY_EXECUTED);
		entry->flags |= (family_is_born_executed(entry->action) ? ENTRY_EXECUTED : 0) | (entry->pid ? ENTRY_LEAVING : 0);
		family_seal(entry);
	}
}

/* True for what is gone from the table, has another action in it, or has no place in the wanted level. */
static bool is_to_stop(const struct init *in, const struct entry *entry)
{
	if (!entry->pid)
		return false;
	return entry->flags & ENTRY_LEAVING || family_position(&in->family, entry) >= in->family.count;
}

/* The whole group, which has the pid's number until we reap it; a child that has not come as far as setsid()
 * is in ours yet, and gets it alone. */
static void signal_group(const struct entry *entry, int signal)
{
	if (sys_kill(-entry->pid, signal) == -ESRCH)
		(void)sys_kill(entry->pid, signal);
}

static void signal_all(struct init *in, int signal, const char *name)
{
	initlog(&in->log, LOG_TO_CONSOLE,
		"Sending processes configured via /etc/inittab the %s signal", name);
	for (int32_t i = 0; i < in->family.total; i++)
		if (in->family.entry[i].pid && in->family.entry[i].flags & ENTRY_STOPPING)
			signal_group(&in->family.entry[i], signal);
}

bool stopping_begin(struct init *in)
{
	for (int32_t i = 0; i < in->family.total; i++)
		if (is_to_stop(in, &in->family.entry[i]))
			family_set_stopping(&in->family, &in->family.entry[i]);
	if (!in->family.stopping)
		return false;
	signal_all(in, SIGTERM, "TERM");
	return true;
}

void stopping_kill(struct init *in)
{
	signal_all(in, SIGKILL, "KILL");
}

void stopping_give_up(struct init *in)
{
	for (int32_t i = 0; in->family.stopping && i < in->family.total; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!entry->pid || !(entry->flags & ENTRY_STOPPING))
			continue;
		initlog(&in->log, LOG_TO_BOTH, "Pid %d [id %.4s] seems to hang", (int)entry->pid, entry->id);
		family_set_ended(&in->family, entry, entry->wait_code, entry->wait_status);
	}
}
