/* SPDX-License-Identifier: GPL-2.0-or-later */
/* downrecord.h - the last record of a run of the system, appended to wtmp: user "shutdown", line and id "~~". */
#ifndef POWER_DOWNRECORD_H
#define POWER_DOWNRECORD_H

#include "lib/num.h"

/* Appends it if /var/log/wtmp is there; it is never created. A lock of somebody else is waited for for at most a second, a
 * file system that does not answer for three, then -ETIMEDOUT. 0: done, or there is no such file. */
int downrecord_append(void) MUST_CHECK;

#endif
