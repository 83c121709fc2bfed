/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_kernel.h - why the kernel takes no policy: its own log says it, the system call's error does not. For selinux-load. */
#ifndef INIT_POLICY_KERNEL_H
#define INIT_POLICY_KERNEL_H

#include "lib/num.h"

/* The kernel's log, read from now on. A descriptor that waits for nothing, or a negative errno: there is none to be read. */
int policy_kernel_listen(void) MUST_CHECK;

/* Hands on the last few lines about SELinux that have come since, in their order, fit for a terminal. */
void policy_kernel_said(int fd, void (*say)(void *context, const char *line), void *context);

#endif
