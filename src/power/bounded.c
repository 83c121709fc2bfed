/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/bounded.h"

#include <errno.h>

#include "include/paths.h"
#include "lib/systool.h"

enum { STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

int bounded_start(int (*work)(const void *arg), const void *arg, pid_t *out)
{
	pid_t pid = sys_fork();

	if (!pid) {
		sys_default_signals();
		sys_unblock_signals();
		sys_exit(work(arg));
	}
	if (pid < 0)
		return pid;
	*out = pid;
	return 0;
}

static int status_of(const siginfo_t *end)
{
	return end->si_code == CLD_EXITED ? end->si_status : STATUS_SIGNAL + end->si_status;
}

int bounded_wait(pid_t pid, struct mono deadline)
{
	sigset_t child, before;
	siginfo_t end, unused;
	int found, left_ms;

	/* Blocked before the first look, so that no end is missed between a look and the sleep. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sys_sigmask(SIG_BLOCK, &child, &before);
	while (!(found = sys_wait(pid, &end)) && (left_ms = mono_left_ms(deadline, mono_now())) != 0) {
		const struct timespec left = { left_ms / 1000, left_ms % 1000 * 1000000L };

		(void)!sys_sigtimedwait(&child, &unused, &left);   /* whatever it was: look again */
	}
	sys_sigmask(SIG_SETMASK, &before, NULL);
	if (found < 0)
		return found;
	if (!found) {
		sys_kill(pid, SIGKILL);
		return -ETIMEDOUT;
	}
	return status_of(&end);
}

int bounded_run(int (*work)(const void *arg), const void *arg, int limit_ms)
{
	struct mono deadline = mono_after_ms(mono_now(), limit_ms);
	pid_t pid;

	if (bounded_start(work, arg, &pid))
		return work(arg);
	return bounded_wait(pid, deadline);
}

struct command {
	const char *const *argv;
	bool quiet;
};

static int execute(const void *arg)
{
	static const char *const environment[] = { "HOME=/", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "TERM=dumb",
		"SHELL=/bin/sh", NULL };
	const struct command *command = arg;
	int fd;

	if (command->quiet) {
		fd = sys_open(NULL_PATH, O_WRONLY, 0);
		if (fd >= 0)
			(void)!sys_dup2(fd, 2);
	}
	sys_chdir("/");
	sys_exec(command->argv[0], (char *const *)command->argv, (char *const *)environment);
	return STATUS_NOT_FOUND;
}

int bounded_command(const char *const argv[], bool quiet, int limit_ms)
{
	const struct command command = { argv, quiet };
	struct mono deadline = mono_after_ms(mono_now(), limit_ms);
	pid_t pid;
	int err = bounded_start(execute, &command, &pid);

	return err ? err : bounded_wait(pid, deadline);
}
