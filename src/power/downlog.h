/* SPDX-License-Identifier: GPL-2.0-or-later */
/* downlog.h - what shutdown says to syslog: the queue and the syslog helper of pid 1, in one process that outlives
 * shutdown. A syslogd that has stopped reading, or is about to be started, gets the lines when it goes on, once and in
 * order; shutdown never waits for it. The process ends when all is delivered, DOWNLOG_STAY_S after shutdown at the
 * latest, and on SIGTERM while it waits, so that it holds up no change of level. */
#ifndef POWER_DOWNLOG_H
#define POWER_DOWNLOG_H

#include "initlog/initlog.h"

enum { DOWNLOG_STAY_S = 60 };

struct downlog {
	struct initlog log;
	struct title title;
	pid_t helper;                   /* 0: none was made */
	enum { DOWNLOG_UNUSED, DOWNLOG_QUEUED, DOWNLOG_ALONE } way;
	char ident[32], zone[256], title_text[TITLE_MAX];
};

/* Remembers where main()'s arguments and environment lie, for the process's title. *log must stay where it is. */
void downlog_init(struct downlog *log, char **argv, char **envp);

/* Says a line as "shutdown[PID]", user.notice, with the local time (TZ, else /etc/localtime). The process is made with
 * the first one; where none can be had the line is sent at once or not at all. Does not block. */
void downlog_say(struct downlog *log, const char *text);

#endif
