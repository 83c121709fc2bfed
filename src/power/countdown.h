/* SPDX-License-Identifier: GPL-2.0-or-later */
/* countdown.h - when a waiting shutdown warns. Computed from what is left alone, so that being late, sleeping or a
 * step of the clock loses no warning that is still worth one and repeats none. No clock is read here. */
#ifndef POWER_COUNTDOWN_H
#define POWER_COUNTDOWN_H

#include <stdbool.h>
#include <stdint.h>

/* All marks: each of the last 9 minutes, then every 15 (below an hour), 30 (below three), 60. Few: 10, 5, each hour.
 * The start is one, too, when less than 15 minutes are left then: also with none. */
enum countdown_marks { COUNTDOWN_ALL, COUNTDOWN_FEW, COUNTDOWN_NONE };

struct countdown {
	enum countdown_marks marks;
	int64_t last;                   /* minutes that were told; 0: it has not begun */
	bool is_closed;
};

struct countdown_step {
	bool over;                      /* the time has come, and nothing else is said */
	bool warn;
	bool close;                     /* 5 minutes or less are left, for the first time: no more logins */
	int64_t minutes;                /* left, rounded up */
	int64_t look_again_ns;          /* how much will be left when the next look is due */
};

/* left_ns: until the time has come. */
struct countdown_step countdown_look(struct countdown *countdown, int64_t left_ns);

#endif
