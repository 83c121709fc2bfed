/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simple.h - is a shell line one simple command? Then "exec " may stand before it. Pure. */
#ifndef INIT_SIMPLE_H
#define INIT_SIMPLE_H

#include <stdbool.h>

/* True only when "exec LINE" does what LINE does: one command word that is no builtin and no
 * reserved word, with arguments and redirections. False for a list, pipe, group, leading
 * assignment, redirections alone, here-documents, and whatever is not understood with certainty
 * (open quotes, $'...'). */
bool simple_is_command(const char *line);

#endif
