/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/reap.h"

#include <errno.h>
#include <string.h>

#include "init/command.h"
#include "init/job.h"
#include "init/level.h"
#include "lib/sys.h"

enum {
	NEIGHBOURS = 8,                 /* pids in a row that are not dead children: the end of a run of orphans */
	LONG_RUN = 64,                  /* is worth the search for its first orphan */
	FEW = 2,                        /* shorter runs that are reaped before the list is worth reading */
	LIST_PAGE = 4096,
	REAP_AGAIN_S = 1,
	LIVING_A_MS = 100,              /* how many make the pause after a search a millisecond longer */
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

	in->last_reaped = end->si_pid;
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

/* Notes the pids in text ("12 345 "), but those of entries: theirs are the most, they live, and reap_any() finds their ends.
 * The length of what was noted: up to the last whole pid, or to where there is no room for more. */
static size_t note_children(struct init *in, char *text)
{
	char *at = text;

	for (char *end; in->listed_count < REAP_LISTED && (end = strchr(at, ' ')); at = end + 1) {
		int64_t pid;

		*end = '\0';
		if (!num_parse(at, 1, INT32_MAX, &pid) && !family_find_pid(&in->family, (pid_t)pid))
			in->listed[in->listed_count++] = (pid_t)pid;
	}
	return (size_t)(at - text);
}

/* Reads the kernel's list, a page at a time as the kernel gives it, in one go: it walks the list again for who comes back later. */
static void list_children(struct init *in)
{
	char text[LIST_PAGE + 1];
	off_t at = 0;
	ssize_t got;

	while (in->listed_count < REAP_LISTED && (got = sys_pread(in->children_fd, text, LIST_PAGE, at)) > 0) {
		size_t noted;

		text[got] = '\0';
		noted = note_children(in, text);
		if (!noted)
			break;
		at += (off_t)noted;
	}
}

/* Waits for at most count of those listed. The number reaped: some of them live, and may do so for long. */
static int reap_listed(struct init *in, int count, struct mono now)
{
	int reaped = 0;

	for (; count > 0 && in->listed_count; count--) {
		siginfo_t end;

		if (sys_wait(in->listed[--in->listed_count], &end) == 1) {
			child_ended(in, &end, now);
			reaped++;
		}
	}
	return reaped;
}

/* What was started together often dies together: waits for the pids behind the last one reaped, until so many in a row were no dead
 * children. At most count. The number reaped. */
static int reap_neighbours(struct init *in, int count, int misses, struct mono now)
{
	int reaped = 0, missed = 0;

	for (pid_t pid = in->last_reaped; pid < INT32_MAX && reaped < count && missed < misses;) {
		siginfo_t end;

		if (sys_wait(++pid, &end) == 1) {
			child_ended(in, &end, now);
			reaped++;
			missed = 0;
		} else {
			missed++;
		}
	}
	in->is_in_run = reaped == count;
	return reaped;
}

/* Until short runs of orphans show that the list finds them sooner. Takes what it reaped from *left; false: there are no more. */
static bool reap_runs(struct init *in, int *left, struct mono now)
{
	for (int few = 0; *left > 0 && few < FEW;) {
		const uint64_t before = in->orphans;

		if (!reap_any(in, 1, now))
			return false;
		--*left;
		if (in->orphans > before) {
			int run = reap_neighbours(in, *left, NEIGHBOURS, now);

			*left -= run;
			few += run < LONG_RUN;
		}
	}
	return true;
}

/* For whoever has died, known or not. True: it has reaped some and there may be more. */
static bool search_crowd(struct init *in, int left, struct mono now)
{
	if (!in->listed_count) {
		if (!reap_runs(in, &left, now))
			return false;
		if (left)
			list_children(in);
	}
	return reap_listed(in, left, now) || in->listed_count || reap_any(in, left, now) == left;
}

static void put_off_search(struct init *in, struct mono now)
{
	int64_t ms = in->family.running / LIVING_A_MS;

	in->search_at = mono_after_ms(now, ms < REAP_PAUSE_MAX_MS ? ms : REAP_PAUSE_MAX_MS);
}

/* Where many live. IS_SEARCH: a search has begun, or had to wait and is due. True: it has reaped some and there may be more. */
static bool reap_crowd(struct init *in, bool is_search, struct mono now)
{
	int left = REAP_BATCH;
	bool has_more;

	if (in->is_in_run)
		left -= reap_neighbours(in, left, NEIGHBOURS, now);
	if (!left)
		return true;
	if (left < REAP_BATCH && !is_search && mono_is_due(in->search_at, now))
		put_off_search(in, now);        /* those it is for may all have been reaped */
	if (!mono_is_due(in->search_at, now)) {
		in->reap_at = in->search_at;
		return false;
	}
	has_more = search_crowd(in, left, now);
	if (has_more)
		in->reap_at = now;
	else
		put_off_search(in, now);
	return has_more;
}

static bool is_crowd(const struct init *in)
{
	return in->children_fd >= 0 && in->family.running > REAP_CROWD;
}

/* Where few live. Two pids in a row begin a run: by number the kernel need not walk past those who live, be it the helpers alone. */
static bool reap_few(struct init *in, struct mono now)
{
	int left = REAP_BATCH;

	while (left > 0) {
		const pid_t before = in->last_reaped;

		if (in->is_in_run)
			left -= reap_neighbours(in, left, 1, now);
		else if (!reap_any(in, 1, now))
			return false;
		else
			in->is_in_run = --left && in->last_reaped - 1 == before;
	}
	return true;
}

void reap_died(struct init *in, pid_t pid)
{
	in->reap_has_more = true;
	if (!in->is_in_run && pid > 0 && is_crowd(in)) {
		in->last_reaped = pid - 1;
		in->is_in_run = true;
	}
}

bool chld_handler(struct init *in)
{
	const struct mono now = mono_now();
	const bool is_search = mono_is_due(in->reap_at, now);

	in->reap_at = MONO_NEVER;
	return is_crowd(in) ? reap_crowd(in, is_search, now) : reap_few(in, now);
}
