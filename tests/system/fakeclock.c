/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into a program under test: a clock that stands still but for what the program sleeps, so that hours pass
 * at once, and calls that never return.
 *   FAKE_EPOCH=SECONDS   the wall clock begins there; without it the clocks are the real ones
 *   FAKE_STUCK=WORDS     of "sync", "ioctl" (commands to any disk), "disk:NAME" (to this one), "flags" (of interfaces): these
 *                        calls sleep for ever
 *   FAKE_WORD83=HEX      disks obey; IDENTIFY has this for word 83, and /run/commands gets "NAME COMMAND" for each
 * A wait for a timer is given GRACE_MS of real time first, one for a child PATIENT_GRACE_MS; others last as they do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

enum { FDS = 64, GRACE_MS = 20, PATIENT_GRACE_MS = 3000, NAP_NS = 2000000 };

static int64_t passed_ns;
static struct {
	int in_use, clock;
	int64_t at_ns;
} timers[FDS];

static int64_t epoch_ns(void)
{
	const char *text = getenv("FAKE_EPOCH");

	return text ? atoll(text) * NS : -1;
}

static int64_t now_ns(int clock)
{
	return (clock == CLOCK_REALTIME ? epoch_ns() : 1000 * NS) + passed_ns;
}

static int is_stuck(const char *word)
{
	const char *words = getenv("FAKE_STUCK");

	return words && strstr(words, word);
}

static int64_t in_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * NS + ts->tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	static int (*real)(clockid_t, struct timespec *);

	if (epoch_ns() >= 0) {
		out->tv_sec = (time_t)(now_ns(clock) / NS);
		out->tv_nsec = (long)(now_ns(clock) % NS);
		return 0;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return real(clock, out);
}

time_t time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

int gettimeofday(struct timeval *out, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	out->tv_sec = ts.tv_sec;
	out->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

int nanosleep(const struct timespec *duration, struct timespec *left)
{
	static int (*real)(const struct timespec *, struct timespec *);
	const struct timespec nap = { 0, NAP_NS };

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "nanosleep");
	if (epoch_ns() < 0)
		return real(duration, left);
	passed_ns += in_ns(duration);
	return real(&nap, NULL);
}

unsigned sleep(unsigned seconds)
{
	const struct timespec duration = { seconds, 0 };

	nanosleep(&duration, NULL);
	return 0;
}

int timerfd_create(int clock, int flags)
{
	static int (*real)(int, int);
	int fd;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "timerfd_create");
	fd = real(epoch_ns() < 0 ? clock : CLOCK_MONOTONIC, flags);
	if (fd >= 0 && fd < FDS) {
		timers[fd].in_use = 1;
		timers[fd].clock = clock;
		timers[fd].at_ns = 0;
	}
	return fd;
}

static int real_timer(int fd, int flags, const struct itimerspec *value)
{
	static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "timerfd_settime");
	return real(fd, flags, value, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	(void)old;
	if (epoch_ns() < 0 || fd >= FDS || !timers[fd].in_use)
		return real_timer(fd, flags, value);
	timers[fd].at_ns = in_ns(&value->it_value);
	return 0;
}

int close(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "close");
	if (fd >= 0 && fd < FDS)
		timers[fd].in_use = 0;
	return real(fd);
}

/* The first timer among them comes at once, the clock moves on to it. */
static int timer_comes(struct pollfd *fds, nfds_t count)
{
	const struct itimerspec at_once = { .it_value = { 0, 1 } };

	for (nfds_t i = 0; i < count; i++) {
		int fd = fds[i].fd;

		if (fd < 0 || fd >= FDS || !timers[fd].in_use || !timers[fd].at_ns)
			continue;
		if (timers[fd].at_ns > now_ns(timers[fd].clock))
			passed_ns += timers[fd].at_ns - now_ns(timers[fd].clock);
		real_timer(fd, 0, &at_once);
		return 1;
	}
	return 0;
}

static int real_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static int (*real)(struct pollfd *, nfds_t, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "poll");
	return real(fds, count, timeout_ms);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int grace = timeout_ms < 0 || timeout_ms > GRACE_MS ? GRACE_MS : timeout_ms;
	int ready;

	if (epoch_ns() < 0)
		return real_poll(fds, count, timeout_ms);
	ready = real_poll(fds, count, grace);
	if (ready)
		return ready;
	if (timer_comes(fds, count))
		return real_poll(fds, count, -1);
	ready = real_poll(fds, count, timeout_ms);
	if (!ready)
		passed_ns += timeout_ms * INT64_C(1000000);
	return ready;
}

/* How a program waits for a child: one that lives gets its grace. */
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
	static int (*real)(const sigset_t *, siginfo_t *, const struct timespec *);
	const struct timespec grace = { PATIENT_GRACE_MS / 1000, 0 };
	int number;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sigtimedwait");
	if (epoch_ns() < 0 || in_ns(limit) < in_ns(&grace))
		return real(set, info, limit);
	number = real(set, info, &grace);
	if (number < 0 && errno == EAGAIN)
		passed_ns += in_ns(limit);
	return number;
}

void sync(void)
{
	static void (*real)(void);

	while (is_stuck("sync"))
		pause();
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sync");
	real();
}

/* "sda", of what is open there. */
static const char *name_of(int fd)
{
	static char path[256];
	char link[64];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	path[len < 0 ? 0 : len] = '\0';
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/* block: the command, three bytes, and 512 bytes of answer where there is one. */
static int obey(int fd, unsigned char *block, unsigned long word83)
{
	int log = open("/run/commands", O_WRONLY | O_CREAT | O_APPEND, 0600);

	dprintf(log, "%s %02x\n", name_of(fd), block[0]);
	close(log);
	if (block[0] == 0xec) {
		block[4 + 2 * 83] = (unsigned char)word83;
		block[4 + 2 * 83 + 1] = (unsigned char)(word83 >> 8);
	}
	return 0;
}

static int ioctl_is_stuck(int fd, unsigned long request)
{
	char word[64];

	if (request == 0x8914)                  /* SIOCSIFFLAGS */
		return is_stuck("flags");
	if (request != 0x31f)                   /* HDIO_DRIVE_CMD */
		return 0;
	snprintf(word, sizeof word, "disk:%s", name_of(fd));
	return is_stuck("ioctl") || is_stuck(word);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, void *);
	const char *word83 = getenv("FAKE_WORD83");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	while (ioctl_is_stuck(fd, request))
		pause();
	if (request == 0x31f && word83)
		return obey(fd, arg, strtoul(word83, NULL, 16));
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}
