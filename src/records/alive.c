/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/alive.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { STAT_BYTES = 1024 };

/* Of /proc/PID/stat. */
struct process {
	dev_t tty;                      /* 0: none */
	int64_t started_s;              /* since 1970 */
};

static int64_t boot_s(void)
{
	return wall_now().s - mono_now().ns / 1000000000;
}

/* proc(5): the name is in parentheses and may hold any; the state follows as field 3, the terminal as 7, the start as 22. */
static bool read_process(int32_t pid, struct process *out)
{
	char path[48], text[STAT_BYTES], *behind;
	long ticks_per_s = sysconf(_SC_CLK_TCK);
	unsigned long long ticks;
	int tty;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (io_read_file(path, text, sizeof text) <= 0)
		return false;
	behind = strrchr(text, ')');
	if (!behind || ticks_per_s <= 0)
		return false;
	if (sscanf(behind + 1, " %*c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &tty,
			&ticks) != 2)
		return false;
	out->tty = makedev(((unsigned)tty >> 8) & 0xfff, ((unsigned)tty & 0xff) | (((unsigned)tty >> 12) & 0xfff00));
	out->started_s = boot_s() + (int64_t)(ticks / (unsigned long long)ticks_per_s);
	return true;
}

/* Strangers may have written it: no way out of /dev. */
static bool is_name_in_dev(struct text line)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if (!isalnum(c) && !strchr("/_-.", c))
			return false;
		if (c == '.' && i + 1 < line.len && line.at[i + 1] == '.')
			return false;
	}
	return line.len > 0;
}

/* True unless the line is a terminal and not this one. */
static bool may_be_on(struct text line, dev_t tty)
{
	char path[64];
	struct stat st;

	if (!tty || !is_name_in_dev(line))
		return true;
	(void)snprintf(path, sizeof path, "/dev/%.*s", (int)line.len, line.at);
	if (sys_stat(path, &st) || !S_ISCHR(st.st_mode))
		return true;
	return st.st_rdev == tty;
}

bool alive_session(void *context, const struct record *record)
{
	struct process process;

	(void)context;
	if (record->pid <= 0)
		return true;
	if (sys_kill(record->pid, 0) == -ESRCH)
		return false;
	if (!read_process(record->pid, &process))
		return true;
	return process.started_s - ALIVE_SLACK_S <= record->s && may_be_on(record_text(record, TEXT_LINE), process.tty);
}
