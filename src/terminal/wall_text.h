/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wall_text.h - the text of a message, from words or from a file, cut to what a screen holds. Allocates nothing. */
#ifndef TERMINAL_WALL_TEXT_H
#define TERMINAL_WALL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/num.h"

enum {
	WALL_TEXT_MAX = 4096,
	WALL_LINES_MAX = 20,
	WALL_WIDTH_BYTES = 79,
};

struct wall_text {
	size_t len_bytes;
	int lines;                      /* newlines in it */
	bool is_cut;                    /* there was more */
	char bytes[WALL_TEXT_MAX];
};

/* Words with a blank between them, "\r\n" behind the last. The first word that does not fit and all after it are
 * left out, and so is what stands behind the 20th newline. words ends with NULL. Cannot block. */
void wall_text_of_words(struct wall_text *out, char *const words[]);

/* The lines that fd holds, each ended by "\r\n"; one of more than 79 bytes goes on in the next line, with no character
 * torn apart. Reads until end of file, or until it has more than 20 lines can take. 0 or a negative errno. Blocks as
 * reading fd does. */
int wall_text_of_file(struct wall_text *out, int fd) MUST_CHECK;

#endif
