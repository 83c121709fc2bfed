/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/waiting.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/sys.h"

#define NS_PER_S INT64_C(1000000000)

enum { CANCEL_ON_SET = 2, ALONE_MS = 1000 };

int waiting_begin(struct waiting *waiting)
{
	sigset_t all;

	sys_default_signals();          /* one that is ignored reaches no descriptor */
	sigfillset(&all);
	sys_sigmask(SIG_SETMASK, &all, NULL);
	waiting->signal_fd = sys_signalfd(&all, SFD_NONBLOCK | SFD_CLOEXEC);
	return waiting->signal_fd < 0 ? waiting->signal_fd : 0;
}

static bool is_nothing(unsigned number)
{
	switch (number) {
	case SIGHUP:
	case SIGQUIT:
	case SIGPIPE:
	case SIGCHLD:
	case SIGCONT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGURG:
	case SIGWINCH:
		return true;
	default:
		return false;
	}
}

/* What the signals that came ask for; WAITING_TIME: nothing. */
static enum waiting_end signals_take(int fd)
{
	enum waiting_end end = WAITING_TIME;
	struct signalfd_siginfo info;

	while (sys_read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGINT && end == WAITING_TIME)
			end = WAITING_CANCELLED;
		else if (info.ssi_signo != SIGINT && !is_nothing(info.ssi_signo))
			end = WAITING_ENDED;
	}
	return end;
}

/* A wall clock's timer tells when that clock is set. -1: there is none to be had. */
static int timer_start(const struct moment *moment, int64_t left_ns)
{
	int64_t at_ns = (moment->is_wall ? moment->wall_s * NS_PER_S : moment->mono.ns) - left_ns;
	struct itimerspec value = { .it_value = { 0, 1 } };
	int fd = sys_timerfd(moment->is_wall ? CLOCK_REALTIME : CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (at_ns > 0)
		value.it_value = (struct timespec){ at_ns / NS_PER_S, at_ns % NS_PER_S };
	if (sys_timerfd_set(fd, TFD_TIMER_ABSTIME | (moment->is_wall ? CANCEL_ON_SET : 0), &value)) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

enum waiting_end waiting_until(const struct waiting *waiting, const struct moment *moment, int64_t left_ns)
{
	struct pollfd fds[] = { { .fd = waiting->signal_fd, .events = POLLIN }, { .events = POLLIN } };
	enum waiting_end end = WAITING_TIME;
	int timer = timer_start(moment, left_ns);

	fds[1].fd = timer;
	while (moment_left_ns(moment) > left_ns) {
		int ready = sys_poll(fds, 2, timer < 0 ? ALONE_MS : -1);

		if (ready < 0 && ready != -EINTR)
			(void)sys_sleep(&(struct timespec){ 1, 0 });    /* no memory for a poll: not for long, not in a rush */
		if (fds[0].revents)
			end = signals_take(waiting->signal_fd);
		if (end != WAITING_TIME || fds[1].revents)
			break;
	}
	if (timer >= 0)
		sys_close(timer);
	/* One that came while the time did is in time. */
	return end != WAITING_TIME ? end : signals_take(waiting->signal_fd);
}
