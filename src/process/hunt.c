/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/hunt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/systool.h"

enum { TURN_PAUSE_MS = 20, SLEEPER_PAUSE_MS = 20, SIGN_EVERY = 256, EMPTY_ROUNDS = 5 };

/* Two hunts that stop each other would both stay stopped. One lock lasts until the descriptor is closed, however that
 * happens. Anybody can hold it, so that it is not waited for in vain. */
static void wait_for_turn(int proc)
{
	struct mono end = mono_after_ms(mono_now(), HUNT_TURN_MS);

	while (sys_flock(proc, LOCK_EX | LOCK_NB) == -EWOULDBLOCK && !mono_is_due(end, mono_now()))
		(void)sys_poll(NULL, 0, TURN_PAUSE_MS);
}

int hunt_begin(struct hunt *hunt, const char *proc, int signal, const struct pidset *omitted)
{
	int err;

	hunt->signal = signal;
	hunt->omitted = omitted;
	hunt->self = sys_getpid();
	hunt->session = sys_getsid(0);
	hunt->guard = (struct guard){ .fd = -1 };
	err = procfs_open(proc, &hunt->proc);
	if (err)
		return err;
	err = pidset_begin(&hunt->told);
	if (err)
		goto no_told;
	err = pidset_begin(&hunt->settled);
	if (err)
		goto no_settled;
	wait_for_turn(hunt->proc);
	return 0;
no_settled:
	pidset_end(&hunt->told);
no_told:
	(void)sys_close(hunt->proc);
	return err;
}

void hunt_end(struct hunt *hunt)
{
	(void)sys_close(hunt->proc);
	pidset_end(&hunt->told);
	pidset_end(&hunt->settled);
}

enum verdict { VERDICT_SPARE, VERDICT_GONE, VERDICT_QUIET, VERDICT_ASLEEP, VERDICT_RUNNING };

static bool has_list(const struct hunt *hunt)
{
	return hunt->omitted->count > 0;
}

static bool was_told(const struct hunt *hunt, pid_t pid)
{
	return !has_list(hunt) || pidset_has(&hunt->told, pid);
}

/* One that was told to stop and still sleeps cannot go on either: its wait is uninterruptible, as of a vfork, or its cgroup
 * is frozen, or we may not stop it. For a moment it can also be a fork that waits for a lock of its memory: the child comes
 * later. Of one whose first thread has ended no more can be seen. */
static enum verdict judge_state(struct hunt *hunt, const struct procfs_stat *stat)
{
	if (stat->state == 'T' || stat->state == 't')
		return VERDICT_QUIET;
	if (!was_told(hunt, stat->pid))
		return VERDICT_RUNNING;
	if (stat->state == 'Z')
		return VERDICT_QUIET;
	if (stat->state != 'S' && stat->state != 'D')
		return VERDICT_RUNNING;
	if (hunt->pauses_left <= 0)
		return VERDICT_QUIET;
	hunt->sleepers++;
	return VERDICT_ASLEEP;
}

/* What cannot be read (no descriptors left, no rights) is decided by the session alone. */
static enum verdict judge_unread(const struct hunt *hunt, pid_t pid)
{
	pid_t session = sys_getsid(pid);

	if (session < 0 || session == hunt->session)
		return VERDICT_SPARE;
	return was_told(hunt, pid) ? VERDICT_QUIET : VERDICT_RUNNING;
}

static enum verdict judge(struct hunt *hunt, pid_t pid)
{
	struct procfs_stat stat;
	int err = procfs_read_stat(hunt->proc, pid, &stat);

	if (err == -ENOENT || err == -ESRCH)
		return VERDICT_GONE;
	if (err)
		return judge_unread(hunt, pid);
	if (stat.session == hunt->session || procfs_is_kernel_thread(&stat))
		return VERDICT_SPARE;
	if (procfs_is_zombie(&stat))
		return VERDICT_GONE;
	return judge_state(hunt, &stat);
}

/* A number may have gone to another process since it was looked at, a descriptor has not. */
static int send_signal(int pidfd, pid_t pid, int signal)
{
	return pidfd < 0 ? sys_kill(pid, signal) : sys_pidfd_signal(pidfd, signal);
}

static void release(int pidfd)
{
	if (pidfd >= 0)
		(void)sys_close(pidfd);
}

/* Puts it down first, so that the guard knows of it whenever we are killed. One that somebody else has stopped he might let
 * go: it is told as well. 1: it ran, or may yet. */
