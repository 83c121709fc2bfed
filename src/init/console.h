/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console.h - the console as children see it. Opening, setting and closing a terminal may block: children only. */
#ifndef INIT_CONSOLE_H
#define INIT_CONSOLE_H

#include "init/init.h"

/* JOB_CONSOLE: finds the console ($CONSOLE, /dev/console, /dev/tty0), reports its name, sets its line, and hands
 * pid 1 /dev/tty0 for the one ioctl that it must make itself (keyboard request). */
void console_setter_in_child(struct init *in);

/* JOB_ASKER: asks for a level until there is an answer, and reports it. */
void console_asker_in_child(struct init *in);

/* Opens the console (blocking descriptor, read-write, not the controlling terminal). 0 or a negative errno. */
int console_open_in_child(const struct init *in, int *out) MUST_CHECK;

/* Makes fd 0, 1 and 2. */
void console_as_stdio_in_child(int fd);

/* Sane line settings; speed, character size, stop bits and parity are kept. */
int console_make_sane(int fd);

#endif
