/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - the SELinux policy, at boot. Process 1 links no library for it: a job runs selinux-load and passes on what that
 * says; nothing is started before it has ended. When a policy is loaded init is executed again, so that it enters its domain;
 * SELINUX_INIT=YES in the environment then says that the matter is settled, and is what every process finds there. Where
 * enforcing is demanded and there is no policy, the machine is halted. Nothing here blocks but what is called *_in_child. */
#ifndef INIT_POLICY_H
#define INIT_POLICY_H

#include "init/init.h"

bool policy_is_settled(const struct init *in);
void policy_want(struct init *in);                         /* in PHASE_POLICY: the job, or EV_SETTLED at once */

void policy_load_in_child(struct init *in);                /* JOB_POLICY: its exit status is of policy_exit.h */
void policy_load_ended(struct init *in, int err);

void policy_halt_in_child(struct init *in);                /* JOB_HALT */
void policy_halt_ended(struct init *in, int err);

#endif
