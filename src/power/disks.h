/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disks.h - what disks have in their caches gets onto them before the power goes, for disks that the kernel does not
 * care for itself. Each disk is dealt with by a child of its own, all at once, within one time limit: neither an odd
 * entry of /sys/block nor a dead disk keeps the others from it. */
#ifndef POWER_DISKS_H
#define POWER_DISKS_H

#include <stdbool.h>

enum { DISKS_LIMIT_MS = 30000 };

/* Is this one ours to flush? Disks hdX that are fixed; sdX that the kernel does not stop itself at shutdown, and that
 * are fixed ATA disks or removable others. Anything that cannot be told: no. */
bool disks_is_ours(const char *name);

/* Flushes the caches of all that are ours, and lets them spin down when standby. Errors of a disk are its own. How many
 * did not answer in time; each is named on standard error after NAME. */
int disks_settle(const char *name, bool standby);

#endif
