/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_watch.h - one child for each console, and who may go on when one of them ends.
 * Control-D at one door, or the end of a shell, means "go on" for all that still ask; shells that run are waited for. A door
 * that timed out or hung up takes no other with it. No signal goes to a process that is not a child of ours or that was
 * already waited for. */
#ifndef TERMINAL_SU_WATCH_H
#define TERMINAL_SU_WATCH_H

#include "terminal/su_door.h"

struct su_watched {
	enum su_end end;        /* SU_LEFT: somebody said so, or a shell ended */
	int signal;             /* of SU_SIGNALLED */
	bool has_shell;         /* one was given; the last one's status, as in $?: */
	int status;
};

/* Tends all doors of the house, each in a child (those that cannot be forked are left out; when none can, the first is
 * tended here). Returns when no child is left; none of them survives us. Waits for the doors. */
void su_watch(struct su_house *house, struct su_watched *out);

#endif
