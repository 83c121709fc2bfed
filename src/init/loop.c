/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/loop.h"

#include <errno.h>
#include <string.h>

#include "init/control.h"
#include "init/job.h"
#include "init/level.h"
#include "init/reap.h"
#include "init/report.h"
#include "init/signals.h"
#include "lib/sys.h"

enum { EVENTS_A_TURN = 16, INTERRUPTIONS_IN_A_ROW = 100 };

/* -1: there is none. */
static int fd_of(const struct init *in, enum source source)
{
	switch (source) {
	case SOURCE_SIGNAL:
		return in->signal_fd;
	case SOURCE_TIMER:
		return in->timer_fd;
	case SOURCE_REPORT:
		return in->report_fd;
	case SOURCE_CONTROL:
		return in->control.fd;
	case SOURCE_FOLDER:
		return in->control.folder_fd;
	case SOURCE_MOUNTS:
		return in->control.mounts_fd;
	}
	return -1;
}

static bool is_unwatched(const struct init *in, enum source source)
{
	return fd_of(in, source) >= 0 && !(in->watched >> source & 1);
}

static bool is_whole(const struct init *in)
{
	bool has_all = in->epoll_fd >= 0 && in->signal_fd >= 0 && in->timer_fd >= 0 && in->report_fd >= 0;

	for (enum source source = 0; has_all && source <= SOURCE_MOUNTS; source++)
		has_all = !is_unwatched(in, source);
	return has_all;
}

