/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "include/paths.h"
#include "init/args.h"
#include "init/job.h"
#include "init/level.h"
#include "init/policy_exit.h"
#include "init/power.h"
#include "init/report.h"
#include "init/survive.h"
#include "lib/io.h"
#include "lib/sys.h"

#define SETTLED_NAME "SELINUX_INIT"
#define SETTLED_TEXT SETTLED_NAME "=YES"

enum { HALT_SAID_MS = 5000 };

bool policy_is_settled(const struct init *in)
{
	return args_getenv(in, SETTLED_NAME);
}

void policy_want(struct init *in)
{
	if (policy_is_settled(in))
		level_step(in, EV_SETTLED);
	else
		job_want(in, JOB_POLICY);
}

/* --- the child --- */

static _Noreturn void run_loader(struct init *in, int out)
{
	char name[] = "selinux-load", load[] = "--load";
	char *argv[] = { name, load, NULL };
	int err = -EMFILE;

	if (sys_dup2(out, STDOUT_FILENO) >= 0 && sys_dup2(out, STDERR_FILENO) >= 0)
		err = sys_exec(SELINUX_LOAD_PATH, argv, in->inherited);
	if (err == -ENOENT)
		sys_exit(POLICY_EXIT_NOTHING);
	report_log_in_child(in, LOG_TO_BOTH, "%s: %s", SELINUX_LOAD_PATH, strerror(-err));
	sys_exit(POLICY_EXIT_FAILED);
}

/* The complete lines in text; how many bytes are left of one that is not. */
static size_t pass_lines(const struct init *in, char *text, size_t len, bool is_end)
{
	char *from = text, *newline;

	while ((newline = memchr(from, '\n', len - (size_t)(from - text)))) {
		*newline = '\0';
		if (*from)
			report_log_in_child(in, LOG_TO_BOTH, "%s", from);
		from = newline + 1;
	}
	len -= (size_t)(from - text);
	memmove(text, from, len);
	if (!len || (!is_end && len < REPORT_TEXT_MAX))
		return len;
	text[len] = '\0';
	report_log_in_child(in, LOG_TO_BOTH, "%s", text);
	return 0;
}

static void pass_on(const struct init *in, int fd)
{
	char text[REPORT_TEXT_MAX + 1];
	size_t len = 0;
	ssize_t got;

	while ((got = sys_read(fd, text + len, REPORT_TEXT_MAX - len)) != 0) {
		if (got == -EINTR)
			continue;
		if (got < 0)
			break;
		len = pass_lines(in, text, len + (size_t)got, false);
	}
	(void)pass_lines(in, text, len, true);
}

static int end_of(const struct init *in, pid_t pid)
{
	siginfo_t end;
	int err = io_wait_child(pid, &end);

	if (!err && end.si_code == CLD_EXITED)
		return end.si_status;
	report_log_in_child(in, LOG_TO_BOTH, "%s: %s", SELINUX_LOAD_PATH, err ? strerror(-err) : "killed by a signal");
	return POLICY_EXIT_FAILED;
}

void policy_load_in_child(struct init *in)
{
	int fds[2], err;
	pid_t pid;

	/* The policy is the whole machine's: none that a container brings. */
	if (power_is_nested_in_child())
		sys_exit(POLICY_EXIT_NOTHING);
	err = sys_pipe(fds, O_CLOEXEC);
	pid = err ? err : sys_fork();
	if (!pid)
		run_loader(in, fds[1]);
	if (pid < 0) {
		report_log_in_child(in, LOG_TO_BOTH, "%s: %s", SELINUX_LOAD_PATH, strerror(-pid));
		sys_exit(POLICY_EXIT_FAILED);
	}
	sys_close(fds[1]);
	pass_on(in, fds[0]);
	sys_exit(end_of(in, pid));
}

/* --- what follows --- */

void policy_load_ended(struct init *in, int err)
{
	if (in->level.phase != PHASE_POLICY)
		return;
	if (err == POLICY_EXIT_REFUSED) {
		initlog(&in->log, LOG_TO_BOTH,
			"Unable to load SELinux Policy. Machine is in enforcing mode. Halting now.");
		level_step(in, EV_REFUSED);
		return;
	}
	if (err == POLICY_EXIT_LOADED)
		survive_enter_domain(in, SETTLED_TEXT);      /* if it returns it has said why */
	else if (err != POLICY_EXIT_NOTHING)
		initlog(&in->log, LOG_TO_BOTH, "no SELinux policy is loaded, going on without");
	level_step(in, EV_SETTLED);
}

void policy_halt_in_child(struct init *in)
{
	int err;

	if (in->log.queue)
		(void)queue_wait_quiet(in->log.queue, SINK_CONSOLE, HALT_SAID_MS);
	err = sys_reboot((int)RB_HALT_SYSTEM);
	if (err)
		report_log_in_child(in, LOG_TO_BOTH, "cannot halt: %s", strerror(-err));
}

/* It stands still all the same: nothing is started in this phase. */
void policy_halt_ended(struct init *in, int err)
{
	(void)in;
	(void)err;
}
