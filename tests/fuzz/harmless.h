/* SPDX-License-Identifier: GPL-2.0-or-later */
/* harmless.h - what must hold of text that reaches somebody's terminal. */
#ifndef FUZZ_HARMLESS_H
#define FUZZ_HARMLESS_H

#include "fuzz/fuzz.h"

/* No byte of it steers a terminal, but for tabs, newlines and, with_returns, CRs. */
static inline void check_harmless(const char *bytes, size_t len, int with_returns)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		FUZZ_CHECK(byte >= 0x20 || byte == '\t' || byte == '\n' || (with_returns && byte == '\r'));
		FUZZ_CHECK(byte != 0x7f);
		/* C1 of UTF-8, which a terminal obeys. */
		FUZZ_CHECK(byte != 0xc2 || i + 1 == len || (unsigned char)bytes[i + 1] < 0x80 ||
			(unsigned char)bytes[i + 1] >= 0xa0);
	}
}

#endif
