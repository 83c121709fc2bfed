/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runlevels.h - which runlevel the records tell: utmp, and the file beside it. Nobody is trusted: only what can be a
 * level is believed. No lock is taken or waited for; what can block is only the file system itself. */
#ifndef RECORDS_RUNLEVELS_H
#define RECORDS_RUNLEVELS_H

#include <stdbool.h>

/* Of those that init records: 0-9, S, s, A-C, and N for none. */
bool runlevels_is_level(int c);

/* The first record of path that can be true. False: there is none, nothing is written. */
bool runlevels_in_utmp(const char *path, char *previous, char *present);

/* The one character of /var/run/runlevel. */
bool runlevels_in_file(char *present);

#endif
