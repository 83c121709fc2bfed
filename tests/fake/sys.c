/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

static int fault_here(const char *name);
static bool fake_clock_read(clockid_t clock, struct timespec *out);

#define BEFORE(name)                                                                               \
	do {                                                                                       \
		int injected_ = fault_here(#name);                                                 \
		if (injected_)                                                                     \
			return injected_;                                                          \
	} while (0)
#define FAKE_CLOCK(clock, out)                                                                     \
	do {                                                                                       \
		if (fake_clock_read(clock, out))                                                   \
			return 0;                                                                  \
	} while (0)

#include "lib/sys.c"

static struct {
	_Atomic int calls;      /* the queue's test has threads */
	int nth, err;
	bool always, fired;
	const char *name;
	int name_skip, name_err;
	int64_t mono_ns, wall_ns;
} fault = { .mono_ns = -1, .wall_ns = -1 };

static int fault_here(const char *name)
{
	fault.calls++;
	if (fault.name && !strcmp(fault.name, name) && fault.name_skip-- <= 0) {
		fault.fired = true;
		return fault.name_err;
	}
	if (fault.nth && (fault.calls == fault.nth || (fault.always && fault.calls > fault.nth))) {
		fault.fired = true;
		return fault.err;
	}
	return 0;
}

void fault_clear(void)
{
	fault.calls = fault.nth = 0;
	fault.always = fault.fired = false;
	fault.name = NULL;
}

void fault_arm(int nth, int err)
{
	fault_clear();
	fault.nth = nth;
	fault.err = err;
}

void fault_arm_always(int nth, int err)
{
	fault_arm(nth, err);
	fault.always = true;
}

void fault_name_after(const char *name, int skip, int err)
{
	fault_clear();
	fault.name = name;
	fault.name_skip = skip;
	fault.name_err = err;
}

void fault_name(const char *name, int err)
{
	fault_name_after(name, 0, err);
}

bool fault_fired(void)
{
	bool fired = fault.fired;

	fault_clear();
	return fired;
}

int fault_calls(void)
{
	return fault.calls;
}

void fake_clock_set(int64_t mono_ns, int64_t wall_ns)
{
	fault.mono_ns = mono_ns;
	fault.wall_ns = wall_ns;
}

void fake_clock_advance_ms(int64_t ms)
{
	fault.mono_ns += ms * 1000000;
	fault.wall_ns += ms * 1000000;
}

static bool fake_clock_read(clockid_t clock, struct timespec *out)
{
	int64_t ns = clock == CLOCK_REALTIME ? fault.wall_ns : fault.mono_ns;

	if (ns < 0)
		return false;
	out->tv_sec = ns / 1000000000;
	out->tv_nsec = ns % 1000000000;
	return true;
}

int fds_open(void)
{
	int count = 0;

	for (int fd = 3; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}
