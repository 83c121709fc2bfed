/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t text_character(const char *at, size_t left_bytes, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *text = (const unsigned char *)at;
	size_t len = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
	uint32_t code = *text & (0x7fu >> len);

	if (*text < 0x80) {
		*out = *text;
		return 1;
	}
	if (*text < 0xc2 || *text > 0xf4 || len > left_bytes)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*out = code;
	return len;
}

/* Length of the character at text that a terminal may see, 0 if there is none. */
static size_t shown_length(const char *text, size_t left_bytes)
{
	uint32_t code;
	size_t len = text_character(text, left_bytes, &code);

	return len && code >= 0xa0 ? len : 0;
}

size_t text_make_harmless(const char *text, size_t len_bytes, char *out, size_t size_bytes)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t len = 0;

	for (size_t i = 0; i < len_bytes;) {
		bool is_control = (from[i] < 0x20 && from[i] != '\t') || from[i] == 0x7f;
		char shown[2] = { '^', (char)(from[i] ^ 0x40) };
		const char *piece = text + i;
		size_t taken = 1, size = 1;

		if (is_control) {
			piece = shown;
			size = 2;
		} else if (from[i] >= 0x80) {
			taken = size = shown_length(text + i, len_bytes - i);
			if (!taken) {
				piece = "?";
				taken = size = 1;
			}
		}
		if (size > size_bytes - len)
			break;
		memcpy(out + len, piece, size);
		len += size;
		i += taken;
	}
	return len;
}
