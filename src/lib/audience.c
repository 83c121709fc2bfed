/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/audience.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/sys.h"
#include "lib/ttylist.h"
#include "lib/utmpfile.h"

/* False: it does not stay below /dev. */
static bool path_make(const struct utmp_record *record, char out[AUDIENCE_PATH_MAX])
{
	char line[sizeof record->line + 1];

	memcpy(line, record->line, sizeof record->line);
	line[sizeof record->line] = '\0';
	if (!line[0])
		return false;
	snprintf(out, AUDIENCE_PATH_MAX, "%s%s", strncmp(line, "/dev/", 5) ? "/dev/" : "", line);
	return !strstr(out, "/../");
}

/* A record that names no process says nothing about one. */
static bool is_over(const struct utmp_record *record)
{
	return record->pid > 0 && sys_kill(record->pid, 0) == -ESRCH;
}

static bool has_device(const struct audience *audience, dev_t device)
{
	for (size_t i = 0; i < audience->count; i++)
		if (audience->seat[i].device == device)
			return true;
	return false;
}

static void record_add(struct audience *out, const struct utmp_record *record, const struct ttylist *ttys)
{
	struct audience_seat *seat = &out->seat[out->count];
	struct stat st;

	if (record->type != UTMP_USER_PROCESS || !record->user[0] || !path_make(record, seat->path))
		return;
	if (sys_stat(seat->path, &st) || !S_ISCHR(st.st_mode) || st.st_nlink != 1)
		return;
	if (!ttylist_has(ttys, st.st_rdev) || has_device(out, st.st_rdev) || is_over(record))
		return;
	seat->device = st.st_rdev;
	out->count++;
}

int audience_gather(struct audience *out, const char *utmp)
{
	struct utmp_reader reader;
	struct utmp_record record;
	struct ttylist ttys;
	int err;

	out->count = 0;
	err = utmp_reader_open(&reader, utmp);
	if (err)
		return err;
	ttylist_load(&ttys, TTY_DRIVERS_PATH);
	while (out->count < AUDIENCE_MAX) {
		err = utmp_reader_next(&reader, &record);
		if (err)
			break;
		record_add(out, &record, &ttys);
	}
	utmp_reader_close(&reader);
	return err == -ENOENT ? 0 : err;
}
