/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootcons.h - which devices may be the real console, best first. What they are found to be is for whoever opens them. */
#ifndef TERMINAL_BOOTCONS_H
#define TERMINAL_BOOTCONS_H

#include <stddef.h>

#include "lib/num.h"

enum { BOOTCONS_MAX = 16, BOOTCONS_PATH_SIZE = 64 };

struct bootcons {
	int count;
	char path[BOOTCONS_MAX][BOOTCONS_PATH_SIZE];
};

/* Where to look, so that a test can have its own. */
struct bootcons_places {
	const char *cmdline, *consoles, *active;
	const char *const *custom;      /* names below /dev that most machines have, up to NULL */
};
extern const struct bootcons_places bootcons_system;

/* Each adds what its text names to *out, without doubles, as far as there is room. Nothing here can block. */
void bootcons_from_cmdline(struct bootcons *out, const char *text);     /* /proc/cmdline: the last console= first */
void bootcons_from_consoles(struct bootcons *out, const char *text);    /* /proc/consoles */
void bootcons_from_active(struct bootcons *out, const char *text);      /* /sys/class/tty/console/active */

enum bootcons_source { BOOTCONS_CMDLINE, BOOTCONS_CONSOLES, BOOTCONS_ACTIVE, BOOTCONS_CUSTOM, BOOTCONS_SOURCES };

/* What one source says; none if it cannot be read. May block on the kernel's console lock, without limit. */
void bootcons_find(enum bootcons_source source, const struct bootcons_places *places, struct bootcons *out);

#endif
