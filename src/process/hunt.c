/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/hunt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/systool.h"
#include "process/births.h"
#include "process/household.h"

enum { TURN_PAUSE_MS = 20, STOP_PAUSE_MS = 1, STOP_PAUSES = 20, ROUND_PAUSE_MS = 5, SIGN_EVERY = 256 };

/* Two hunts that stop each other would both stay stopped. One lock lasts until the descriptor is closed, however that
 * happens. Anybody can hold it, so that it is not waited for in vain. */
static void wait_for_turn(int proc)
{
	struct mono end = mono_after_ms(mono_now(), HUNT_TURN_MS);

	while (sys_flock(proc, LOCK_EX | LOCK_NB) == -EWOULDBLOCK && !mono_is_due(end, mono_now()))
		(void)sys_poll(NULL, 0, TURN_PAUSE_MS);
}

static int begin_sets(struct hunt *hunt)
{
	struct pidset *const sets[] = { &hunt->told, &hunt->standing, &hunt->early, &hunt->spared, &hunt->household };
	size_t done = 0;
	int err = 0;

	for (; done < sizeof sets / sizeof sets[0] && !err; done += !err)
		err = pidset_begin(sets[done]);
	while (err && done)
		pidset_end(sets[--done]);
	return err;
}

int hunt_begin(struct hunt *hunt, const char *proc, int signal, const struct pidset *omitted)
{
	int err;

	hunt->signal = signal;
	hunt->omitted = omitted;
	hunt->self = sys_getpid();
	hunt->session = sys_getsid(0);
	hunt->count = 0;
	hunt->guard = (struct guard){ .fd = -1 };
	err = procfs_open(proc, &hunt->proc);
	if (err)
		return err;
	err = begin_sets(hunt);
	if (err) {
		(void)sys_close(hunt->proc);
		return err;
	}
	household_find(hunt->proc, hunt->list, sizeof hunt->list, &hunt->household);
	hunt->births = births_open(hunt->proc);
	wait_for_turn(hunt->proc);
	return 0;
}

void hunt_end(struct hunt *hunt)
{
	if (hunt->births >= 0)
		(void)sys_close(hunt->births);
	(void)sys_close(hunt->proc);
	pidset_end(&hunt->told);
	pidset_end(&hunt->standing);
	pidset_end(&hunt->early);
	pidset_end(&hunt->spared);
	pidset_end(&hunt->household);
}

enum verdict { VERDICT_GONE, VERDICT_SPARE, VERDICT_STANDS, VERDICT_ASLEEP, VERDICT_RUNS };

static bool has_list(const struct hunt *hunt)
{
	return hunt->omitted->count > 0;
}

/* One that was told to stop and still sleeps does so uninterruptibly. So, in effect, does one that is on its way out. */
static enum verdict judge_state(char state)
{
	switch (state) {
	case 'T': case 't': case 'Z': case 'X': case 'x':
		return VERDICT_STANDS;
	case 'S': case 'D':
		return VERDICT_ASLEEP;
	default:
		return VERDICT_RUNS;
	}
}

/* One thread may be stopped while another still forks. A new one joins the stop before it does anything. What cannot be read is
 * believed to be like the first. */
static enum verdict judge_threads(struct hunt *hunt, const struct procfs_stat *first)
{
	enum verdict worst = judge_state(first->state);
	struct procfs_list list;
	struct procfs_stat stat;
	pid_t thread;
	int tasks;

	if (procfs_open_file(hunt->proc, first->pid, "task", &tasks))
		return worst;
	if (!procfs_list_begin(&list, tasks, hunt->tasks, sizeof hunt->tasks)) {
		while (worst < VERDICT_RUNS && !procfs_list_next(&list, &thread))
			if (!procfs_read_stat(tasks, thread, &stat) && judge_state(stat.state) > worst)
				worst = judge_state(stat.state);
	}
	(void)sys_close(tasks);
	return worst;
}

/* What cannot be read (no descriptors left, no rights) is decided by the session alone. */
static enum verdict judge_unread(const struct hunt *hunt, pid_t pid)
{
	pid_t session = sys_getsid(pid);

	if (session < 0 || session == hunt->session)
		return session == -ESRCH ? VERDICT_GONE : VERDICT_SPARE;
	return pidset_has(&hunt->told, pid) ? VERDICT_STANDS : VERDICT_RUNS;
}

