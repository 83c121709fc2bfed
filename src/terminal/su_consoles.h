/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_consoles.h - the terminals that sulogin asks on, opened.
 * One that was named, or that standard input is, stands alone; /dev/console stands for all consoles that the kernel has
 * enabled, in the kernel's order: from /proc/consoles, else /sys/class/tty/console, else the kernel's command line. A line
 * of those files that has no terminal (netconsole, a device that does not open) is passed over. What is read there
 * may wait for the kernel's console lock, opening a line for the end of its last close (30 s). */
#ifndef TERMINAL_SU_CONSOLES_H
#define TERMINAL_SU_CONSOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/num.h"

enum { SU_CONSOLES_MAX = 16, SU_NAME_BYTES = 256 };

struct su_console {
	int fd;                         /* read-write, does not wait, closes on exec */
	bool is_shared;                 /* its open file description is that of standard input */
	dev_t device;
	char name[SU_NAME_BYTES];
};

struct su_consoles {
	size_t count;
	struct su_console at[SU_CONSOLES_MAX];
};

/* Finds and opens them; the caller closes the descriptors. device: what was asked for, NULL or "" for standard input.
 * is_hint: it comes from $CONSOLE, so that one which is no terminal (init names /dev/null when it has no console) stands
 * for /dev/console. 0 and at least one, or a negative errno; -ENOTTY: device, or standard input, is no terminal. */
int su_consoles_open(struct su_consoles *out, const char *device, bool is_hint) MUST_CHECK;

void su_consoles_close(struct su_consoles *consoles);

#endif
