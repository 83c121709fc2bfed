/* SPDX-License-Identifier: GPL-2.0-or-later */
/* omit.h - lists of process numbers as killall5 and pidof take them after -o: "12,34;56:78". Nothing here can block. */
#ifndef PROCESS_OMIT_H
#define PROCESS_OMIT_H

#include "process/pidset.h"

/* Adds each number to set. "%PPID" stands for parent where that is not 0. Digits count up to the first other character; a
 * piece that gives no number of at least 1 is handed to illegal() and left out. */
void omit_add(struct pidset *set, const char *list, pid_t parent, void (*illegal)(void *context, const char *piece),
	void *context);

#endif
