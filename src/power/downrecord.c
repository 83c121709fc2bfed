/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/downrecord.h"

#include <errno.h>

#include "include/paths.h"
#include "lib/clock.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"
#include "power/bounded.h"

enum { LOCK_MS = 1000, LIMIT_MS = 3000 };

static void fill_in(struct utmp_record *record)
{
	struct wall now = wall_now();
	struct utsname kernel = { .release = "" };

	if (sys_uname(&kernel))
		kernel.release[0] = '\0';
	*record = (struct utmp_record){ .type = UTMP_RUN_LVL, .s = (utmp_long)now.s, .us = now.us };
	utmp_set_text(record->line, sizeof record->line, "~~");
	utmp_set_text(record->id, sizeof record->id, "~~");
	utmp_set_text(record->user, sizeof record->user, "shutdown");
	utmp_set_text(record->host, sizeof record->host, kernel.release);
}

/* In a child. Its status is an errno. */
static int append(const void *unused)
{
	struct utmp_record record;
	struct mono deadline = mono_after_ms(mono_now(), LOCK_MS);
	int fd, err = utmp_open(WTMP_PATH, UTMP_APPEND, &fd);

	(void)unused;
	if (err)
		return -err;
	fill_in(&record);
	/* The write is one piece at the end of the file, so it is right without the lock, too: it only waits a moment
	 * for those who rewrite the file. */
	(void)!utmp_lock(fd, deadline, deadline);
	err = utmp_append(fd, &record);
	sys_close(fd);
	return -err;
}

int downrecord_append(void)
{
	int status = bounded_run(append, NULL, LIMIT_MS);

	return status == ENOENT ? 0 : status > 0 ? -status : status;
}