static enum verdict judge(struct hunt *hunt, pid_t pid)
{
	struct procfs_stat stat;
	int err = procfs_read_stat(hunt->proc, pid, &stat);

	if (err == -ENOENT || err == -ESRCH)
		return VERDICT_GONE;
	if (err)
		return judge_unread(hunt, pid);
	if (stat.session == hunt->session || procfs_is_kernel_thread(&stat) || procfs_is_zombie(&stat))
		return VERDICT_SPARE;
	if (stat.threads > 1)
		return judge_threads(hunt, &stat);
	return procfs_is_ending(&stat) ? VERDICT_ASLEEP : judge_state(stat.state);
}

/* With a list, at first sight, the session tells enough, and the stat file is read when the stop has had time to arrive: only threads
 * of the kernel, which are in session 0, must be told from others before. A zombie takes no harm. */
static enum verdict judge_at_first_sight(struct hunt *hunt, pid_t pid)
{
	pid_t session = sys_getsid(pid);

	if (session == hunt->session)
		return VERDICT_SPARE;
	if (session == -ESRCH)
		return VERDICT_GONE;
	return session > 0 ? VERDICT_RUNS : judge(hunt, pid);
}

/* A stop that is on its way is given a moment to arrive. */
static enum verdict judge_patiently(struct hunt *hunt, pid_t pid)
{
	enum verdict verdict = judge(hunt, pid);

