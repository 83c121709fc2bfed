/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/clock.h"

#include <limits.h>
#include <time.h>

#include "lib/sys.h"

struct mono mono_now(void)
{
	struct timespec ts;

	sys_clock(CLOCK_BOOTTIME, &ts);
	return (struct mono){ (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec };
}

struct wall wall_now(void)
{
	struct timespec ts;

	sys_clock(CLOCK_REALTIME, &ts);
	return (struct wall){ ts.tv_sec, (int32_t)(ts.tv_nsec / 1000) };
}

struct mono mono_after_ms(struct mono t, int64_t ms)
{
	int64_t ns;

	if (__builtin_mul_overflow(ms, 1000000, &ns) || __builtin_add_overflow(t.ns, ns, &ns))
		return MONO_NEVER;
	return (struct mono){ ns };
}

struct mono mono_after_s(struct mono t, int64_t s)
{
	int64_t ms;

	return __builtin_mul_overflow(s, 1000, &ms) ? MONO_NEVER : mono_after_ms(t, ms);
}

int mono_left_ms(struct mono deadline, struct mono now)
{
	int64_t ns, ms;

	if (mono_is_never(deadline))
		return -1;
	if (mono_is_due(deadline, now))
		return 0;
	if (__builtin_sub_overflow(deadline.ns, now.ns, &ns))
		return INT_MAX;
	ms = ns / 1000000 + (ns % 1000000 != 0);
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
