/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/reap.h"

#include <errno.h>
#include <string.h>

#include "init/command.h"
#include "init/job.h"
#include "init/level.h"
#include "lib/sys.h"

enum {
	FEW = 4,                        /* children that are reaped before the list is worth reading */
	LIST_PAGE = 4096,
	REAP_AGAIN_S = 1,
};

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

void reap_take_list(struct init *in, int fd)
{
	if (in->children_fd >= 0)
		sys_close(in->children_fd);
	in->children_fd = fd;
}

/* No SIGCHLD may come again for those that are left. Said once, as long as it lasts. */
static void wait_failed(struct init *in, int err, struct mono now)
{
	in->reap_at = mono_after_s(now, REAP_AGAIN_S);
	if (err != in->reap_trouble)
		initlog(&in->log, LOG_TO_BOTH, "cannot wait for children: %s", strerror(-err));
	in->reap_trouble = err;
}

/* At most count children, whichever the kernel finds first. The number reaped; fewer than count: there are no more. */
static int reap_any(struct init *in, int count, struct mono now)
{
	for (int i = 0; i < count; i++) {
		siginfo_t end;
		int got = sys_wait(-1, &end);

		if (got < 0 && got != -ECHILD)
			wait_failed(in, got, now);
		else
			in->reap_trouble = 0;
		if (got <= 0)
			return i;
		child_ended(in, &end, now);
	}
	return count;
}

/* Reaps what is dead among the pids in text ("12 345 "), at most count; an entry's end is left to reap_any().
 * *stayed: the length of those that stay in the kernel's list. The number reaped. */
static int reap_among(struct init *in, char *text, int count, struct mono now, size_t *stayed)
{
	int reaped = 0;

	*stayed = 0;
	for (char *next; reaped < count && (next = strchr(text, ' ')); text = next + 1) {
		siginfo_t end;
		int64_t pid;

		*next = '\0';
		if (!num_parse(text, 1, INT32_MAX, &pid) && !family_find_pid(&in->family, (pid_t)pid) &&
			sys_wait((pid_t)pid, &end) == 1) {
			child_ended(in, &end, now);
			reaped++;
		} else {
			*stayed += (size_t)(next + 1 - text);
		}
	}
	return reaped;
}

/* At most count children that the kernel's list names. Those reaped are gone from it at the next read. A page is what the
 * kernel gives at a time; what is read beyond the batch would be walked for nothing. */
static int reap_listed(struct init *in, int count, struct mono now)
{
	char text[LIST_PAGE + 1];
	off_t at = 0;
	int reaped = 0;
	ssize_t got;

	while (reaped < count && (got = sys_pread(in->children_fd, text, LIST_PAGE, at)) > 0) {
		size_t stayed;
		int more;

		text[got] = '\0';
		more = reap_among(in, text, count - reaped, now, &stayed);
		if (!more && !stayed)
			break;
		reaped += more;
		at += (off_t)stayed;
	}
	return reaped;
}

bool chld_handler(struct init *in)
{
	struct mono now = mono_now();
	int left = REAP_BATCH;

	in->reap_at = MONO_NEVER;
	if (in->children_fd >= 0 && in->family.running > REAP_CROWD) {
		if (reap_any(in, FEW, now) < FEW)
			return false;
		left -= FEW;
		left -= reap_listed(in, left, now);
	}
	return !left || reap_any(in, left, now) == left;
}
