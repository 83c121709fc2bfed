/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/countdown.h"

#define NS_PER_MINUTE INT64_C(60000000000)

enum { START_MINUTES = 15, CLOSE_MINUTES = 5 };

static bool is_mark(enum countdown_marks marks, int64_t minutes)
{
	if (marks == COUNTDOWN_NONE)
		return false;
	if (marks == COUNTDOWN_FEW)
		return minutes == 10 || minutes == 5 || minutes % 60 == 0;
	return minutes < 10 || minutes % (minutes < 60 ? 15 : minutes < 180 ? 30 : 60) == 0;
}

/* The next one, 0 when there is none. Among 60 minutes there is always one, if there are any at all. */
static int64_t mark_below(enum countdown_marks marks, int64_t minutes)
{
	if (marks == COUNTDOWN_NONE)
		return 0;
	while (--minutes > 0 && !is_mark(marks, minutes))
		;
	return minutes > 0 ? minutes : 0;
}

struct countdown_step countdown_look(struct countdown *c, int64_t left_ns)
{
	struct countdown_step step = { .over = left_ns <= 0 };
	int64_t next;

	if (step.over)
		return step;
	step.minutes = (left_ns + NS_PER_MINUTE - 1) / NS_PER_MINUTE;
	if (!c->last)
		step.warn = step.minutes < START_MINUTES || is_mark(c->marks, step.minutes);
	else
		step.warn = step.minutes <= mark_below(c->marks, c->last);
	/* More is left than before when the clock was set back: what was told will be true again. */
	if (step.warn || !c->last || step.minutes > c->last)
		c->last = step.minutes;
	step.close = !c->is_closed && step.minutes <= CLOSE_MINUTES;
	c->is_closed |= step.close;
	next = mark_below(c->marks, c->last);
	if (!c->is_closed && next < CLOSE_MINUTES)
		next = CLOSE_MINUTES;
	step.look_again_ns = next * NS_PER_MINUTE;
	return step;
}
