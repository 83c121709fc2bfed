/* SPDX-License-Identifier: GPL-2.0-or-later */
/* num.h - text to number and back, for text that nobody vouches for. Nothing here can block or
 * allocate. */
#ifndef LIB_NUM_H
#define LIB_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Unused results of these are errors in waiting. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Decimal in [min, max], all of text, no blanks, at most one sign. 0, -EINVAL (not a number),
 * -ERANGE. */
int num_parse(const char *text, int64_t min, int64_t max, int64_t *out) MUST_CHECK;

/* FNV-1a, 32 bits: for hash buckets and for noticing damage, not for keeping secrets. */
uint32_t num_hash(const void *data, size_t len_bytes);

#endif
