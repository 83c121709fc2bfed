/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relay.h - everything that a program, or standard input, has to say, to the console and into the log. */
#ifndef PROCESS_RELAY_H
#define PROCESS_RELAY_H

#include "process/logbook.h"
#include "process/strip.h"

enum {
	RELAY_QUIET_MS = 1000,          /* after the program's end, silence of those it left behind */
	RELAY_AFTER_MS = 10000,         /* and how long they are listened to at all */
	RELAY_CONSOLE_MS = 10000,       /* for a console that does not block to take something */
};

struct relay {
	struct logbook *book;
	bool strips;                    /* -s */
	struct strip strip;
	int console;                    /* -1: given up */
};

/* To both. What the console does not take is lost there, and not in the log. */
void relay_say(struct relay *relay, const char *text, size_t len_bytes);

/* Copies a descriptor to its end. 0 or a negative errno. */
int relay_copy(struct relay *relay, int in) MUST_CHECK;

/* Runs a program found along PATH, both its outputs copied to their end, or until it has ended and nobody whom it left behind
 * says anything for a while. SIGINT and SIGTERM are passed on to it. 0 and *code and *status as of waitid(2), or a negative
 * errno: it was not started. */
int relay_run(struct relay *relay, char *const argv[], int *code, int *status) MUST_CHECK;

#endif
