/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_file.h - finds the policy that libselinux would load, reads it and looks at its head. Opens and reads files, and so
 * may block; for selinux-load, not for process 1. */
#ifndef INIT_POLICY_FILE_H
#define INIT_POLICY_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

enum { POLICY_BYTES_MAX = 256 << 20, POLICY_WHY_MAX = 512 };

/* Versions of the format: the highest that the kernel takes, and what libsepol reads, and so can make older. */
struct policy_versions {
	int kernel_max, library_min, library_max;
};

struct policy_file {
	char path[PATH_MAX];
	int named;                      /* the version that its name tells, 0: none */
	int version;                    /* the one in its head */
	unsigned char *image;           /* malloc'd */
	size_t size_bytes;
};

/* The first of BASE.N that there is, N from `from` down to the lowest of the library; libselinux begins with the higher of
 * the two highest. 0 and out->path and out->named; -ENOENT: there is none. */
int policy_find(const char *base, const struct policy_versions *versions, int from, struct policy_file *out) MUST_CHECK;
int policy_first(const struct policy_versions *versions);

/* The names in base's folder which are BASE.something, for a message; "nothing" when there is none. */
void policy_list(const char *base, char *out, size_t size_bytes);

/* Reads out->path. On an error `why` says what is wrong; policy_drop() is due after success. */
int policy_read(struct policy_file *out, char why[POLICY_WHY_MAX]) MUST_CHECK;
void policy_drop(struct policy_file *file);

/* The head of what was read: a policy for SELinux, of a version that the kernel takes, or that is made older for it because the
 * file's name says so. 0 and file->version; -EBADMSG and why. */
int policy_head(struct policy_file *file, const struct policy_versions *versions, char why[POLICY_WHY_MAX]) MUST_CHECK;

/* libselinux has libsepol make this file older for the kernel: it goes by the name. */
bool policy_is_made_older(const struct policy_file *file, const struct policy_versions *versions);

#endif
