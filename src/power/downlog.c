/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/downlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "include/paths.h"
#include "lib/devlog.h"
#include "lib/logline.h"
#include "lib/sys.h"

#define NAME "shutdown"

void downlog_init(struct downlog *log, char **argv, char **envp)
{
	static const struct sockaddr_un dev_log = DEVLOG_ADDRESS;
	const char *zone = getenv("TZ");

	*log = (struct downlog){ .way = DOWNLOG_UNUSED };
	title_init(&log->title, argv, envp, log->title_text);
	/* The helper's title overwrites the environment. */
	if (zone && strlen(zone) < sizeof log->zone)
		strcpy(log->zone, zone);
	else
		zone = NULL;
	log->log.config = (struct initlog_config){ .ident = log->ident, .title = NAME, .dev_log = &dev_log,
		.dev_log_folder = DEV_PATH, .priority = LOG_USER | LOG_NOTICE, .zone = zone ? log->zone : NULL };
}

static int begin(struct downlog *log)
{
	const struct initlog_config config = log->log.config;
	int err = initlog_open(&log->log, &config, &log->title, -1), pid;

	if (err)
		return err;
	(void)snprintf(log->ident, sizeof log->ident, NAME "[%d]", (int)sys_getpid());
	pid = initlog_leave_helper(&log->log, SINK_SYSLOG, DOWNLOG_STAY_S);
	if (pid < 0)
		return pid;
	log->helper = pid;
	return 0;
}

void downlog_say(struct downlog *log, const char *text)
{
	if (log->way == DOWNLOG_UNUSED)
		log->way = begin(log) ? DOWNLOG_ALONE : DOWNLOG_QUEUED;
	if (log->way == DOWNLOG_QUEUED)
		initlog(&log->log, LOG_TO_SYSLOG, "%s", text);
	else
		(void)!logline_send(NAME, LOG_USER | LOG_NOTICE, text); /* without a syslogd there is none */
}
