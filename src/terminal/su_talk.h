/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_talk.h - a talk with the person at one console: say, ask, pause, with a deadline and with signals.
 * Everything waits in poll(2) only, for the line, the signals and the deadline at once; a line that takes no output costs
 * five seconds for each thing said, not for ever. Needs a line that listens (su_line.h). */
#ifndef TERMINAL_SU_TALK_H
#define TERMINAL_SU_TALK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/clock.h"
#include "lib/num.h"

struct su_line;

enum su_end {
	SU_DONE = 1,            /* said, answered, paused: the talk goes on */
	SU_LEFT,                /* Control-D on an empty line */
	SU_TIMED_OUT,
	SU_HUNG_UP,             /* or the line gives errors */
	SU_SIGNALLED,           /* see .signal */
	SU_LOCKED,              /* there is no password that would be right */
	SU_NO_SHELL,            /* none could be executed */
};

struct su_talk {
	struct su_line *line;
	int signal_fd;          /* of su_signals_take() */
	struct mono deadline;   /* MONO_NEVER: none */
	int signal;             /* that ended it */
};

enum { SU_ANSWER_BYTES = 512 };

struct su_answer {
	char text[SU_ANSWER_BYTES];     /* ends with a NUL; the caller wipes it */
	size_t len_bytes;
	bool is_too_long;               /* more was typed than has room: can only be wrong */
};

/* Takes those signals that a person can send with a key (dropped in a talk), or that end a prompt (HUP, TERM, USR1, USR2;
 * process 1 leaves those to the kernel), into a descriptor. old is the mask that was, for the shell. The descriptor, or a negative errno. */
int su_signals_take(sigset_t *old) MUST_CHECK;

/* The next of those signals that ends a prompt and is pending; 0: there is none. Does not wait. */
int su_signals_next(int signal_fd);

enum su_end su_talk_say(struct su_talk *talk, const char *text);

/* Reads a line with its editing: erase, kill, Control-D, as su_line's erase and kill keys then say. */
enum su_end su_talk_ask(struct su_talk *talk, struct su_answer *out) MUST_CHECK;

/* What is typed meanwhile is not looked at. */
enum su_end su_talk_pause(struct su_talk *talk, int ms) MUST_CHECK;

#endif
