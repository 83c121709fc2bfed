/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink.h - what a helper drives: a place that takes records one by one, each with a deadline.
 * helper.c owns the loop (wait, take, deliver, back off, move the cursor); a sink owns its
 * descriptor. */
#ifndef INITLOG_SINK_H
#define INITLOG_SINK_H

#include "initlog/initlog.h"
#include "initlog/queue.h"

struct sink_ops {
	const char *name;               /* "console": in the helper's title */
	int deadline_ms;                /* for one delivery */
	/* Never NULL; the state is static. */
	void *(*open)(const struct initlog_config *config, struct queue *queue);
	/* 0: delivered (or of no use to anybody: dropped for good). A negative errno: not now; the
	 * helper backs off and offers the same record again, as often as it takes: once offered,
	 * the queue no longer loses it. deadline is absolute. May be interrupted by the deadline
	 * timer. */
	int (*deliver)(void *state, const struct record *record, struct mono deadline);
	/* Sleeps for the back-off: until the sink may take something again (writable, /dev/log has
	 * appeared ...), or until the time given. May return at any time for no reason. */
	void (*wait)(void *state, struct mono until);
	/* Lost records are announced by a line of their own, "N messages lost": deliver() gets it
	 * as a record that takes the place of the lost ones. Otherwise the sink sees record->lost
	 * and may do as it likes. */
	bool says_lost;
	int linger_ms;                  /* how late what follows on a record may be; 0: not at all */
};

extern const struct sink_ops sink_console_ops, sink_syslog_ops, sink_records_ops, sink_wtmp_ops;

/* The body of a helper process: sheds what it inherited (descriptors, signal mask, terminal), sets
 * its title, and delivers until it dies. Called in the forked child. */
_Noreturn void helper_main(struct initlog *log, enum sink sink);

/* The same for a parent that says little and ends: ends when writer, its parent, has ended and all is delivered, stay_s
 * after that end at the latest, and on SIGTERM while nothing is in hand or a try has failed. Exit status 0: all was
 * delivered. */
_Noreturn void helper_outlive(struct initlog *log, enum sink sink, pid_t writer, int stay_s);

#endif
