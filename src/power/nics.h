/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nics.h - network interfaces down. */
#ifndef POWER_NICS_H
#define POWER_NICS_H

#include <stdbool.h>

/* Is the root file system, or swap, on the network, so that it would be cut off? By the kind of the file system and the
 * name of the device, as /proc/mounts and /proc/swaps have them. */
bool nics_carry_root(void);

/* Takes every interface down that is up and no loopback, whatever its name and addresses, in a child with a time limit;
 * first locks the program in memory. Not when nics_carry_root(). What goes wrong is told on standard error after NAME. */
void nics_down(const char *name);

#endif
