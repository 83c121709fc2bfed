/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/policy.h - SELinux policies made by libsepol for tests. Everything asserts. */
#ifndef FAKE_POLICY_H
#define FAKE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

/* A small policy of this version of the format, as it lies in a file; the caller frees it. */
unsigned char *fake_policy(bool has_mls, int version, size_t *size_bytes);

#endif
