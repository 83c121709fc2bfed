/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/decode.h"

#include <stddef.h>
#include <string.h>

static const struct code {
	char text[4];
	char means;
} codes[] = { { "\\", '\\' }, { "011", '\t' }, { "012", '\n' }, { "040", ' ' }, { "043", '#' }, { "134", '\\' } };

/* What stands behind a backslash; NULL: none of ours. */
static const struct code *code_at(const char *text)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (!strncmp(text, codes[i].text, strlen(codes[i].text)))
			return &codes[i];
	return NULL;
}

void decode_field(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		const struct code *code = *from == '\\' ? code_at(from + 1) : NULL;

		*to = code ? code->means : *from;
		from += code ? 1 + strlen(code->text) : 1;
	}
	*to = '\0';
}
