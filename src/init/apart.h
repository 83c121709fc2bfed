/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apart.h - work done in a child, so that what it does to itself (a fault in a library, memory without end, a loop) is no more
 * than its failure. For selinux-load, not for process 1. Waits until the child has ended, which its limits see to. */
#ifndef INIT_APART_H
#define INIT_APART_H

#include <stdint.h>
#include <sys/resource.h>

#include "lib/num.h"

struct apart_limits {
	rlim_t memory_bytes, cpu_s;     /* RLIM_INFINITY: none */
};

enum { APART_KILLED = 256 };

/* Runs work(arg) in a child. What work returns, 0 to 254; APART_KILLED + the signal that ended it, without a core; or a
 * negative errno: it was not run. said gets the first line that the child said on standard output or error, fit for a
 * terminal and cut at size_bytes, with a NUL; NULL: it speaks for itself, where the caller does. */
int apart_run(int (*work)(const void *arg), const void *arg, const struct apart_limits *limits, char *said,
	size_t size_bytes) MUST_CHECK;

#endif
