/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redirect.h - everything that is written to /dev/console and /dev/tty0 comes here instead (TIOCCONS), for as long as the
 * pseudo terminal is open: the kernel ends it when we die, in whatever way. It does so for the whole machine, whatever
 * name space the caller lives in. Who writes waits when the pseudo terminal is full: its owner must read, always. */
#ifndef TERMINAL_REDIRECT_H
#define TERMINAL_REDIRECT_H

#include "lib/clock.h"
#include "lib/num.h"

enum { REDIRECT_NAME_SIZE = 32 };

struct redirect {
	int master;                     /* to be read from; never blocks */
	int slave;
	char name[REDIRECT_NAME_SIZE];  /* of the slave */
};

/* A pseudo terminal that changes nothing of what passes through. 0, or a negative errno and nothing is open. */
int redirect_open(struct redirect *redirect) MUST_CHECK;

/* 0, or a negative errno, -EBUSY: somebody has done it already, and lives. */
int redirect_begin(struct redirect *redirect) MUST_CHECK;

/* Ends whatever redirection there is, so that what follows goes to the console itself. Opening the console may block: for
 * a disposable process. */
int redirect_cancel(void) MUST_CHECK;

void redirect_close(struct redirect *redirect);

#endif
