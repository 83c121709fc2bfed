/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 character at text, 0 if there is none that a terminal should see: malformed,
 * overlong, a surrogate, beyond Unicode, or a C1 control. */
static size_t character_length(const unsigned char *text, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80 + 0x20, 0x800, 0x10000 };
	size_t len = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
	uint32_t code = *text & (0x7fu >> len);

	if (*text < 0xc2 || *text > 0xf4 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : len;
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
			taken = size = character_length(from + i, len_bytes - i);
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
