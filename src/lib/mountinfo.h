/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mountinfo.h - the mount table as the kernel tells it, and questions that its text alone answers. Nothing here touches a
 * mounted file system, so that a dead server holds up nobody. */
#ifndef LIB_MOUNTINFO_H
#define LIB_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"

struct mountinfo_entry {
	uint32_t major, minor;
	const char *place;              /* where it is mounted, decoded */
	const char *kind;               /* of file system */
};

struct mountinfo {
	struct mountinfo_entry *entry;  /* in the kernel's order: a later one of the same place covers an earlier */
	size_t count;
	char *text;
};

/* Reads a table such as /proc/self/mountinfo; malformed lines are passed over. mountinfo_drop() is due after success. */
int mountinfo_read(const char *path, struct mountinfo *out) MUST_CHECK;
void mountinfo_drop(struct mountinfo *info);

/* What is on top at exactly this place; -ENOENT: nothing is mounted there. place is absolute, without "." "..", doubled or
 * trailing slashes. The strings live as long as info. */
int mountinfo_find(const struct mountinfo *info, const char *place, struct mountinfo_entry *out) MUST_CHECK;

/* What a path without symbolic links lies on. -ENOENT: on nothing, which is an odd table. */
int mountinfo_holding(const struct mountinfo *info, const char *path, struct mountinfo_entry *out) MUST_CHECK;

/* A kind of file system whose server can be gone: nfs, cifs, sshfs over FUSE ... */
bool mountinfo_is_network(const char *kind);

#endif
