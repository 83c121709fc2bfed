/* SPDX-License-Identifier: GPL-2.0-or-later */
/* power.h - SIGPWR: what the power status file says. */
#ifndef INIT_POWER_H
#define INIT_POWER_H

#include "init/init.h"

/* JOB_POWER: reads and removes the status file (it may hang: child only), reports its first letter. */
void power_probe_in_child(struct init *in);

void power_probe_ended(struct init *in, int err);

/* O: power is back; L: battery low; anything else: power failed. Cannot block. */
void power_event(struct init *in, char letter);

/* What a container manager asks for by a signal: runs shutdown with these flags, now (JOB_SHUTDOWN). */
void power_shut_down(struct init *in, const char *flags);
void power_shutdown_in_child(struct init *in);
void power_shutdown_ended(struct init *in, int err);

/* --- the end of a container --- */

/* True in a pid name space of a container, as far as /proc tells; what it is reported by. */
#define POWER_NESTED "nested"
bool power_is_nested_in_child(void);

/* Level 0 or 6 has run out. Where reboot(2) is refused, in a container without the right to it, nobody could end the
 * machine: then pid 1 ends, with POWER_EXIT_REBOOT in level 6, else 0. Returns in every other case. */
enum { POWER_EXIT_REBOOT = 133 };       /* as systemd-nspawn(1) takes it */
void power_leave(struct init *in);

#endif