static int make_missing(struct init *in)
{
	sigset_t mask;

	signals_block(&mask);
	if (in->epoll_fd < 0)
		in->epoll_fd = sys_epoll_create();
	if (in->signal_fd < 0)
		in->signal_fd = sys_signalfd(&mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (in->timer_fd < 0)
		in->timer_fd = sys_timerfd(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (in->epoll_fd < 0)
		return in->epoll_fd;
	if (in->signal_fd < 0)
		return in->signal_fd;
	return in->timer_fd < 0 ? in->timer_fd : 0;
}

static int watch(struct init *in, int fd, enum source source);

/* What could not be made or watched. */
static int mend(struct init *in)
{
	int err = make_missing(in), report_err = in->report_fd < 0 ? report_open(in) : 0;

	for (enum source source = 0; source <= SOURCE_MOUNTS; source++)
		if (is_unwatched(in, source))
			(void)watch(in, fd_of(in, source), source);
	in->mend_at = mono_after_ms(mono_now(), LOOP_DEGRADED_MS);
	return err ? err : report_err;
}

int loop_open(struct init *in)
{
	int err;

	in->epoll_fd = in->signal_fd = in->timer_fd = in->report_fd = in->report_child_fd = -1;
	in->timer_at = in->reap_at = MONO_NEVER;
	in->watched = 0;
	err = mend(in);
	in->mend_at = mono_now();                    /* the first turn tries once more, before any child is there to report */
	return err;
}

/* The control channel is edge-triggered: its requests may have to wait, the loop must not spin meanwhile. The mount
 * table is always readable and tells a change by an exceptional condition (proc(5)). */
static uint32_t condition_of(enum source source)
{
	if (source == SOURCE_CONTROL)
		return EPOLLIN | EPOLLET;
	return source == SOURCE_MOUNTS ? EPOLLPRI | EPOLLET : EPOLLIN;
}

static int watch(struct init *in, int fd, enum source source)
{
	struct epoll_event event = { .events = condition_of(source), .data.u32 = source };
	int err = sys_epoll_ctl(in->epoll_fd, EPOLL_CTL_ADD, fd, &event);

	if (err == -EEXIST)
		err = 0;
	if (err)
		in->watched &= ~(1u << source);
	else
		in->watched |= 1u << source;
	return err;
}

void loop_watch(struct init *in, int fd, enum source source)
{
	int err = watch(in, fd, source);

	if (err)
		initlog(&in->log, LOG_TO_BOTH, "cannot watch a descriptor: %s", strerror(-err));
}

void loop_unwatch(struct init *in, int fd)
{
	struct epoll_event event = { 0 };

	(void)sys_epoll_ctl(in->epoll_fd, EPOLL_CTL_DEL, fd, &event);   /* not watched: as it should be */
}

static void read_timer(struct init *in)
{
	uint64_t expirations;

	if (sys_read(in->timer_fd, &expirations, sizeof expirations) > 0)
		in->timer_at = MONO_NEVER;
}

static void set_timer(struct init *in, struct mono at)
{
	struct itimerspec value = { .it_value = { at.ns / 1000000000, at.ns % 1000000000 } };
	int err;

	if (at.ns == in->timer_at.ns)
		return;
	if (mono_is_never(at))
		memset(&value, 0, sizeof value);
	err = sys_timerfd_set(in->timer_fd, TFD_TIMER_ABSTIME, &value);
	if (!err)
		in->timer_at = at;
}

/* How long this turn's wait may be, in epoll_wait's milliseconds. */
static int wait_ms(struct init *in, struct mono next)
{
	struct mono now = mono_now();

	if (in->reap_has_more || (in->control.has_more && level_takes_requests(in)) ||
		mono_is_due(next, now))
		return 0;
	set_timer(in, next);
	/* A timer that could not be set must not let us oversleep. */
	return in->timer_at.ns == next.ns ? -1 : mono_left_ms(next, now);
}

static struct mono tend(struct init *in)
{
	struct mono now = mono_now(), next;

	if (!is_whole(in) && mono_is_due(in->mend_at, now))
		(void)mend(in);                      /* it is tried again */
	next = level_tend(in, now);
	if (!is_whole(in))
		next = mono_first(next, in->mend_at);

	report_tend(in);
	if (mono_is_due(in->reap_at, now))
		in->reap_has_more = true;
	next = mono_first(next, in->reap_at);
	next = mono_first(next, job_tend(in, now));
	return mono_first(next, initlog_tend(&in->log, now));
}

static void serve(struct init *in, enum source source)
{
	switch (source) {
	case SOURCE_SIGNAL:
		signals_read(in);
		break;
	case SOURCE_TIMER:
		read_timer(in);
		break;
	case SOURCE_REPORT:
		report_read(in);
		break;
	case SOURCE_CONTROL:
		in->control.has_more = true;
		break;
	case SOURCE_FOLDER:
		control_folder_changed(in);
		break;
	case SOURCE_MOUNTS:
		control_check(in);
		break;
	}
}

/* Waits; serves signals, and so reaping, before anything else. */
static void wait_and_serve(struct init *in, int timeout_ms)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = sys_epoll_wait(in->epoll_fd, events, EVENTS_A_TURN, timeout_ms);
	bool has_failed = count < 0 && count != -EINTR;

	in->interruptions = count == -EINTR ? in->interruptions + 1 : 0;
	if (in->interruptions > INTERRUPTIONS_IN_A_ROW)
		has_failed = true;
	/* It cannot fail; if it does all the same, look at everything, but not all the time. */
	if (has_failed || !is_whole(in)) {
		signals_read(in);
		report_read(in);
		in->control.has_more = in->reap_has_more = true;
	}
	if (has_failed)
		sys_poll(NULL, 0, LOOP_DEGRADED_MS);
	for (int i = 0; i < count; i++)
		if (events[i].data.u32 == SOURCE_SIGNAL)
			serve(in, SOURCE_SIGNAL);
	if (in->reap_has_more)
		in->reap_has_more = chld_handler(in);
	for (int i = 0; i < count; i++)
		if (events[i].data.u32 != SOURCE_SIGNAL)
			serve(in, events[i].data.u32);
}

void loop_turn(struct init *in)
{
	wait_and_serve(in, wait_ms(in, tend(in)));
	if (in->control.has_more && level_takes_requests(in))
		control_read(in);
}

void loop_run(struct init *in)
{
	for (;;)
		loop_turn(in);
}
