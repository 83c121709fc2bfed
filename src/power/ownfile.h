/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ownfile.h - a file whose presence says something (nologin, fastboot): made only when it is not there, and taken away
 * only by who has made it. May block as the file system may. */
#ifndef POWER_OWNFILE_H
#define POWER_OWNFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/num.h"

struct ownfile {
	const char *path;
	bool made;                      /* by us: this one */
	dev_t device;
	ino_t inode;
};

/* With mode 0644 and this text. 0, -EEXIST: there was one (or a link of that name), which stays as it is; or another
 * negative errno. */
int ownfile_make(struct ownfile *file, const char *text) MUST_CHECK;

/* Does nothing when it was not made here, or when another one is in its place now. */
void ownfile_remove(struct ownfile *file);

/* Is the place of that file gone with the machine's memory (tmpfs, ramfs)? */
bool ownfile_is_volatile(const struct ownfile *file);

#endif