static int tell_to_stop(struct hunt *hunt, int pidfd, pid_t pid, enum verdict verdict)
{
	bool is_news = !pidset_has(&hunt->told, pid);
	int err = 0;

	pidset_add(&hunt->told, pid);
	if (has_list(hunt) && (is_news || verdict == VERDICT_RUNNING))
		err = send_signal(pidfd, pid, SIGSTOP);
	if (err || verdict == VERDICT_QUIET)
		pidset_add(&hunt->settled, pid);
	return !err && verdict != VERDICT_QUIET;
}

/* At first sight the session tells enough, and the stat file is read when the stop has had time to arrive: only threads of the
 * kernel, which are in session 0, must be told from others before. A zombie takes no harm. */
static enum verdict judge_at_first_sight(struct hunt *hunt, pid_t pid)
{
	pid_t session = sys_getsid(pid);

	if (session == hunt->session)
		return VERDICT_SPARE;
	if (session == -ESRCH)
		return VERDICT_GONE;
	return session > 0 ? VERDICT_RUNNING : judge(hunt, pid);
}

/* 1: another round is due, since it ran, or has had an end that no round saw coming. */
static int look_at(struct hunt *hunt, pid_t pid)
{
	int pidfd = has_list(hunt) ? sys_pidfd_open(pid) : -1, moved;
	enum verdict verdict = pidfd == -ESRCH ? VERDICT_GONE :
		was_told(hunt, pid) ? judge(hunt, pid) : judge_at_first_sight(hunt, pid);

	if (verdict >= VERDICT_QUIET) {
		moved = tell_to_stop(hunt, pidfd, pid, verdict);
	} else {
		moved = verdict == VERDICT_GONE;
		pidset_remove(&hunt->told, pid);
		pidset_add(&hunt->settled, pid);
	}
	release(pidfd);
	return moved;
}

static bool is_left_out(const struct hunt *hunt, pid_t pid)
{
	return pid == 1 || pid == hunt->self || pid == hunt->guard.pid || pidset_has(hunt->omitted, pid) ||
		pidset_has(&hunt->settled, pid);
}

/* How many of a round make another one due, or a negative errno. */
static int go_round(struct hunt *hunt)
{
	struct procfs_list list;
	int err = procfs_list_begin(&list, hunt->proc, hunt->list, sizeof hunt->list), moved = 0, seen = 0;
	pid_t pid;

	if (err)
		return err;
	hunt->sleepers = 0;
	while (!(err = procfs_list_next(&list, &pid))) {
		if (!is_left_out(hunt, pid))
			moved += look_at(hunt, pid);
		if (++seen % SIGN_EVERY == 0)
			guard_tell(&hunt->guard);
	}
	return err == -ENOENT ? moved : err;
}

/* A chain of forks takes the next number each time, so it can be ahead of one round to its end, but hardly of several. */
static int stop_all(struct hunt *hunt)
{
	struct mono end = mono_after_ms(mono_now(), HUNT_CHASE_MS);
	int moved, empty = 0;

	hunt->pauses_left = HUNT_SLEEPER_PAUSES;
	if (!has_list(hunt)) {
		(void)sys_kill(-1, SIGSTOP);    /* fails when there is nobody */
		guard_wake(&hunt->guard);
	}
	do {
		moved = go_round(hunt);
		guard_tell(&hunt->guard);
		if (moved > 0 && moved == hunt->sleepers && hunt->pauses_left-- > 0)
			(void)sys_poll(NULL, 0, SLEEPER_PAUSE_MS);
		empty = moved ? 0 : empty + 1;
	} while (moved >= 0 && empty < EMPTY_ROUNDS && !mono_is_due(end, mono_now()));
	return moved < 0 ? moved : 0;
}

/* Those that are stopped keep their numbers, unless a third party kills them. */
static int signal_all(struct hunt *hunt)
{
	int count = 0;

	for (pid_t pid = pidset_next(&hunt->told, 0); pid; pid = pidset_next(&hunt->told, pid)) {
		int pidfd = sys_pidfd_open(pid);

		count += pidfd != -ESRCH && !send_signal(pidfd, pid, hunt->signal);
		release(pidfd);
	}
	return count;
}

int hunt_run(struct hunt *hunt)
{
	const struct pidset *stopped = has_list(hunt) ? &hunt->told : NULL;
	int count, err = guard_begin(&hunt->guard, stopped);

	if (err)
		hunt->guard = (struct guard){ .fd = -1 };       /* nothing can be forked: the more reason to go on */
	(void)sys_lock_memory(MCL_CURRENT | MCL_FUTURE);        /* the root may be gone; a help, where it is allowed */
	err = stop_all(hunt);
	count = signal_all(hunt);
	guard_thaw(stopped);
	guard_end(&hunt->guard);
	return err ? err : count;
}
