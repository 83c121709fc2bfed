/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h - what somebody says, fit for the eyes and the terminals of people. Nothing here can block or
 * allocate. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { TEXT_GROWTH = 2 };       /* the harmless form is at most so many times as long */

/* Copies text so that no byte of it steers a terminal: control characters as ^X, DEL as ^?, what is
 * no UTF-8 or is a control character in it (C1) as ?. Tabs and the rest of UTF-8 pass. Cut at
 * size_bytes, never within a character. Length of the result, which has no NUL. */
size_t text_make_harmless(const char *text, size_t len_bytes, char *out, size_t size_bytes);

/* The UTF-8 character at `at`, of which at least a byte is left: its length in bytes, and *out its code point; 0 if
 * there is none: malformed, overlong, a surrogate, beyond Unicode. */
size_t text_character(const char *at, size_t left_bytes, uint32_t *out);

#endif
