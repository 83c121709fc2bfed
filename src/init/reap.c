/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/reap.h"

#include <errno.h>
#include <string.h>

#include "init/command.h"
#include "init/job.h"
#include "init/level.h"
#include "lib/sys.h"

static bool entry_has_record(const struct init *in, const struct entry *entry)
{
	return command_has_record(family_process(&in->family, entry));
}

static void entry_ended(struct init *in, struct entry *entry, const siginfo_t *end)
{
	char id[TAB_ID_MAX];

	memcpy(id, entry->id, sizeof id);
	if (entry_has_record(in, entry))
		record_end(&in->log, id, end->si_pid);
	family_set_ended(&in->family, entry, end->si_code, end->si_status);
	level_entry_ended(in, entry);
}

static void child_ended(struct init *in, const siginfo_t *end, struct mono now)
{
	struct entry *entry = family_find_pid(&in->family, end->si_pid);

	if (entry)
		entry_ended(in, entry, end);
	else if (!job_child_ended(in, end->si_pid, end->si_code, end->si_status) &&
		 !initlog_child_ended(&in->log, end->si_pid, now))
		in->orphans++;
}

bool chld_handler(struct init *in)
{
	struct mono now = mono_now();

	for (int i = 0; i < REAP_BATCH; i++) {
		siginfo_t end;
		int got = sys_wait_any(&end);

		if (got < 0 && got != -ECHILD)
			initlog(&in->log, LOG_TO_BOTH, "cannot wait for children: %s", strerror(-got));
		if (got <= 0)
			return false;
		child_ended(in, &end, now);
	}
	return true;
}
