/* SPDX-License-Identifier: GPL-2.0-or-later */
/* escape.h - what a terminal makes of the bytes it is sent: characters, control characters, and sequences that it does not
 * show (ECMA-48, and what the Linux console adds). The state survives from one byte to the next, wherever the output
 * was cut. A sequence that does not end is given up: at the end of its line, at ESCAPE_BYTES_MAX, or at a byte that
 * cannot belong to it. Nothing here can block or allocate. */
#ifndef TERMINAL_ESCAPE_H
#define TERMINAL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

enum { ESCAPE_BYTES_MAX = 1024, ESCAPE_CHARACTER_MAX = 4 };

enum escape_kind {
	ESCAPE_CHARACTER = 1,   /* text, len_bytes: one character of UTF-8, or one byte from 0xa0 on that is none; TAB too */
	ESCAPE_CONTROL,         /* final: a control character, among them LF, CR, BS */
	ESCAPE_SHORT,           /* final: ESC and this byte */
	ESCAPE_CSI,             /* final; parameter: the first one, -1 if there is none or the sequence is a private one */
};

struct escape_event {
	enum escape_kind kind;
	const char *text;
	size_t len_bytes;
	char final;
	int parameter;
};

typedef void escape_hear(void *context, const struct escape_event *event);

enum escape_state {
	ESCAPE_IN_TEXT = 1,
	ESCAPE_BEGUN,
	ESCAPE_IN_SHORT,        /* behind ESC and a byte that announces another */
	ESCAPE_IN_CSI,
	ESCAPE_IN_ECHO,         /* behind CSI and [: the Linux console swallows one more */
	ESCAPE_IN_STRING,       /* OSC, DCS ... until ST or BEL */
	ESCAPE_STRING_MAY_END,  /* ... and ESC: ST if a backslash follows */
};

struct escape {
	enum escape_state state;
	int length;             /* of the sequence so far */
	int parameter;
	bool is_private, has_first;
	bool is_osc;
	int palette_left;       /* digits that are still to come of the Linux console's OSC P */
	char pending[ESCAPE_CHARACTER_MAX];     /* the beginning of a character */
	size_t pending_bytes, pending_need;
};

void escape_begin(struct escape *escape);

/* Takes the bytes and tells hear() what they amount to. */
void escape_take(struct escape *escape, const char *bytes, size_t len_bytes, escape_hear *hear, void *context);

#endif
