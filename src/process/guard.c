/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "lib/io.h"
#include "lib/systool.h"

void guard_thaw(const struct pidset *set)
{
	if (!set) {
		(void)sys_kill(-1, SIGCONT);            /* fails when there is nobody */
		return;
	}
	for (pid_t pid = pidset_next(set, 0); pid; pid = pidset_next(set, pid))
		(void)sys_kill(pid, SIGCONT);           /* it may have been killed */
}

/* Until the parent ends the guard, dies or falls silent. */
static void watch(int fd, pid_t parent)
{
	char signs[64];

	while (sys_getppid() == parent) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int ready = sys_poll(&wait, 1, GUARD_PATIENCE_MS);

		if (ready == -EINTR)
			continue;
		if (ready <= 0 || sys_read(fd, signs, sizeof signs) <= 0)
			return;
	}
}

_Noreturn static void stand(int fd, pid_t parent, const struct pidset *set)
{
	(void)sys_prctl(PR_SET_PDEATHSIG, SIGCONT);             /* else only the socket's end tells */
	(void)sys_lock_memory(MCL_CURRENT | MCL_FUTURE);        /* as of the caller: a help, where it is allowed */
	if (sys_send(fd, "", 1, MSG_NOSIGNAL) == 1) {
		watch(fd, parent);
		guard_thaw(set);
	}
	sys_exit(1);
}

/* Until it would notice our end. */
static int wait_until_it_stands(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char sign;
	int ready = sys_poll(&wait, 1, GUARD_PATIENCE_MS);

	if (ready <= 0)
		return ready ? ready : -ETIMEDOUT;
	return sys_read(fd, &sign, 1) == 1 ? 0 : -ECHILD;
}

int guard_begin(struct guard *guard, const struct pidset *set)
{
	pid_t parent = sys_getpid(), pid;
	int fds[2], err = sys_socketpair(SOCK_STREAM | SOCK_CLOEXEC, fds);

	*guard = (struct guard){ .fd = -1 };
	if (err)
		return err;
	pid = sys_fork();
	if (!pid) {
		(void)sys_close(fds[1]);
		stand(fds[0], parent, set);
	}
	(void)sys_close(fds[0]);
	if (pid < 0) {
		(void)sys_close(fds[1]);
		return pid;
	}
	*guard = (struct guard){ .pid = pid, .fd = fds[1] };
	err = wait_until_it_stands(fds[1]);
	if (err)
		guard_end(guard);
	return err;
}

void guard_wake(const struct guard *guard)
{
	if (guard->pid)
		(void)sys_kill(guard->pid, SIGCONT);    /* not if it was killed */
}

void guard_tell(const struct guard *guard)
{
	if (guard->pid && sys_send(guard->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;         /* a full socket has signs enough; without a reader there is nobody to tell */
}

void guard_end(struct guard *guard)
{
	siginfo_t end;

	if (!guard->pid)
		return;
	(void)sys_kill(guard->pid, SIGKILL);
	(void)io_wait_child(guard->pid, &end);
	(void)sys_close(guard->fd);
	*guard = (struct guard){ .fd = -1 };
}
