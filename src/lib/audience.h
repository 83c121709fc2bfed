/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audience.h - the terminals that utmp says people are logged in on. utmp is not trusted: a line leads to a
 * terminal below /dev or to nothing. Reads utmp without waiting for its lock, and looks at nodes in /dev;
 * opens none of them. */
#ifndef LIB_AUDIENCE_H
#define LIB_AUDIENCE_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/num.h"

enum {
	AUDIENCE_MAX = 16384,           /* what is behind them gets nothing */
	AUDIENCE_PATH_MAX = 40,         /* "/dev/", a line of utmp, NUL */
};

struct audience {
	size_t count;
	struct audience_seat {
		dev_t device;
		char path[AUDIENCE_PATH_MAX];
	} seat[AUDIENCE_MAX];
};

/* One seat for each terminal of a USER_PROCESS record of the file at utmp that has a user, and whose process
 * lives if it names one. A terminal is a character device with one name, of a number that the kernel's list of
 * terminals has. 0, or the negative errno of opening or reading utmp; the audience is what was found until then. */
int audience_gather(struct audience *out, const char *utmp) MUST_CHECK;

#endif
