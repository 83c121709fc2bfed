/* SPDX-License-Identifier: GPL-2.0-or-later */
/* direct.h - shutdown -n: without init. Ends all processes, writes the last record, detaches file systems and asks the
 * kernel to end the system, with a time limit on each step that could wait. */
#ifndef POWER_DIRECT_H
#define POWER_DIRECT_H

#include "lib/num.h"
#include "power/order.h"

/* The exit status, should it return: the kernel refused, or init could not be stopped. Closes all descriptors but the
 * first three, and those of them that are files. */
int direct_go(const struct order *order) MUST_CHECK;

/* A line on standard error if that takes it at once: a terminal that was stopped must not stop us. */
void direct_say(const char *text);

#endif