	while (verdict == VERDICT_RUNS && hunt->pauses_left > 0) {
		hunt->pauses_left--;
		(void)sys_poll(NULL, 0, STOP_PAUSE_MS);
		verdict = judge(hunt, pid);
	}
	return verdict;
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

static void note(struct hunt *hunt, pid_t pid, enum verdict verdict)
{
	if (verdict <= VERDICT_SPARE) {
		pidset_remove(&hunt->told, pid);
		pidset_remove(&hunt->early, pid);
	}
	if (verdict == VERDICT_SPARE)
		pidset_add(&hunt->spared, pid);
	else
		pidset_remove(&hunt->spared, pid);
	if (verdict == VERDICT_STANDS)
		pidset_add(&hunt->standing, pid);
	hunt->round.running += verdict == VERDICT_GONE || verdict > VERDICT_STANDS;
}

static void note_told(struct hunt *hunt, pid_t pid)
{
	hunt->round.news += !pidset_has(&hunt->told, pid);
	pidset_add(&hunt->told, pid);
}

/* Puts it down first, so that the guard knows of it whenever we are killed. What we may not stop is left at that. */
static void tell_to_stop(struct hunt *hunt, int pidfd, pid_t pid, enum verdict verdict)
{
	int err;

	note_told(hunt, pid);
	err = send_signal(pidfd, pid, SIGSTOP);
	note(hunt, pid, err == -ESRCH ? VERDICT_GONE : err ? VERDICT_STANDS : verdict);
}

/* It stands from the next round on. SIGCONT would take the stop back, and is sent when all go on. */
static void signal_early(struct hunt *hunt, int pidfd, pid_t pid)
{
	pidset_add(&hunt->early, pid);
	if (hunt->signal != SIGCONT)
		hunt->count += !send_signal(pidfd, pid, hunt->signal);
	note(hunt, pid, VERDICT_ASLEEP);
}

/* With a list, at first sight. By its number: a stop that hits another is taken back when all go on, and a descriptor would be a quarter
 * of the work. */
static void stop_at_first_sight(struct hunt *hunt, pid_t pid)
{
	enum verdict verdict = judge_at_first_sight(hunt, pid);

	if (verdict >= VERDICT_STANDS)
		tell_to_stop(hunt, -ENOSYS, pid, verdict);
	else
		note(hunt, pid, verdict);
}

/* What it takes to bring one to a stand; looked at again, now that it cannot be mistaken for another. */
static void bring_down(struct hunt *hunt, pid_t pid)
{
	int pidfd = sys_pidfd_open(pid);
	enum verdict verdict = pidfd == -ESRCH ? VERDICT_GONE : judge(hunt, pid);

	if (verdict == VERDICT_ASLEEP && pidset_has(&hunt->told, pid))
		signal_early(hunt, pidfd, pid);
	else if (verdict >= VERDICT_STANDS)
		tell_to_stop(hunt, pidfd, pid, verdict);
	else
		note(hunt, pid, verdict);
	release(pidfd);
}

static void look_at(struct hunt *hunt, pid_t pid)
{
	bool is_told = pidset_has(&hunt->told, pid);
	enum verdict verdict;

	if (has_list(hunt) && !is_told && !pidset_has(&hunt->spared, pid)) {
		stop_at_first_sight(hunt, pid);
		return;
	}
	verdict = judge_patiently(hunt, pid);
	if (verdict == VERDICT_ASLEEP && pidset_has(&hunt->early, pid))
		return;
	if (verdict > VERDICT_STANDS || (verdict == VERDICT_STANDS && has_list(hunt) && !is_told)) {
		bring_down(hunt, pid);
		return;
	}
	if (verdict == VERDICT_STANDS)
		note_told(hunt, pid);
	note(hunt, pid, verdict);
}

/* While somebody is chased, those that are spared are passed over, as a list of /proc is soon out of date. */
static bool is_left_out(const struct hunt *hunt, pid_t pid)
{
	return pid == 1 || pid == hunt->self || pid == hunt->guard.pid || pidset_has(hunt->omitted, pid) ||
		pidset_has(&hunt->household, pid) || pidset_has(&hunt->standing, pid) ||
		(!hunt->verifies && pidset_has(&hunt->spared, pid));
}

static int go_round(struct hunt *hunt)
{
	struct procfs_list list;
	int err = procfs_list_begin(&list, hunt->proc, hunt->list, sizeof hunt->list), seen = 0;
	pid_t pid;

	if (err)
		return err;
	hunt->round = (struct hunt_round){ .before = births_last(hunt->births) };
	while (!(err = procfs_list_next(&list, &pid))) {
		if (!is_left_out(hunt, pid))
			look_at(hunt, pid);
		if (++seen % SIGN_EVERY == 0)
			guard_tell(&hunt->guard);
	}
	guard_tell(&hunt->guard);
	hunt->round.after = births_last(hunt->births);
	return err == -ENOENT ? 0 : err;
}

int hunt_calm_after(int calm, const struct hunt_round *round)
{
	if (round->running || round->before != round->after)
		return 0;
	return round->news ? 1 : calm + 1;      /* with news it can be the first alone */
}

static int chase(struct hunt *hunt)
{
	struct mono end = mono_after_ms(mono_now(), HUNT_CHASE_MS);
	int64_t last = births_last(hunt->births);
	int needed = last < 0 ? HUNT_BLIND_ROUNDS : HUNT_CALM_ROUNDS, calm = 0, err = 0;

	hunt->pauses_left = STOP_PAUSES;
	while (!err && calm < needed && !mono_is_due(end, mono_now())) {
		hunt->verifies = calm > 0;
		err = go_round(hunt);
		calm = hunt_calm_after(hunt->round.before == last ? calm : 0, &hunt->round);
		last = hunt->round.after;
		if (hunt->round.running && !hunt->round.news && last == hunt->round.before)
			(void)sys_poll(NULL, 0, ROUND_PAUSE_MS);
	}
	return err;
}

static int stop_all(struct hunt *hunt)
{
	if (!has_list(hunt)) {
		(void)sys_kill(-1, SIGSTOP);    /* fails when there is nobody */
		guard_wake(&hunt->guard);
	}
	return chase(hunt);
}

/* Those that are stopped keep their numbers, unless a third party kills them. */
static void signal_all(struct hunt *hunt)
{
	for (pid_t pid = pidset_next(&hunt->told, 0); pid; pid = pidset_next(&hunt->told, pid)) {
		int pidfd;

		if (pidset_has(&hunt->early, pid) && hunt->signal != SIGCONT)
			continue;
		pidfd = sys_pidfd_open(pid);
		hunt->count += pidfd != -ESRCH && !send_signal(pidfd, pid, hunt->signal);
		release(pidfd);
	}
}

int hunt_run(struct hunt *hunt)
{
	const struct pidset *stopped = has_list(hunt) ? &hunt->told : NULL;
	int err = guard_begin(&hunt->guard, stopped);

	if (err)
		hunt->guard = (struct guard){ .fd = -1 };       /* nothing can be forked: the more reason to go on */
	(void)sys_lock_memory(MCL_CURRENT | MCL_FUTURE);        /* the root may be gone; a help, where it is allowed */
	err = stop_all(hunt);
	signal_all(hunt);
	guard_thaw(stopped);
	guard_end(&hunt->guard);
	return err ? err : hunt->count;
}
