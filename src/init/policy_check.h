/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_check.h - whether libsepol can read a policy to its end, and make it as old as the kernel wants it. In a child with
 * limits (apart.h): what a damaged policy does to the library does not come over us. For selinux-load. */
#ifndef INIT_POLICY_CHECK_H
#define INIT_POLICY_CHECK_H

#include "init/apart.h"
#include "init/policy_file.h"

/* The limits that selinux-load sets: many times what the largest policy of a distribution needs. */
extern const struct apart_limits policy_check_limits;

/* file is read and its head is good. 0; -EBADMSG: it is damaged; -ENOTSUP: it cannot be made older, and libselinux will look
 * for another; another negative errno: it could not be checked. `why` says it. */
int policy_check(const struct policy_file *file, const struct policy_versions *versions, const struct apart_limits *limits,
	char why[POLICY_WHY_MAX]) MUST_CHECK;

#endif
