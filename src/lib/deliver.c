/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/deliver.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "lib/audience.h"
#include "lib/clock.h"
#include "lib/systool.h"

enum {
	ALONE_MS = 500,
	COMPANY_MS = 100,       /* in one call: somebody else takes the terminals behind */
	GONE_MS = 500,          /* SIGKILL was sent, and it is still there: it sleeps uninterruptibly */
	TICK_MS = 50,
	WORKERS = 16,
	SEATS_A_WORKER = 4,     /* fewer terminals need fewer workers */
	SPAWNS_MAX = 512,
	OPEN_MAX = 200,         /* terminals that a worker polls */
	NO_PROGRESS_MS = 10,
};

enum part_state { PART_NEW, PART_TRIED, PART_OPEN, PART_DONE, PART_FAILED };

/* Shared by all workers. A seat's part is written by its owner alone, after its owner's end by the deliverer. */
struct hall {
	const char *message;
	size_t len_bytes;
	struct mono end;
	int64_t each_ms;
	bool only_ptys;
	_Atomic uint32_t next;                  /* seat that nobody has taken yet */
	struct part {
		_Atomic uint32_t state;
		_Atomic uint32_t owner;
		_Atomic uint32_t sent_bytes;
	} part[AUDIENCE_MAX];
	struct call {
		_Atomic int64_t since_ns;       /* in a call that may sleep; 0: in none */
		_Atomic uint32_t seat;
	} call[SPAWNS_MAX];
	struct audience audience;
};
static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "the hall is shared memory");

/* --- a worker --- */

struct worker {
	struct hall *hall;
	uint32_t number;
	bool is_stalled;                        /* polling said there is room, and nothing went */
	int count;
	struct open_seat {
		int fd;
		uint32_t seat;
		struct mono end;
	} open[OPEN_MAX];
};

static void call_begin(struct worker *worker, uint32_t seat)
{
	struct call *call = &worker->hall->call[worker->number];

	call->seat = seat;
	call->since_ns = mono_now().ns;
}

static void call_end(struct worker *worker)
{
	worker->hall->call[worker->number].since_ns = 0;
}

static int seat_open(const struct audience_seat *seat)
{
	struct stat st;
	int err, fd = sys_open(seat->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && (!S_ISCHR(st.st_mode) || st.st_rdev != seat->device))
		err = -ENODEV;
	if (!err)
		err = sys_isatty(fd);
	if (!err)
		return fd;
	sys_close(fd);
	return err;
}

/* 0: all of it is out. -EAGAIN: no room for more. */
static int seat_write(struct worker *worker, int fd, uint32_t seat)
{
	const struct hall *hall = worker->hall;
	struct part *part = &worker->hall->part[seat];

	while (part->sent_bytes < hall->len_bytes) {
		ssize_t n = sys_write(fd, hall->message + part->sent_bytes, hall->len_bytes - part->sent_bytes);

		if (n == -EINTR)
			n = -EAGAIN;
		if (n <= 0)
			return n ? (int)n : -EIO;
		part->sent_bytes += (uint32_t)n;
		worker->is_stalled = false;
	}
	return 0;
}

/* Closes it, unless more is to come. */
static bool seat_is_through(struct worker *worker, int fd, uint32_t seat, int err, struct mono end)
{
	if (err == -EAGAIN && !mono_is_due(end, mono_now()))
		return false;
	worker->hall->part[seat].state = err ? PART_FAILED : PART_DONE;
	sys_close(fd);
	return true;
}

static bool is_pty(dev_t device)
{
	return major(device) >= 136 && major(device) <= 143;
}

static void seat_begin(struct worker *worker, uint32_t seat)
{
	struct hall *hall = worker->hall;
	struct part *part = &hall->part[seat];
	struct mono end = mono_first(mono_after_ms(mono_now(), hall->each_ms), hall->end);
	int fd;

	if (hall->only_ptys && !is_pty(hall->audience.seat[seat].device)) {
		part->state = PART_FAILED;
		return;
	}
	call_begin(worker, seat);
	part->owner = worker->number;
	part->state = PART_TRIED;
	fd = seat_open(&hall->audience.seat[seat]);
	if (fd < 0) {
		part->state = PART_FAILED;
	} else if (!seat_is_through(worker, fd, seat, seat_write(worker, fd, seat), end)) {
		worker->open[worker->count++] = (struct open_seat){ fd, seat, end };
		part->state = PART_OPEN;
	}
	call_end(worker);
}

