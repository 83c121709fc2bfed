/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.h - whether a directory is where something is mounted. */
#ifndef PROCESS_MOUNTS_H
#define PROCESS_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/num.h"

struct mounts_place {
	bool is_mounted;
	uint32_t major, minor;          /* of the file system that the directory is on */
};

/* Looks at path, not following a link that it ends in. What the mount table says of a network file system at just this path is
 * believed without asking its server; all else is asked of one descriptor that no mount or unmount can change under us. 0,
 * -ENOTDIR or another negative errno. May block as a path may that leads over a dead server to something else. */
int mounts_look(const char *path, const char *table, struct mounts_place *out) MUST_CHECK;

/* The device that a special file stands for, links followed. -ENOTBLK: it stands for none. */
int mounts_look_device(const char *path, struct mounts_place *out) MUST_CHECK;

#endif
