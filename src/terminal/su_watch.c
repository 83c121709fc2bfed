/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/systool.h"
#include "terminal/su_line.h"

enum { GRACE_MS = 3000 };

enum state { DOOR_ASKS = 1, DOOR_HAS_SHELL, DOOR_ENDED };

struct child {
	enum state state;
	pid_t pid;              /* while it has not ended */
	int told_fd;            /* its byte, or its end, says that a shell runs; -1: told */
	bool has_line;
	struct su_line line;    /* as it was before the child came */
};

struct watch {
	struct su_house *house;
	struct child child[SU_CONSOLES_MAX];
	size_t count;
	int child_fd;           /* SIGCHLD */
	bool is_leaving;        /* the doors were told to end; those that do not are killed at .kill_at */
	struct mono kill_at;
	bool has_shell, was_left, was_locked, was_timed_out;
	int signal, status;
};

/* --- a child's own part --- */

/* A child's exit status while it asks. A shell's own may be any. */
static int status_of(enum su_end end)
{
	return (int)end;
}

static _Noreturn void be_child(struct watch *watch, size_t index, int told_fd, pid_t parent)
{
	struct su_house *house = watch->house;
	int signal = 0;

	/* From now on the parent's end is our hang-up; had it ended before, nobody would tell us. */
	(void)sys_prctl(PR_SET_PDEATHSIG, SIGHUP);
	if (sys_getppid() != parent)
		sys_exit(status_of(SU_HUNG_UP));
	for (size_t i = 0; i < house->consoles.count; i++)
		if (i != index)
			sys_close(house->consoles.at[i].fd);
	sys_exit(status_of(su_door_tend(house, &house->consoles.at[index], told_fd, &signal)));
}

static bool start(struct watch *watch, size_t index)
{
	struct child *child = &watch->child[watch->count];
	pid_t parent = sys_getpid();
	int fds[2];

	child->has_line = !su_line_begin(&child->line, &watch->house->consoles.at[index]);
	if (sys_pipe(fds, O_CLOEXEC | O_NONBLOCK))
		return false;
	child->pid = sys_fork();
	if (!child->pid)
		be_child(watch, index, fds[1], parent);
	sys_close(fds[1]);
	if (child->pid < 0) {
		sys_close(fds[0]);
		return false;
	}
	child->told_fd = fds[0];
	child->state = DOOR_ASKS;
	watch->count++;
	return true;
}

/* --- what children tell --- */

/* The end of the pipe alone may be the end of the child: what it was is then known from its exit. */
static void read_told(struct child *child)
{
	char byte;
	ssize_t got;

	if (child->told_fd < 0)
		return;
	while ((got = sys_read(child->told_fd, &byte, 1)) == 1)
		child->state = byte == SU_TOLD_SHELL ? DOOR_HAS_SHELL : DOOR_ASKS;
	if (got == -EAGAIN || got == -EINTR)
		return;
	sys_close(child->told_fd);
	child->told_fd = -1;
}

static void note_end(struct watch *watch, struct child *child, const siginfo_t *end)
{
	bool had_shell = child->state == DOOR_HAS_SHELL;
	int said = end->si_code == CLD_EXITED ? end->si_status : 0;

	child->state = DOOR_ENDED;
	if (had_shell) {
		watch->has_shell = true;
		watch->status = end->si_code == CLD_EXITED ? end->si_status : 128 + end->si_status;
	}
	if (had_shell || said == status_of(SU_LEFT))
		watch->was_left = true;
	else if (said == status_of(SU_LOCKED))
		watch->was_locked = true;
	else if (said == status_of(SU_TIMED_OUT))
		watch->was_timed_out = true;
	else if (child->has_line && end->si_code != CLD_EXITED)
		su_line_restore(&child->line);               /* killed: it could not */
}

/* Others than our doors may end: orphans, when we are process 1. */
static void reap(struct watch *watch)
{
	siginfo_t end;

	while (sys_wait(-1, &end) > 0)
		for (size_t i = 0; i < watch->count; i++) {
			struct child *child = &watch->child[i];

			if (child->state == DOOR_ENDED || child->pid != end.si_pid)
				continue;
			read_told(child);
			note_end(watch, child, &end);
		}
}

/* --- what is done about it --- */

static void signal_those(struct watch *watch, enum state state, int signal)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct child *child = &watch->child[i];

		read_told(child);
		if (child->state == state && child->pid > 0)
			(void)sys_kill(child->pid, signal);  /* not waited for yet: the number is its */
	}
}

static size_t count_those(const struct watch *watch, enum state state)
{
	size_t count = 0;

	for (size_t i = 0; i < watch->count; i++)
		count += watch->child[i].state == state;
	return count;
}

static void leave(struct watch *watch)
{
	if (watch->is_leaving)
		return;
	watch->is_leaving = true;
	watch->kill_at = mono_after_ms(mono_now(), GRACE_MS);
	signal_those(watch, DOOR_ASKS, SIGTERM);
}

/* Shells get it too: as they would if the only one had been executed in our place. */
static void pass_on(struct watch *watch, int signal)
{
	watch->signal = signal;
	signal_those(watch, DOOR_HAS_SHELL, signal);
	leave(watch);
}

static void turn(struct watch *watch)
{
	struct pollfd fds[2 + SU_CONSOLES_MAX];
	struct signalfd_siginfo info;
	nfds_t count = 2;
	int signal;

	fds[0] = (struct pollfd){ watch->house->signal_fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ watch->child_fd, POLLIN, 0 };
	for (size_t i = 0; i < watch->count; i++)
		if (watch->child[i].told_fd >= 0)
			fds[count++] = (struct pollfd){ watch->child[i].told_fd, POLLIN, 0 };
	(void)sys_poll(fds, count, mono_left_ms(watch->is_leaving ? watch->kill_at : MONO_NEVER, mono_now()));
	signal = su_signals_next(watch->house->signal_fd);
	while (sys_read(watch->child_fd, &info, sizeof info) > 0)
		;
	for (size_t i = 0; i < watch->count; i++)
		read_told(&watch->child[i]);
	reap(watch);
	if (signal)
		pass_on(watch, signal);
	if (watch->was_left || watch->was_locked)
		leave(watch);
	if (watch->is_leaving && mono_is_due(watch->kill_at, mono_now())) {
		signal_those(watch, DOOR_ASKS, SIGKILL);
		watch->kill_at = MONO_NEVER;
	}
}

static void tell(const struct watch *watch, struct su_watched *out)
{
	out->signal = watch->signal;
	out->has_shell = watch->has_shell;
	out->status = watch->status;
	out->end = watch->signal ? SU_SIGNALLED : watch->was_left ? SU_LEFT : watch->was_locked ? SU_LOCKED :
		watch->was_timed_out ? SU_TIMED_OUT : SU_HUNG_UP;
}

void su_watch(struct su_house *house, struct su_watched *out)
{
	struct watch watch = { .house = house };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	(void)sys_sigmask(SIG_BLOCK, &chld, NULL);           /* cannot fail: the arguments are good */
	watch.child_fd = sys_signalfd(&chld, SFD_NONBLOCK | SFD_CLOEXEC);
	for (size_t i = 0; watch.child_fd >= 0 && i < house->consoles.count; i++)
		(void)start(&watch, i);
	if (!watch.count) {
		*out = (struct su_watched){ 0 };
		out->end = su_door_tend(house, &house->consoles.at[0], -1, &out->signal);
		return;
	}
	while (count_those(&watch, DOOR_ENDED) < watch.count)
		turn(&watch);
	sys_close(watch.child_fd);
	tell(&watch, out);
}
