/* SPDX-License-Identifier: GPL-2.0-or-later */
/* downcall.h - the last system calls of a run of the system. */
#ifndef POWER_DOWNCALL_H
#define POWER_DOWNCALL_H

#include <stdbool.h>

#include "lib/num.h"

enum downcall_act { DOWNCALL_HALT, DOWNCALL_POWEROFF, DOWNCALL_REBOOT };

struct downcall {
	enum downcall_act act;
	bool kexec;                     /* DOWNCALL_REBOOT: a loaded kernel first, if there is one */
	const char *text;               /* DOWNCALL_REBOOT: for the firmware; NULL: none */
};

/* sync(2) in a child that is given 30 s; says so on standard error when they were not enough. */
void downcall_sync(const char *name);

/* Ends the system; when it returns, it was refused: why, a negative errno, after that was told on standard error after
 * NAME. Ctrl-Alt-Del is back with init and process 1 goes on. */
int downcall_make(const char *name, const struct downcall *what) MUST_CHECK;

/* Undoes what stopped process 1, for those who stop it earlier. */
void downcall_take_back(void);

#endif
