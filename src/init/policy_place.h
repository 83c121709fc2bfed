/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_place.h - the file systems in which the kernel speaks of SELinux, at a time when nobody has mounted anything yet: /proc,
 * /sys and what belongs on /sys/fs/selinux. For selinux-load and a child of process 1, not for process 1: mounting may wait. */
#ifndef INIT_POLICY_PLACE_H
#define INIT_POLICY_PLACE_H

#include <stdbool.h>

#include "lib/num.h"

#define SELINUX_PLACE "/sys/fs/selinux"

/* What was mounted here, and is to be taken away again. */
struct policy_place {
	bool proc, sys, selinux;
};

/* Mounts what is missing. 0; -ENODEV: this kernel has no SELinux, or it is off; another negative errno: it cannot be mounted.
 * In any case policy_place_leave() is due. */
int policy_place_enter(struct policy_place *out) MUST_CHECK;

/* selinuxfs alone, for a time: libselinux mounts it itself, and leaves it there when the kernel refuses the policy. */
void policy_place_leave_selinux(const struct policy_place *place);

/* is_loaded: /sys and selinuxfs stay, since they are needed from now on. */
void policy_place_leave(const struct policy_place *place, bool is_loaded);

/* The highest version of a policy that the kernel takes; a negative errno. */
int policy_place_version(void) MUST_CHECK;

/* Whether process 1 has a context: then a policy was loaded, by an initramfs. Without a policy all there is is a word. */
bool policy_place_is_loaded(void);

#endif