static bool seat_take(struct hall *hall, uint32_t *out)
{
	if (mono_is_due(hall->end, mono_now()) || hall->next >= hall->audience.count)
		return false;
	*out = hall->next++;
	return *out < hall->audience.count;
}

static void room_wait(const struct worker *worker)
{
	static const struct timespec pause = { 0, NO_PROGRESS_MS * 1000000 };
	struct pollfd poll[OPEN_MAX];
	struct mono end = MONO_NEVER;

	/* One that has room for less than the next character: the tty says ready, and takes nothing. */
	if (worker->is_stalled)
		(void)sys_sleep(&pause);        /* cut short: no harm */
	for (int i = 0; i < worker->count; i++) {
		poll[i] = (struct pollfd){ .fd = worker->open[i].fd, .events = POLLOUT };
		end = mono_first(end, worker->open[i].end);
	}
	(void)sys_poll(poll, (nfds_t)worker->count, mono_left_ms(end, mono_now()));
}

/* Tries them all: a write costs no more than looking at what poll(2) said. */
static void open_seats_go_on(struct worker *worker)
{
	int kept = 0;

	worker->is_stalled = true;
	for (int i = 0; i < worker->count; i++) {
		struct open_seat *open = &worker->open[i];
		int err;

		call_begin(worker, open->seat);
		err = seat_write(worker, open->fd, open->seat);
		if (!seat_is_through(worker, open->fd, open->seat, err, open->end))
			worker->open[kept++] = *open;
		call_end(worker);
	}
	worker->count = kept;
}

static void inheritance_begin(struct worker *worker)
{
	struct hall *hall = worker->hall;

	for (uint32_t seat = 0; seat < hall->audience.count && worker->count < OPEN_MAX; seat++)
		if (hall->part[seat].state == PART_OPEN && hall->part[seat].owner == worker->number)
			seat_begin(worker, seat);
}

static void worker_run(struct hall *hall, uint32_t number)
{
	struct worker worker = { .hall = hall, .number = number };
	uint32_t seat;

	inheritance_begin(&worker);
	for (;;) {
		while (worker.count < OPEN_MAX && seat_take(hall, &seat))
			seat_begin(&worker, seat);
		if (!worker.count)
			return;
		room_wait(&worker);
		open_seats_go_on(&worker);
	}
}

/* --- the deliverer, their master --- */

struct crew {
	struct hall *hall;
	uint32_t spawned, alive;
	struct member {
		pid_t pid;                      /* 0: it has ended, or is taken for it */
		bool has_company;
		struct mono gone_at;            /* once it was killed */
	} member[SPAWNS_MAX];
};

/* Ends the process without a word when something sleeps longer than anything should. */
static void alarm_set(void)
{
	struct itimerval value = { .it_value = { DELIVER_WHOLE_MS / 1000 + 2, 0 } };

	(void)sys_setitimer(&value);            /* a second net: without it the first holds */
}

static bool crew_is_full(const struct crew *crew)
{
	return crew->spawned >= SPAWNS_MAX || crew->alive >= DELIVER_PROCESSES_MAX;
}

static int crew_add(struct crew *crew)
{
	uint32_t number = crew->spawned;
	pid_t pid;

	if (crew_is_full(crew))
		return -EAGAIN;
	pid = sys_fork();
	if (pid < 0)
		return pid;
	if (!pid) {
		alarm_set();
		worker_run(crew->hall, number);
		sys_exit(0);
	}
	crew->member[number] = (struct member){ .pid = pid, .gone_at = MONO_NEVER };
	crew->spawned++;
	crew->alive++;
	return 0;
}

/* To the worker that is started next. True if there is anything. */
static bool heirs_name(struct crew *crew, uint32_t number)
{
	struct hall *hall = crew->hall;
	bool found = false;

	for (uint32_t seat = 0; seat < hall->audience.count; seat++) {
		struct part *part = &hall->part[seat];

		if (part->state != PART_OPEN || part->owner != number)
			continue;
		part->owner = crew->spawned;
		found = true;
	}
	return found;
}

static void member_lost(struct crew *crew, uint32_t number)
{
	struct hall *hall = crew->hall;
	struct call *call = &hall->call[number];
	bool has_left;

	crew->member[number].pid = 0;
	crew->alive--;
	if (call->since_ns && hall->part[call->seat].state != PART_DONE)
		hall->part[call->seat].state = PART_FAILED;
	has_left = heirs_name(crew, number);
	if (!has_left && (hall->next >= hall->audience.count || crew->alive))
		return;
	/* Its number is free: if nobody can be started, the deliverer does it. */
	if (crew_add(crew) && !crew->alive && crew->spawned < SPAWNS_MAX)
		worker_run(hall, crew->spawned++);
}

