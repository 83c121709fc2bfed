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
#include "init/policy_wish.h"
#include "init/power.h"
#include "init/report.h"
#include "init/survive.h"
#include "lib/sys.h"

#define SETTLED_NAME "SELINUX_INIT"
#define SETTLED_TEXT SETTLED_NAME "=YES"

enum {
	HALT_SAID_MS = 5000,
	LOADER_S = 100,                 /* less than the job has: it still is to be asked what follows */
	END_LOOK_MS = 20,
};

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

static void say_of_loader(const struct init *in, const char *text)
{
	report_log_in_child(in, LOG_TO_BOTH, "%s: %s", SELINUX_LOAD_PATH, text);
}

static _Noreturn void run_loader(struct init *in, int out)
{
	char name[] = "selinux-load", load[] = "--load";
	char *argv[] = { name, load, NULL };
	int err = -EMFILE;

	if (sys_dup2(out, STDOUT_FILENO) >= 0 && sys_dup2(out, STDERR_FILENO) >= 0)
		err = sys_exec(SELINUX_LOAD_PATH, argv, in->inherited);
	if (err == -ENOENT)
		sys_exit(POLICY_EXIT_ABSENT);
	say_of_loader(in, strerror(-err));
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

/* Until its end, or until the loader's time is over. */
static void pass_on(const struct init *in, int fd, struct mono until)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[REPORT_TEXT_MAX + 1];
	size_t len = 0;
	int ready;

	while ((ready = sys_poll(&wait, 1, mono_left_ms(until, mono_now()))) != 0) {
		ssize_t got = ready < 0 ? ready : sys_read(fd, text + len, REPORT_TEXT_MAX - len);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		len = pass_lines(in, text, len + (size_t)got, false);
	}
	if (len)
		(void)pass_lines(in, text, len, true);
}

static int status_of(const struct init *in, int status)
{
	if (status > POLICY_EXIT_ABSENT || status == POLICY_EXIT_USAGE)
		report_log_in_child(in, LOG_TO_BOTH, "%s: ended with status %d", SELINUX_LOAD_PATH, status);
	return status;
}

/* How it ended. One that comes to no end is killed, and not waited for. */
static int end_of(const struct init *in, pid_t pid, struct mono until)
{
	siginfo_t end;
	int got;

	while (!(got = sys_wait(pid, &end)) && !mono_is_due(until, mono_now()))
		(void)sys_poll(NULL, 0, END_LOOK_MS);
	if (got > 0 && end.si_code == CLD_EXITED)
		return status_of(in, end.si_status);
	if (!got)
		(void)sys_kill(pid, SIGKILL);
	say_of_loader(in, got < 0 ? strerror(-got) : got ? "killed by a signal" : "does not end");
	return POLICY_EXIT_FAILED;
}

static int load(struct init *in)
{
	struct mono until = mono_after_s(mono_now(), LOADER_S);
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);
	pid_t pid = err ? err : sys_fork();

	if (!pid)
		run_loader(in, fds[1]);
	if (pid < 0) {
		say_of_loader(in, strerror(-pid));
		return POLICY_EXIT_FAILED;
	}
	sys_close(fds[1]);
	pass_on(in, fds[0], until);
	return end_of(in, pid, until);
}

/* What is to be done where the loader did not tell, or there is none. */
static int without_loader(const struct init *in, int status)
{
	if (!policy_is_demanded())
		return status == POLICY_EXIT_ABSENT ? POLICY_EXIT_NOTHING : POLICY_EXIT_FAILED;
	if (status == POLICY_EXIT_ABSENT)
		say_of_loader(in, strerror(ENOENT));
	return POLICY_EXIT_REFUSED;
}

void policy_load_in_child(struct init *in)
{
	int status;

	/* The policy is the whole machine's: none that a container brings. */
	if (power_is_nested_in_child())
		sys_exit(POLICY_EXIT_NOTHING);
	status = load(in);
	if (status != POLICY_EXIT_LOADED && status != POLICY_EXIT_NOTHING && status != POLICY_EXIT_REFUSED)
		status = without_loader(in, status);
	sys_exit(status);
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
