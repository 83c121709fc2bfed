/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survive.h - when pid 1 itself goes wrong, or is to become a new image.
 * The kernel panics when pid 1 dies, and kills it for a fault whose signal is blocked or ignored: so the fatal
 * signals have a handler, on a stack of its own, that allocates nothing. It says PANIC, leaves a core of a forked
 * copy in /, and executes init again with the saved state. The third crash within 60 s ends in a last-resort loop: the
 * kernel reaps, /sbin/sulogin is kept on the console, Ctrl-Alt-Del is the kernel's again. */
#ifndef INIT_SURVIVE_H
#define INIT_SURVIVE_H

#include <signal.h>

#include "init/init.h"

/* The signals that a fault raises, 0 behind the last: never blocked, never in the signalfd. */
extern const int survive_fatal[];

/* Three crashes within this time are too many. A build with fault points has its own idea. */
#ifndef SURVIVE_WINDOW_S
#define SURVIVE_WINDOW_S 60
#endif

/* handler is main.c's; it calls survive_crashed() with the one struct init. */
int survive_install(void (*handler)(int, siginfo_t *, void *)) MUST_CHECK;

_Noreturn void survive_crashed(struct init *in, const siginfo_t *why);

/* Executes the image that in->level.image says was found, with the state as it and as any sysvinit reads it. Returns
 * when it failed; then it is said, and all is as before. Does nothing while booting. */
void survive_reexec(struct init *in);

/* Executes this image again as the kernel did, with the variable (args_add_variable()) in the environment, so that it boots in its SELinux
 * domain. What has been said and is not out yet passes, if the new domain may use it; nothing depends on that. Returns when it
 * failed; then it is said, and the variable stays. Before anything is started. */
void survive_enter_domain(struct init *in, const char *variable);

#endif
