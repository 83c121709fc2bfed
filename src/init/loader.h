/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader.h - reads the inittab in a child of pid 1: files may hang, be a FIFO, a directory or
 * garbage. Runs only in that child: it may block, allocate and die; pid 1 gives it 10 s. */
#ifndef INIT_LOADER_H
#define INIT_LOADER_H

#include <stddef.h>

#include "lib/num.h"

struct loader_config {
	const char *tab;                /* /etc/inittab */
	const char *tab_dir;            /* /etc/inittab.d: *.tab in sorted order */
	const char *cmdline;            /* /proc/cmdline: init.autocon=1 console=... */
	/* A line for console and syslog; may block. */
	void (*say)(void *context, const char *text);
	void *context;
};

enum { LOADER_FILE_MAX = 16 << 20, LOADER_COMPLAINTS_MAX = 64 };

/* Writes the table's image (table.h) to memfd. Bad lines are said (file, line, reason; at most
 * LOADER_COMPLAINTS_MAX, then one line with how many more) and skipped. 0: use it. -ENOENT: no
 * inittab file (said). Another negative errno: not a regular file, larger than LOADER_FILE_MAX,
 * unreadable, or not one good line among bad ones (said, with the reason). In every case the
 * image is written and usable when there was nothing to use before: then it holds at least the
 * entry ~~:S:wait:/sbin/sulogin. */
int loader_run(const struct loader_config *config, int memfd) MUST_CHECK;

#endif
