/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_wish.h - whether a machine wants an SELinux policy, and whether it must not go on without. */
#ifndef INIT_POLICY_WISH_H
#define INIT_POLICY_WISH_H

#include <stdbool.h>

enum policy_wish { POLICY_DISABLED, POLICY_PERMISSIVE, POLICY_ENFORCING };

/* What SELINUX= in the file of settings says, as selinux_getenforcemode(3) tells it; there may be no such file. */
enum policy_setting { SETTING_DISABLED = -1, SETTING_PERMISSIVE, SETTING_ENFORCING, SETTING_NONE };

/* The first line SELINUX=WORD of the file's text whose word begins with one of the three, in any case. Found by trying
 * libselinux 3.4. */
enum policy_setting policy_setting(const char *text);

/* cmdline: the kernel's, whose enforcing=N goes before the file; but a file that disables SELinux is heard in any case. The
 * first enforcing= counts, as it does for libselinux. Nothing said at all: permissive. */
enum policy_wish policy_wish(enum policy_setting setting, const char *cmdline);

/* The same with this machine's command line, once /proc is there. May block. */
enum policy_wish policy_wish_read(enum policy_setting setting);

/* For where no loader tells, without libselinux: whether the kernel has SELinux, no policy is loaded yet, and enforcing is
 * demanded. Mounts what it has to look at, for a time. May block. */
bool policy_is_demanded(void);

#endif
