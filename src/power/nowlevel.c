/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/nowlevel.h"

#include <string.h>

#include "include/paths.h"
#include "lib/io.h"
#include "records/runlevels.h"

#define TITLE_PATH "/proc/1/cmdline"

/* "init [2]", as init and stock's write it; it cannot be left behind by a locked or dead file. */
static int level_of_title(void)
{
	static const char head[] = "init [";
	char title[64];
	const char *at;

	if (io_read_file(TITLE_PATH, title, sizeof title) < 0)
		return 0;
	at = strstr(title, head);
	if (!at)
		return 0;
	at += sizeof head - 1;
	return runlevels_is_level(at[0]) && at[1] == ']' ? at[0] : 0;
}

static int level_of_environment(const char *version, const char *runlevel)
{
	if (!version || !runlevel || !runlevels_is_level(runlevel[0]) || runlevel[1])
		return 0;
	return runlevel[0];
}

int nowlevel_find(const char *version, const char *runlevel)
{
	char previous, utmp = 0, file = 0;
	int title = level_of_title(), said = level_of_environment(version, runlevel);

	if (!runlevels_in_utmp(UTMP_PATH, &previous, &utmp))
		utmp = 0;
	if (!runlevels_in_file(&file))
		file = 0;
	if (said && (said == utmp || said == file || said == title || !(utmp || file || title)))
		return said;
	return utmp ? utmp : file;
}
