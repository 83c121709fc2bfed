/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inittab.h - one line of inittab(5), understood or refused. Pure: no I/O, no allocation, cannot
 * block. */
#ifndef INIT_INITTAB_H
#define INIT_INITTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

/* Everything that must agree on an action: its name here and its word in the file. */
#define ACTIONS(X)                                                                                 \
	X(RESPAWN, "respawn") X(WAIT, "wait") X(ONCE, "once") X(BOOT, "boot")                      \
	X(BOOTWAIT, "bootwait") X(POWERFAIL, "powerfail") X(POWERFAILNOW, "powerfailnow")          \
	X(POWERWAIT, "powerwait") X(POWEROKWAIT, "powerokwait") X(CTRLALTDEL, "ctrlaltdel")        \
	X(OFF, "off") X(ONDEMAND, "ondemand") X(INITDEFAULT, "initdefault") X(SYSINIT, "sysinit")  \
	X(KBREQUEST, "kbrequest")

enum action {
	ACTION_NONE,                    /* never legal: a forgotten assignment shows */
#define ACTION_ENUM(name, word) ACTION_##name,
	ACTIONS(ACTION_ENUM)
#undef ACTION_ENUM
	ACTION_COUNT
};

enum {
	TAB_ID_MAX = 4,                 /* sizeof ut_id */
	TAB_LEVELS_MAX = 11,
	TAB_ACTION_MAX = 32,
	TAB_LINE_MAX = 4095,
};

/* A line's fields. levels is what counts: defaults filled in, 's' turned to 'S', '#' for
 * sysinit, '*' for boot. */
struct tab_line {
	char id[TAB_ID_MAX + 1];
	char levels[TAB_LEVELS_MAX + 2];
	enum action action;
	const char *process;            /* into the caller's line */
};

enum tab_verdict { TAB_ENTRY, TAB_NOTHING, TAB_BAD };

/* line: one line without its newline, NUL at its end; NULs inside must have been refused before.
 * TAB_NOTHING: empty or a comment. TAB_BAD: why[] (size_bytes) says what is wrong, in the words
 * that log watchers know, without the file's name and line. */
enum tab_verdict inittab_parse_line(const char *line, struct tab_line *out, char *why,
	size_t size_bytes) MUST_CHECK;

const char *action_word(enum action action);

/* Power and ctrlaltdel entries: they stand before all others in the order of running. */
bool action_is_first(enum action action);

/* That a level is entered does not start these: they wait for an event. */
bool action_needs_event(enum action action);

#endif
