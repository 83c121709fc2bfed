/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runlevel - prints the previous and the present runlevel. Takes no lock and waits for none; believes only what can
 * be a level. Exit 0: printed; 1: "unknown" was printed, or the output was lost. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

static bool is_level(int c)
{
	return c && c < 128 && strchr("0123456789SsABCN", c);
}

/* The first record that can be true. */
static bool find_in_utmp(const char *path, char *previous, char *present)
{
	struct utmp_record record;
	bool found = false;
	int fd;

	if (utmp_open(path, UTMP_READ, &fd))
		return false;
	for (uint64_t i = 0; !found && i < UTMP_READ_MAX && !utmp_read(fd, i, &record); i++) {
		int now = record.pid & 0xff, before = record.pid >> 8 ? record.pid >> 8 : 'N';

		if (record.type != UTMP_RUN_LVL || !is_level(now) || !is_level(before))
			continue;
		*previous = (char)before;
		*present = (char)now;
		found = true;
	}
	sys_close(fd);
	return found;
}

static bool find_in_runlevel_file(char *present)
{
	char text[2];
	int fd = sys_open(RUNLEVEL_PATH, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return false;
	got = io_read_all(fd, text, 1);
	sys_close(fd);
	if (got != 1 || !is_level(text[0]))
		return false;
	*present = text[0];
	return true;
}

int main(int argc, char **argv)
{
	char previous = 'N', present;
	bool is_known = find_in_utmp(argc > 1 ? argv[1] : UTMP_PATH, &previous, &present) ||
		find_in_runlevel_file(&present);

	if (is_known)
		printf("%c %c\n", previous, present);
	else
		puts("unknown");
	if (fflush(stdout) || ferror(stdout)) {
		perror("runlevel: standard output");
		return 1;
	}
	return !is_known;
}
