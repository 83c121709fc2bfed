/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ttylist.h - which device numbers are terminals, by the kernel's own list of tty drivers. Opening some
 * other device to find out would already act on it: it rewinds tapes and starts watchdogs. */
#ifndef LIB_TTYLIST_H
#define LIB_TTYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TTYLIST_MAX = 64 };

struct ttylist {
	size_t count;
	struct ttylist_range {
		unsigned major, first, last;
	} range[TTYLIST_MAX];
};

/* Reads path (/proc/tty/drivers). What is there in the place of another terminal is left out: /dev/tty,
 * /dev/ptmx and the master sides of pseudo terminals. When it cannot be read or names none: pseudo
 * terminals, virtual consoles, 8250 serial lines and /dev/console. Opens and reads a file of procfs. */
void ttylist_load(struct ttylist *list, const char *path);

/* Cannot block. */
bool ttylist_has(const struct ttylist *list, dev_t device);

#endif
