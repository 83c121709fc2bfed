/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - time as values that do not mix: struct mono for deadlines, struct wall for records.
 * struct mono is CLOCK_BOOTTIME, so neither a stepped wall clock nor a suspend moves a deadline the
 * wrong way. Nothing here can block. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct mono {
	int64_t ns;
};

struct wall {
	int64_t s;
	int32_t us;
};

#define MONO_AT_ONCE ((struct mono){ 0 })
#define MONO_NEVER ((struct mono){ INT64_MAX })

struct mono mono_now(void);
struct wall wall_now(void);

/* t + ms, t + s; MONO_NEVER when that does not fit. */
struct mono mono_after_ms(struct mono t, int64_t ms);
struct mono mono_after_s(struct mono t, int64_t s);

static inline bool mono_is_due(struct mono deadline, struct mono now)
{
	return deadline.ns <= now.ns;
}

static inline bool mono_is_never(struct mono t)
{
	return t.ns == INT64_MAX;
}

static inline struct mono mono_first(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

/* Milliseconds from now to the deadline, rounded up, 0 when it is past, -1 for never (as poll(2)
 * takes it). */
int mono_left_ms(struct mono deadline, struct mono now);

#endif
