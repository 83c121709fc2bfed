/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environ.h - the environment of what init starts. Pure: no allocation, cannot block. */
#ifndef INIT_ENVIRON_H
#define INIT_ENVIRON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/num.h"

enum { ENVIRON_VARS = 16, ENVIRON_VAR_BYTES = 368, ENVIRON_MAX = 128 };

/* Variables that came through initctl (INIT_...), as KEY=VAL; an empty string is a free place.
 * Lives in shared memory. */
struct environ_vars {
	char var[ENVIRON_VARS][ENVIRON_VAR_BYTES];
};

/* "KEY=VAL" sets or replaces, "KEY" removes. 0; -EINVAL: not an INIT_ name, or too long;
 * -ENOSPC: 16 are set. */
int environ_set(struct environ_vars *vars, const char *assignment) MUST_CHECK;

/* Is the variable of this assignment's name among them? */
bool environ_has(const struct environ_vars *vars, const char *assignment);

/* The data area of a SETENV request: strings each ended by NUL, an empty one ends. Unterminated:
 * -EINVAL, nothing set from the torn string on. The first error is returned, the rest is still
 * done. */
int environ_set_all(struct environ_vars *vars, const char *data, size_t size_bytes) MUST_CHECK;

struct environ_values {
	const char *const *inherited;   /* init's own, NULL-terminated */
	const struct environ_vars *vars;
	char level, previous;           /* RUNLEVEL, PREVLEVEL */
	const char *console;            /* CONSOLE */
};

struct environ_block {
	char *envp[ENVIRON_MAX + 1];
	char text[1024];                /* the variables made here */
};

/* What is inherited, then the INIT_ variables, then PATH SHELL RUNLEVEL PREVLEVEL CONSOLE and
 * INIT_VERSION=sysvinit-VERSION; a later one replaces an earlier one of the same name. What does
 * not fit in ENVIRON_MAX is dropped: inherited ones, the last first. CONSOLE is left out when it
 * is NULL or does not fit in text[]. */
void environ_build(struct environ_block *out, const struct environ_values *values);

#endif
