/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complain.h - what killall5 and pidof have to complain about: they run from scripts that nobody watches, too. */
#ifndef PROCESS_COMPLAIN_H
#define PROCESS_COMPLAIN_H

/* "NAME: TEXT" on standard error, and to syslog (daemon, error) when standard input is no terminal. May block as standard
 * error may; not as syslog may. */
void complain(const char *name, const char *text);

/* Says which piece of a list of pids is none; for omit_add(), name being the program's. Blocks as complain() does. */
void complain_of_piece(void *name, const char *piece);

#endif
