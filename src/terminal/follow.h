/* SPDX-License-Identifier: GPL-2.0-or-later */
/* follow.h - reads a file that others write to, under the name that it has now: behind the end of one that was renamed or
 * removed comes its successor, and one that was cut is read from its new beginning. For tools: may block as read(2) does. */
#ifndef TERMINAL_FOLLOW_H
#define TERMINAL_FOLLOW_H

#include <sys/types.h>

#include "lib/num.h"

enum { FOLLOW_NAP_MS = 200 };

struct follow {
	const char *path;
	int fd;
	off_t at;
};

/* 0 or a negative errno. */
int follow_open(struct follow *follow, const char *path) MUST_CHECK;

/* Bytes, 0 at the end for now, or a negative errno. */
ssize_t follow_read(struct follow *follow, char *out, size_t size_bytes) MUST_CHECK;

/* At the end: waits a little, and looks whether the file is still the one. fd_out is who reads what we make of it.
 * 0: read on; 1: read on, it is another file or has been cut; -EPIPE: nobody reads it any more. */
int follow_wait(struct follow *follow, int fd_out) MUST_CHECK;

void follow_close(struct follow *follow);

#endif
