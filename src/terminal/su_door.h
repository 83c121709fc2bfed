/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_door.h - the door at one console: asks for the password until it is right, then becomes the shell. */
#ifndef TERMINAL_SU_DOOR_H
#define TERMINAL_SU_DOOR_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "terminal/su_account.h"
#include "terminal/su_consoles.h"
#include "terminal/su_talk.h"

/* What holds for all doors. */
struct su_house {
	struct su_account account;
	struct su_consoles consoles;
	bool is_forced;                 /* -e: an account without a usable password opens */
	bool is_login;                  /* -p */
	int64_t timeout_s;              /* for a complete answer; 0: none */
	struct mono first_deadline;     /* of the first answer, counted from the start of the program */
	int signal_fd;
	sigset_t mask;                  /* as before su_signals_take() */
};

/* Shuts no door on root, opens none to others: whether a shell is given without a password. */
bool su_door_is_open(const struct su_house *house) MUST_CHECK;

/* What is told when somebody is let in, and when there was no shell for him. */
enum { SU_TOLD_SHELL = 's', SU_TOLD_NO_SHELL = 'n' };

/* Talks at a console until somebody is let in, and becomes the shell; tells so on told_fd first (-1: nobody wants to know),
 * which closes on exec. Returns with why there is no shell, the line as it was found; *signal is the one that
 * ended it, of SU_SIGNALLED. Waits for the person, the deadline or a signal. */
enum su_end su_door_tend(struct su_house *house, const struct su_console *console, int told_fd, int *signal);

/* Says a line at each console, as far as they take it. */
void su_door_say_everywhere(struct su_house *house, const char *text);

#endif
