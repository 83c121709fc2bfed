/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pidset.h - a set of process numbers, as large as Linux lets them get, in memory that a child made later shares.
 * Nothing here can block; only pidset_begin() takes memory, and that is touched where numbers are put in. */
#ifndef PROCESS_PIDSET_H
#define PROCESS_PIDSET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/num.h"

enum { PIDSET_LIMIT = 4194304 };        /* PID_MAX_LIMIT of 64-bit kernels; those of 32 bits stay below */

struct pidset {
	_Atomic uint64_t *word;
	int count;                      /* of the process that puts them in; a child's copy is as of the fork */
};

int pidset_begin(struct pidset *set) MUST_CHECK;
void pidset_end(struct pidset *set);

/* Numbers outside of 1 to PIDSET_LIMIT - 1 are nobody's, and not put in. */
void pidset_add(struct pidset *set, pid_t pid);
void pidset_remove(struct pidset *set, pid_t pid);
bool pidset_has(const struct pidset *set, pid_t pid);

/* The smallest member above after; 0: there is none. */
pid_t pidset_next(const struct pidset *set, pid_t after);

#endif
