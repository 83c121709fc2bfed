/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_wish.h - whether a machine wants an SELinux policy, and whether it must not go on without. Nothing here blocks. */
#ifndef INIT_POLICY_WISH_H
#define INIT_POLICY_WISH_H

enum policy_wish { POLICY_DISABLED, POLICY_PERMISSIVE, POLICY_ENFORCING };

/* What SELINUX= in the file of settings says, as selinux_getenforcemode(3) tells it; there may be no such file. */
enum policy_setting { SETTING_DISABLED = -1, SETTING_PERMISSIVE, SETTING_ENFORCING, SETTING_NONE };

/* cmdline: the kernel's, whose enforcing=N goes before the file; but a file that disables SELinux is heard in any case. The
 * first enforcing= counts, as it does for libselinux. Nothing said at all: permissive. */
enum policy_wish policy_wish(enum policy_setting setting, const char *cmdline);

#endif
