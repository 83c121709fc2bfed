/* SPDX-License-Identifier: GPL-2.0-or-later */
/* household.h - which processes are a part of process 1: the helpers that deliver what it has to say.
 * A signal for everybody is not for them: they shed it, so that who waits for all to be gone would wait for ever, and to kill
 * them only costs what they were about to deliver. */
#ifndef PROCESS_HOUSEHOLD_H
#define PROCESS_HOUSEHOLD_H

#include "process/pidset.h"

/* Adds them to the set: children of process 1 that bear the name, run its very file and are root's. proc is a descriptor of /proc.
 * Reads the kernel's list of those children (without it: looks at everybody), links, stat and status files, which wait for
 * nobody. What cannot be read is nobody's helper. buf is procfs_list's. */
void household_find(int proc, char *buf, size_t size_bytes, struct pidset *out);

#endif
