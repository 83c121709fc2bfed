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
#include "records/runlevels.h"

static int print(const char *text, size_t len_bytes)
{
	int err = io_write_all(STDOUT_FILENO, text, len_bytes);

	return err ? err : sys_close(STDOUT_FILENO);    /* some file systems find out only now */
}

int main(int argc, char **argv)
{
	char text[] = "N ?\n";
	bool is_known = runlevels_in_utmp(argc > 1 ? argv[1] : UTMP_PATH, &text[0], &text[2]) ||
		runlevels_in_file(&text[2]);
	int err = is_known ? print(text, sizeof text - 1) : print("unknown\n", 8);

	if (err)
		fprintf(stderr, "runlevel: write error: %s\n", strerror(-err));
	return err || !is_known;
}
