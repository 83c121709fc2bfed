/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render.h - a line of terminal output as the screen had it in the end: what a carriage return, a backspace or a cursor
 * motion wrote over is gone, and of escape sequences and control characters none is left but TAB. */
#ifndef TERMINAL_RENDER_H
#define TERMINAL_RENDER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"
#include "terminal/escape.h"

struct render_cell {
	char bytes[ESCAPE_CHARACTER_MAX];
	uint8_t len_bytes;
};

struct render {
	struct escape escape;
	struct render_cell *cells;
	size_t room, count;
	size_t cursor, saved;
	size_t margin;          /* what bootlogd put before the line, which no cursor motion of the line knows of */
	int err;
	char *text;             /* the result */
	size_t text_room, text_bytes;
};

/* To begin with: { 0 }. render_free() gives the memory back. */
void render_free(struct render *render);

/* A line without its LF; text and text_bytes are good until the next one. Where an older bootlogd left the remains of
 * Debian's status messages they are mended. 0 or -ENOMEM. */
int render_line(struct render *render, const char *line, size_t len_bytes) MUST_CHECK;

#endif
