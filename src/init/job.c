/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "init/child.h"
#include "init/console.h"
#include "init/control.h"
#include "init/load.h"
#include "init/policy.h"
#include "init/power.h"
#include "init/report.h"
#include "init/start.h"
#include "init/takeover.h"
#include "include/paths.h"
#include "lib/sys.h"

enum { HEAR_TURNS_MAX = 16 };

/* What a job is: its body in the child, the time it gets (0: no limit), and who hears of its end. */
static const struct job_rule {
	const char *name;
	int64_t limit_s;
	int (*prepare)(struct init *in);             /* in pid 1, before the fork; 0 or a negative errno */
	void (*body)(struct init *in);               /* in the child */
	bool (*refused)(struct init *in);            /* fork failed: true if it is not wanted any more */
	void (*ended)(struct init *in, int err);     /* 0, a positive exit status, -ETIMEDOUT, -EINTR (killed) */
} rules[] = {
	[JOB_LOADER] = { "inittab loader", 10, load_prepare, load_in_child, level_load_refused,
		load_ended },
	[JOB_CONSOLE] = { "console setter", 5, NULL, console_setter_in_child, NULL, level_console_ready },
	[JOB_DOOR] = { "control channel opener", 10, NULL, control_door_in_child, NULL, control_door_ended },
	[JOB_POWER] = { "power status reader", 10, NULL, power_probe_in_child, NULL, power_probe_ended },
	[JOB_SHUTDOWN] = { "shutdown", 0, NULL, power_shutdown_in_child, NULL, power_shutdown_ended },
	[JOB_IMAGE] = { "check of " INIT_PATH, 10, NULL, takeover_image_in_child, NULL, takeover_image_ended },
	[JOB_STATE] = { "reader of the state", 10, NULL, takeover_state_in_child, NULL, takeover_state_ended },
	[JOB_POLICY] = { "SELinux policy loader", 120, NULL, policy_load_in_child, NULL, policy_load_ended },
	[JOB_HALT] = { "halt", 0, NULL, policy_halt_in_child, NULL, policy_halt_ended },
	[JOB_ASKER] = { "level asker", 0, NULL, console_asker_in_child, NULL, level_asker_ended },
};
static_assert(sizeof rules / sizeof rules[0] == JOB_COUNT, "a rule for every job");

void job_want_at(struct init *in, enum job_kind kind, struct mono when)
{
	struct job *job = &in->job[kind];

	job->start_at = job->is_wanted ? mono_first(job->start_at, when) : when;
	job->is_wanted = true;
}

void job_want(struct init *in, enum job_kind kind)
{
	job_want_at(in, kind, mono_now());
}

void job_cancel(struct init *in, enum job_kind kind)
{
	struct job *job = &in->job[kind];

	if (job->pid)
		(void)sys_kill(job->pid, SIGKILL);   /* reaped as anybody's child */
	*job = (struct job){ 0 };
}

bool job_is_busy(const struct init *in, enum job_kind kind)
{
	return in->job[kind].pid || in->job[kind].is_wanted;
}

/* What a child told comes before its end. Its channel holds less than this, others have told something, too. */
static void hear_out(struct init *in)
{
	for (int turn = 0; turn < HEAR_TURNS_MAX && report_read(in); turn++)
		;
}

bool job_child_ended(struct init *in, pid_t pid, int code, int status)
{
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++) {
		if (in->job[kind].pid != pid)
			continue;
		in->job[kind].pid = 0;
		hear_out(in);
		rules[kind].ended(in, code == CLD_EXITED ? status : -EINTR);
		return true;
	}
	return false;
}

static void let_go(struct init *in, enum job_kind kind)
{
	initlog(&in->log, LOG_TO_BOTH, "%s does not end, giving it up", rules[kind].name);
	(void)sys_kill(in->job[kind].pid, SIGKILL);  /* in uninterruptible sleep it dies later */
	in->job[kind].pid = 0;
	rules[kind].ended(in, -ETIMEDOUT);
}

static _Noreturn void run_in_child(struct init *in, enum job_kind kind)
{
	child_shed(in, kind == JOB_DOOR ? in->control.folder_fd :
		kind == JOB_STATE ? in->takeover.stream_fd : in->load_fd);
	rules[kind].body(in);
	sys_exit(0);
}

/* False: not now, and it is said why. */
static bool start(struct init *in, enum job_kind kind, struct mono now)
{
	int err = rules[kind].prepare ? rules[kind].prepare(in) : 0;
	pid_t pid = err ? err : sys_fork();

	if (!pid)
		run_in_child(in, kind);
	if (err)
		initlog(&in->log, LOG_TO_BOTH, "cannot start %s: %s", rules[kind].name, strerror(-err));
	else if (pid < 0)
		initlog(&in->log, LOG_TO_BOTH, "cannot fork, retry..");
	if (pid < 0)
		return false;
	in->job[kind] = (struct job){ .pid = pid, .deadline = rules[kind].limit_s ?
		mono_after_s(now, rules[kind].limit_s) : MONO_NEVER };
	return true;
}

/* True: somebody went on without it. */
static bool start_or_retry(struct init *in, enum job_kind kind, struct mono now)
{
	if (start(in, kind, now))
		return false;
	in->job[kind].is_wanted = false;
	if (rules[kind].refused && rules[kind].refused(in))
		return true;
	job_want_at(in, kind, mono_after_s(now, FORK_RETRY_S));
	return false;
}

struct mono job_tend(struct init *in, struct mono now)
{
	struct mono next = MONO_NEVER;
	bool has_news = false;

	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++) {
		struct job *job = &in->job[kind];

		if (job->pid && mono_is_due(job->deadline, now)) {
			let_go(in, kind);
			has_news = true;
		}
		if (job->is_wanted && !job->pid && mono_is_due(job->start_at, now))
			has_news |= start_or_retry(in, kind, now);
		if (job->pid)
			next = mono_first(next, job->deadline);
		else if (job->is_wanted)
			next = mono_first(next, job->start_at);
	}
	/* Whoever heard of an end may want a job that was passed already, or another phase's deadline. */
	return has_news ? now : next;
}
