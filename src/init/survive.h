/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survive.h - when pid 1 itself goes wrong, or is to become a new image.
 * A pid 1 that dies panics the kernel, and a fault that is ignored kills it (signal(7), init(1) of a pid namespace):
 * so fatal signals have handlers, on a stack of their own, which allocate nothing. */
#ifndef INIT_SURVIVE_H
#define INIT_SURVIVE_H

#include "init/init.h"

/* The signals that a fault raises, 0 behind the last: never blocked, never in the signalfd. */
extern const int survive_fatal[];

/* handler: main.c's, which calls survive_crashed() with the one struct init. */
int survive_install(void (*handler)(int)) MUST_CHECK;

/* In the handler: says PANIC, leaves a core of a forked copy, ... TODO */
void survive_crashed(struct init *in, int signal);

/* telinit u. Returns when it failed; all is as before then. */
void survive_reexec(struct init *in);

#endif
