/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nowlevel.h - in which runlevel is the system, as far as halt(8) may rely on it? Waits for no lock. */
#ifndef POWER_NOWLEVEL_H
#define POWER_NOWLEVEL_H

/* A level, or 0: nothing is known. version and runlevel are the variables INIT_VERSION and RUNLEVEL that init gives to
 * its children, NULL when they are not set. They are believed when they agree with any other witness (the utmp record,
 * /var/run/runlevel, the title of process 1) or when there is none; otherwise the utmp record counts, then the file. */
int nowlevel_find(const char *version, const char *runlevel);

#endif
