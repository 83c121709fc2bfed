/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_root.h - what sulogin needs of a root that nobody has set up yet: /proc and /dev, where they are missing.
 * By need, not by the kind of file system: a /dev that has a console is left alone, whatever it is. A root that cannot be
 * written to, and a container that may mount nothing, are used as they are. */
#ifndef TERMINAL_SU_ROOT_H
#define TERMINAL_SU_ROOT_H

#include <stdbool.h>

struct su_root {
	bool has_proc, has_dev;         /* we have mounted it */
};

void su_root_prepare(struct su_root *root);

/* Takes away what was mounted, and nothing else. */
void su_root_undo(const struct su_root *root);

#endif
