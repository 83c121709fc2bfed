/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seam.h - for sys.c and systool.c alone: what stands before each call, and what is made of its result. */
#ifndef LIB_SEAM_H
#define LIB_SEAM_H

#include <errno.h>
#include <sys/types.h>

/* tests/fake/sys.c and tests/fault/sys.c define it before they include the two. */
#ifndef BEFORE
#define BEFORE(name)
#endif

static inline int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

static inline ssize_t result_size(ssize_t value)
{
	return value < 0 ? -errno : value;
}

#endif
