/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/runlevels.h"

#include <string.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

bool runlevels_is_level(int c)
{
	return c > 0 && c < 128 && strchr("0123456789SsABCN", c);
}

bool runlevels_in_utmp(const char *path, char *previous, char *present)
{
	struct utmp_reader reader;
	struct utmp_record record;
	bool found = false;

	if (utmp_reader_open(&reader, path))
		return false;
	while (!found && !utmp_reader_next(&reader, &record)) {
		int now = record.pid & 0xff, before = record.pid >> 8 ? record.pid >> 8 : 'N';

		if (record.type != UTMP_RUN_LVL || !runlevels_is_level(now) || !runlevels_is_level(before))
			continue;
		*previous = (char)before;
		*present = (char)now;
		found = true;
	}
	utmp_reader_close(&reader);
	return found;
}

bool runlevels_in_file(char *present)
{
	char text[2];
	int fd = sys_open(RUNLEVEL_PATH, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return false;
	got = io_read_all(fd, text, 1);
	sys_close(fd);
	if (got != 1 || !runlevels_is_level(text[0]))
		return false;
	*present = text[0];
	return true;
}
