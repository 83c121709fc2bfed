/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_line.h - a console's line settings: as found, while sulogin listens, for the shell.
 * All settings take effect at once (TCSANOW): to wait for the output of a stopped line would be to wait for ever. Nothing
 * here blocks but su_line_leave(), which waits half a second at most. */
#ifndef TERMINAL_SU_LINE_H
#define TERMINAL_SU_LINE_H

#include <stdbool.h>
#include <termios.h>

#include "lib/num.h"

struct su_console;

struct su_line {
	int fd;
	bool is_shared;                 /* see su_consoles.h */
	bool is_serial;                 /* has modem lines */
	struct termios found;
	unsigned char erase, kill;      /* those that were typed last */
};

/* Remembers the settings. 0 or a negative errno: then it is no terminal to talk on. */
int su_line_begin(struct su_line *line, const struct su_console *console) MUST_CHECK;

/* Every byte comes at once and unchanged: no echo, no signals, no flow control (which sets a line going that ^S had
 * stopped). What was typed before is dropped. Errors are those of tcsetattr(3). */
int su_line_listen(const struct su_line *line) MUST_CHECK;

/* For a person at a shell: editing, echo, signals. A serial line's speed, character size, parity and flow control by wire
 * stay. The descriptor can be waited on afterwards. */
void su_line_for_shell(const struct su_line *line);

/* As found. */
void su_line_restore(const struct su_line *line);

/* As found; and output that does not move is dropped, so that closing the line does not wait for it. */
void su_line_leave(const struct su_line *line);

/* The settings alone, for su_line_listen() and su_line_for_shell(). */
void su_line_listening(const struct su_line *line, struct termios *out);
void su_line_shell(const struct su_line *line, struct termios *out);

#endif
