/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootrelay.h - the daemon between everybody who writes to /dev/console and the real consoles and the log. It sleeps in one
 * poll(2) and calls nothing that can wait: the pseudo terminal is drained always, into memory; writers, a process for each
 * console and one for the log, do what may block. One user of this at a time, since the console is one. */
#ifndef TERMINAL_BOOTRELAY_H
#define TERMINAL_BOOTRELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal/bootcons.h"
#include "terminal/bootlines.h"
#include "terminal/outlet.h"
#include "terminal/redirect.h"

enum {
	RELAY_LOG_BYTES = 1 << 20,      /* of boot output before its file can be written */
	RELAY_CONSOLE_BYTES = 1 << 16,  /* for a console that is slow or stopped */
	RELAY_OPEN_MS = 2000,           /* a console may take to be opened; later it is none of the start's business */
	RELAY_CANCEL_MS = 200,          /* at the end: for output to go to the console itself again */
	RELAY_FLUSH_MS = 600,           /* for what is in memory to get out, after that */
	RELAY_LAST_MS = 150,            /* for the writers to end, after that */
	RELAY_NOTES_SIZE = 2048,
};

struct bootrelay_config {
	const char *log;                /* absolute */
	bool keep_escapes, create, rotate, sync;
	const struct bootcons_places *places;
};

struct bootrelay {
	const struct bootrelay_config *config;
	char notes[RELAY_NOTES_SIZE];   /* what the start has to say, lines; its stderr may be the console */
	size_t notes_len;
	struct redirect redirect;
	bool has_redirect;
	int signals;
	struct bootlines lines;
	int32_t east_s;
	int log_err_said;               /* 0: none is on the consoles as the last word */
	struct outlet log;
	int consoles;
	bool stall_said[BOOTCONS_MAX];
	char path[BOOTCONS_MAX][BOOTCONS_PATH_SIZE];
	struct outlet console[BOOTCONS_MAX];
};

/* Finds and opens the consoles, and redirects. Signals are blocked from then on. 0, or a negative errno: nothing is left
 * open or redirected, and notes say why. May block; the caller's parent watches the time. */
int bootrelay_begin(struct bootrelay *relay, const struct bootrelay_config *config) MUST_CHECK;

/* "bootlogd: OBJECT: REASON" into the notes. */
void bootrelay_note(struct bootrelay *relay, const char *object, int err);

/* Relays until SIGTERM, SIGINT or SIGQUIT, or until the pseudo terminal is gone; SIGHUP opens the log anew. */
void bootrelay_run(struct bootrelay *relay);

/* Gives the console back, delivers what is in memory, within a second. */
void bootrelay_end(struct bootrelay *relay);

#endif
