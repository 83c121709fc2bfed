/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initlog.h - the log path of pid 1: a queue and one helper process a sink. initlog() and
 * record_*() never block, allocate or fail. The caller (an event loop that owns SIGCHLD) gives
 * every reaped pid to initlog_child_ended() and calls initlog_tend() when it is due. Nothing here
 * knows of init. */
#ifndef INITLOG_INITLOG_H
#define INITLOG_INITLOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "initlog/queue.h"
#include "lib/clock.h"
#include "lib/title.h"

#define LOG_TO_CONSOLE SINK_BIT(SINK_CONSOLE)
#define LOG_TO_SYSLOG SINK_BIT(SINK_SYSLOG)
#define LOG_TO_BOTH (LOG_TO_CONSOLE | LOG_TO_SYSLOG)

enum { INITLOG_CONSOLES = 4 };

struct initlog_config {
	const char *ident;              /* "init": syslog's tag; upper case on the console */
	const char *title;              /* "init": helpers are "init [log: console]" ... */
	const char *console[INITLOG_CONSOLES];  /* tried in order, NULL behind the last */
	const struct sockaddr_un *dev_log;      /* /dev/log */
	const char *dev_log_folder;     /* where it appears: /dev */
	int priority;                   /* syslog's, facility included; 0: daemon.info */
	const char *zone;               /* as TZ has it, for syslog; NULL: /etc/localtime */
	const char *utmp, *wtmp, *runlevel;
	/* Called in each helper when it starts: drops what the caller shares with its forks and
	 * would not have changed by somebody who took a helper over. NULL: nothing. */
	void (*shed)(void *owner);
	void *owner;
};

struct helper {
	pid_t pid;                      /* 0: none */
	struct mono started, start_at;
	int64_t backoff_s;              /* before the next start: 1, 2, 4 ... 60 */
};

struct initlog {
	struct initlog_config config;
	struct title *command_line;     /* of the process that will fork the helpers */
	struct queue *queue;            /* NULL: none could be made yet */
	int old_queue_fd, take_tries;   /* one that is still to be taken over, -1: none; how often that was tried */
	struct mono queue_at;           /* when it is tried again */
	unsigned unsaid;                /* meanwhile */
	struct helper helper[SINK_COUNT];
	/* What record_boot() and record_level() said last: each later record carries it along, so
	 * that a full queue cannot cost the machine its boot time and its level. Zero: nothing
	 * yet. */
	struct wall booted;
	bool is_booted;
	char level, previous;
	char shown;                     /* what /var/run/runlevel is to have; 0: nothing was said of it */
};

/* Makes the queue, or takes over the one in queue_fd (>= 0). The helpers start with the first
 * initlog_tend(). *config's strings and *command_line must outlive *log. 0 or a negative errno;
 * -EPROTO for a damaged queue (queue_fd stays the caller's; call again with -1). After another error
 * initlog_tend() makes the queue, or takes it over, as soon as it can; what is said until then is counted. One that cannot
 * be taken over for half a minute is given up for a new one. */
int initlog_open(struct initlog *log, const struct initlog_config *config,
	struct title *command_line, int queue_fd) MUST_CHECK;

/* Says a line: printf's format without a newline, cut at QUEUE_TEXT_MAX bytes. Does nothing before
 * initlog_open(). Control characters are made harmless by the sinks. */
void initlog(struct initlog *log, unsigned sinks, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says of lines that never came as far as initlog() how many there were; of none nothing. */
void initlog_say_lost(struct initlog *log, unsigned lost);

/* True if pid was a helper: it is started again by initlog_tend() (at once if it ran for a
 * minute). */
bool initlog_child_ended(struct initlog *log, pid_t pid, struct mono now);

/* Starts the helpers that are due; returns when it wants to be called again (MONO_NEVER: when a
 * helper ended). Never blocks: forks. A failed fork is tried again after the back-off. */
struct mono initlog_tend(struct initlog *log, struct mono now);

/* For a tool, which forks no others and calls no initlog_tend(): one helper, for this sink, that outlives the caller until
 * all is delivered, stay_s seconds at most (sink.h). Its pid, the caller's child, or a negative errno. Never blocks. */
int initlog_leave_helper(struct initlog *log, enum sink sink, int stay_s) MUST_CHECK;

/* Ends the helpers (SIGKILL) and forgets them: before pid 1 executes a new image. The queue
 * stays. */
void initlog_stop_helpers(struct initlog *log);

/* --- utmp and wtmp, by way of the queue (sink_records.h has the rules) --- */
void record_truncate_utmp(struct initlog *log);
void record_boot(struct initlog *log);
void record_level(struct initlog *log, char level, char previous);
void record_show_level(struct initlog *log, char level);         /* in /var/run/runlevel; there is no record */
void record_start(struct initlog *log, const char id[4], pid_t pid);
void record_end(struct initlog *log, const char id[4], pid_t pid);

/* For the child, between fork and exec: waits until the record with this seq (queue_next_seq()
 * before the fork) is in utmp, at most half a second, not at all while the helper is backing off.
 * getty and login look for it. */
void record_wait_in_child(struct initlog *log, uint64_t seq);

#endif
