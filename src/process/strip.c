/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/strip.h"

enum { BEGIN = 1, END = 2 };

size_t strip_copy(struct strip *strip, const char *in, size_t len_bytes, char *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < len_bytes; i++) {
		if (!strip->is_inside && in[i] != BEGIN)
			out[kept++] = in[i];
		if (in[i] == BEGIN)
			strip->is_inside = true;
		else if (in[i] == END)
			strip->is_inside = false;
	}
	return kept;
}
