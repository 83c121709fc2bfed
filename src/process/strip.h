/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strip.h - leaves out of a stream what stands between a byte 001 and the next byte 002: what fsck(8) draws on the console and
 * takes away again. Counts bytes, NULs included. Nothing here can block. */
#ifndef PROCESS_STRIP_H
#define PROCESS_STRIP_H

#include <stdbool.h>
#include <stddef.h>

struct strip {
	bool is_inside;         /* carried from one piece of the stream to the next */
};

/* Copies to out, which has room for len_bytes, what is to stay of in. How many bytes. */
size_t strip_copy(struct strip *strip, const char *in, size_t len_bytes, char *out);

#endif
