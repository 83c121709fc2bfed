/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmdline.h - the words of a kernel command line, as the kernel itself cuts them: at blanks outside of double quotes.
 * Nothing here can block or allocate. */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/num.h"

enum { CMDLINE_WORD_MAX = 256 };        /* a longer word is cut: none that we look for is */

struct cmdline {
	const char *rest;
	char word[CMDLINE_WORD_MAX];    /* the last one, without the quotes around it or its value */
};

void cmdline_begin(struct cmdline *line, const char *text);

/* Moves on to the next word; false: there is none. */
bool cmdline_next(struct cmdline *line) MUST_CHECK;

/* What stands behind NAME= in the word; NULL: the word is another. The name counts as a whole: "netconsole=" is not
 * "console=". Good until the next word. */
const char *cmdline_value(const struct cmdline *line, const char *name) MUST_CHECK;

#endif
