/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initlog_cost LINES AT_ONCE - a process that logs as pid 1 does, with helpers of its own that deliver to this machine's console
 * and syslog. Prints the processor time that it spent in initlog() for a line, in nanoseconds; the clock's own is taken off. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "include/paths.h"
#include "initlog/initlog.h"
#include "lib/devlog.h"

static double used_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static double burst_ns(struct initlog *log, int at_once)
{
	double before = used_ns(), between;

	for (int i = 0; i < at_once; i++)
		initlog(log, LOG_TO_BOTH, "got unimplemented initrequest.");
	between = used_ns();
	return (between - before) - (used_ns() - between);
}

int main(int argc, char **argv, char **envp)
{
	static const struct sockaddr_un dev_log = DEVLOG_ADDRESS;
	const struct initlog_config config = { .ident = "init", .title = "init", .console = { CONSOLE_PATH },
		.dev_log = &dev_log, .dev_log_folder = DEV_PATH, .utmp = UTMP_PATH, .wtmp = WTMP_PATH, .runlevel = RUNLEVEL_PATH };
	int lines = argc > 2 ? atoi(argv[1]) : 0, at_once = argc > 2 ? atoi(argv[2]) : 0;
	struct initlog log = { 0 };
	char text[TITLE_MAX];
	struct title title;
	double spent_ns = 0;

	if (!lines || !at_once)
		return 2;
	title_init(&title, argv, envp, text);
	if (initlog_open(&log, &config, &title, -1))
		return 1;
	(void)initlog_tend(&log, mono_now());
	for (int done = 0; done < lines; done += at_once) {
		usleep(800u * (unsigned)at_once);       /* whoever delivers has gone to sleep again */
		spent_ns += burst_ns(&log, at_once);
	}
	usleep(300000);
	initlog_stop_helpers(&log);
	while (waitpid(-1, NULL, 0) > 0)
		;
	printf("%.1f\n", spent_ns / lines);
	return 0;
}
