/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/power.h"

#include <errno.h>
#include <stdio.h>
#include <sys/reboot.h>

#include "include/paths.h"
#include "init/job.h"
#include "init/level.h"
#include "init/report.h"
#include "lib/io.h"
#include "lib/sys.h"

static bool take_status(const char *path, char *out)
{
	char text[16];

	if (io_read_file(path, text, sizeof text) < 0)
		return false;
	(void)sys_unlink(path);                      /* a read-only file system keeps it: read again next time */
	*out = text[0];
	return true;
}

void power_probe_in_child(struct init *in)
{
	char status[2] = "F";

	if (!take_status(POWERSTATUS_PATH, &status[0]) && take_status(POWERSTATUS_OLD_PATH, &status[0]))
		report_log_in_child(in, LOG_TO_BOTH, "warning: found obsolete path %s, use %s instead",
			POWERSTATUS_OLD_PATH, POWERSTATUS_PATH);
	if (!status[0])
		status[0] = 'F';
	report_in_child(in, REPORT_POWER, status, NULL, 0);
}

void power_probe_ended(struct init *in, int err)
{
	if (err)
		power_event(in, 'F');                /* it told nothing: the cautious reading */
}

void power_event(struct init *in, char letter)
{
	if (letter == 'O')
		level_signal(in, LEVEL_SIGNAL_POWER_OK);
	else if (letter == 'L')
		level_signal(in, LEVEL_SIGNAL_POWER_LOW);
	else
		level_signal(in, LEVEL_SIGNAL_POWER_FAIL);
}

/* Of the first pid name space of a machine (PROC_PID_INIT_INO of the kernel: it has no other number). */
enum { FIRST_PID_NAMESPACE = 0xEFFFFFFC };

bool power_is_nested_in_child(void)
{
	struct stat st;

	return !sys_stat("/proc/self/ns/pid", &st) && st.st_ino != (ino_t)(uint32_t)FIRST_PID_NAMESPACE;
}

void power_leave(struct init *in)
{
	/* A question that changes nothing: Ctrl-Alt-Del is ours already, or not there (EINVAL in a name space). */
	if (!in->is_nested || sys_reboot(RB_DISABLE_CAD) != -EPERM)
		return;
	sys_exit(in->level.now == '6' ? POWER_EXIT_REBOOT : 0);
}

void power_shut_down(struct init *in, const char *flags)
{
	in->shutdown_flags = flags;
	job_want(in, JOB_SHUTDOWN);
}

void power_shutdown_in_child(struct init *in)
{
	char flags[8], now[] = "now", name[] = "shutdown";
	char *argv[] = { name, flags, now, NULL };
	struct environ_values values = { (const char *const *)in->inherited, &in->vars, in->level.now,
		in->level.previous, in->console };
	struct environ_block environ_block;

	environ_build(&environ_block, &values);
	snprintf(flags, sizeof flags, "%s", in->shutdown_flags);
	(void)sys_exec(SHUTDOWN_PATH, argv, environ_block.envp);  /* its return says it all */
	report_log_in_child(in, LOG_TO_BOTH, "cannot execute \"%s\"", SHUTDOWN_PATH);
}

void power_shutdown_ended(struct init *in, int err)
{
	if (err)
		initlog(&in->log, LOG_TO_BOTH, "%s %s now failed", SHUTDOWN_PATH, in->shutdown_flags);
}
