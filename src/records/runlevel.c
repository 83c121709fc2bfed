/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runlevel - prints the previous and the present runlevel. Takes no lock and waits for none;
 * believes only what can be a level. Exit 0: printed; 1: "unknown" was printed, or the output
 * was lost. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

static bool is_level(int c)
{
	return c > 0 && c < 128 && strchr("0123456789SsABCN", c);
}

/* The first record that can be true. */
static bool find_in_utmp(const char *path, char *previous, char *present)
{
	struct utmp_reader reader;
	struct utmp_record record;
	bool found = false;

	if (utmp_reader_open(&reader, path))
		return false;
	while (!found && !utmp_reader_next(&reader, &record)) {
		int now = record.pid & 0xff, before = record.pid >> 8 ? record.pid >> 8 : 'N';

		if (record.type != UTMP_RUN_LVL || !is_level(now) || !is_level(before))
			continue;
		*previous = (char)before;
		*present = (char)now;
		found = true;
	}
	utmp_reader_close(&reader);
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

static int print(const char *text, size_t len_bytes)
{
	int err = io_write_all(STDOUT_FILENO, text, len_bytes);

	return err ? err : sys_close(STDOUT_FILENO);    /* some file systems find out only now */
}

int main(int argc, char **argv)
{
	char text[] = "N ?\n";
	bool is_known = find_in_utmp(argc > 1 ? argv[1] : UTMP_PATH, &text[0], &text[2]) ||
		find_in_runlevel_file(&text[2]);
	int err = is_known ? print(text, sizeof text - 1) : print("unknown\n", 8);

	if (err)
		fprintf(stderr, "runlevel: write error: %s\n", strerror(-err));
	return err || !is_known;
}
