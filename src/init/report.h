/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - what a forked child (before it executes anything) tells pid 1, so that the queue keeps its one
 * writer: a sequenced-packet socket pair, close-on-exec on both ends. */
#ifndef INIT_REPORT_H
#define INIT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "init/init.h"

enum report_kind { REPORT_NONE, REPORT_LOG, REPORT_CONSOLE, REPORT_DOOR, REPORT_LEVEL, REPORT_POWER,
	REPORT_CHILDREN, REPORT_STATE, REPORT_MOUNTS, REPORT_COUNT };

enum { REPORT_TEXT_MAX = QUEUE_TEXT_MAX, REPORT_FDS_MAX = 2, REPORTS_A_TURN = 64 };

struct report {
	uint32_t kind;
	uint32_t sinks;                 /* REPORT_LOG */
	char text[REPORT_TEXT_MAX + 1];
};

int report_open(struct init *in) MUST_CHECK;

/* In a child that is to have no part in it. */
void report_shed(struct init *in);

/* Says how many lines of children were lost, because there was no channel. */
void report_tend(struct init *in);

/* --- in the child; may block until pid 1 has read --- */
void report_log_in_child(const struct init *in, unsigned sinks, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* fds[count] (count <= REPORT_FDS_MAX) travel with it; -1 stands for none and must be last. */
void report_in_child(const struct init *in, enum report_kind kind, const char *text, const int *fds, int count);

/* --- in pid 1: takes at most REPORTS_A_TURN reports and acts on them. True: there may be more --- */
bool report_read(struct init *in);

#endif