static void crew_reap(struct crew *crew)
{
	siginfo_t end;

	while (sys_wait(-1, &end) == 1)
		for (uint32_t i = 0; i < crew->spawned; i++)
			if (crew->member[i].pid == end.si_pid)
				member_lost(crew, i);
}

static void member_tend(struct crew *crew, uint32_t number, struct mono now)
{
	struct hall *hall = crew->hall;
	struct member *member = &crew->member[number];
	struct mono since = { hall->call[number].since_ns };

	if (mono_is_due(member->gone_at, now)) {
		member_lost(crew, number);
		return;
	}
	if (!since.ns || !mono_is_never(member->gone_at))
		return;
	if (mono_is_due(mono_after_ms(since, COMPANY_MS), now) && !member->has_company &&
		hall->next < hall->audience.count)
		member->has_company = !crew_add(crew);
	if (mono_is_due(mono_after_ms(since, hall->each_ms), now)) {
		(void)sys_kill(member->pid, SIGKILL);   /* not yet waited for: the number is its own */
		member->gone_at = mono_after_ms(now, GONE_MS);
	}
}

/* The worker may still be at closing one. */
static bool is_all_over(const struct hall *hall)
{
	for (uint32_t seat = 0; seat < hall->audience.count; seat++)
		if (hall->part[seat].state < PART_DONE)
			return false;
	return true;
}

static void crew_work(struct crew *crew)
{
	static const struct timespec tick = { 0, TICK_MS * 1000000 };
	struct mono now;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	(void)sys_sigmask(SIG_BLOCK, &ends, NULL);      /* cannot fail: the arguments are good */
	for (;;) {
		crew_reap(crew);
		now = mono_now();
		if (!crew->alive || mono_is_due(crew->hall->end, now) || is_all_over(crew->hall))
			break;
		for (uint32_t i = 0; i < crew->spawned; i++)
			if (crew->member[i].pid)
				member_tend(crew, i, now);
		(void)sys_sigtimedwait(&ends, NULL, &tick);
	}
	for (uint32_t i = 0; i < crew->spawned; i++)
		if (crew->member[i].pid)
			(void)sys_kill(crew->member[i].pid, SIGKILL);
}

static int verdict(const struct hall *hall)
{
	for (uint32_t seat = 0; seat < hall->audience.count; seat++)
		if (hall->part[seat].state != PART_DONE)
			return -EIO;
	return 0;
}

static int hall_open(const char *utmp, const void *message, size_t len_bytes, int64_t each_ms, struct hall **out)
{
	struct hall *hall;
	void *at;
	int err;

	err = sys_map(-1, sizeof *hall, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, &at);
	if (err)
		return err;
	hall = at;
	hall->message = message;
	hall->len_bytes = len_bytes;
	hall->each_ms = each_ms;
	err = audience_gather(&hall->audience, utmp);
	if (err && !hall->audience.count) {
		sys_unmap(hall, sizeof *hall);
		return err;
	}
	hall->end = mono_after_ms(mono_now(), DELIVER_WHOLE_MS);
	*out = hall;
	return 0;
}

int deliver(const char *utmp, const void *message, size_t len_bytes, int64_t each_ms)
{
	struct crew crew = { 0 };
	int err = hall_open(utmp, message, len_bytes, each_ms, &crew.hall);
	size_t workers;

	if (err)
		return err;
	alarm_set();
	workers = crew.hall->audience.count / SEATS_A_WORKER + 1;
	for (size_t i = 0; i < workers && i < WORKERS; i++)
		if (crew_add(&crew))
			break;
	if (!crew.alive)
		worker_run(crew.hall, crew.spawned++);
	crew_work(&crew);
	err = verdict(crew.hall);
	sys_unmap(crew.hall, sizeof *crew.hall);
	return err;
}

int deliver_alone(const char *utmp, const void *message, size_t len_bytes)
{
	struct hall *hall;
	int err = hall_open(utmp, message, len_bytes, ALONE_MS, &hall);

	if (err)
		return err;
	hall->only_ptys = true;
	hall->end = mono_after_ms(mono_now(), ALONE_MS);
	worker_run(hall, 0);
	err = verdict(hall);
	sys_unmap(hall, sizeof *hall);
	return err;
}
