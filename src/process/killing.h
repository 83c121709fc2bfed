/* SPDX-License-Identifier: GPL-2.0-or-later */
/* killing.h - the command line of killall5, and what it leads to. */
#ifndef PROCESS_KILLING_H
#define PROCESS_KILLING_H

#include "process/pidset.h"

enum { KILLING_OK = 0, KILLING_ERROR = 1, KILLING_NOBODY = 2 };

enum killing_wish { KILLING_SIGNAL, KILLING_HELP, KILLING_VERSION };

struct killing {
	enum killing_wish wish;
	int signal;             /* SIGKILL when none is given */
	struct pidset omitted;
};

/* 0, -EINVAL: not a command line of killall5, or -ENOMEM. Numbers of -o that are none are complained about and left out.
 * killing_drop() is due after success alone. */
int killing_parse(struct killing *killing, const char *name, char *const argv[]) MUST_CHECK;
void killing_drop(struct killing *killing);

/* All of killall5: the status to exit with. */
int killing_main(const char *name, char *const argv[]) MUST_CHECK;

#endif
