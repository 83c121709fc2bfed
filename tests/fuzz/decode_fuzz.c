/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a field of fstab: decoding never makes it longer, changes nothing without a backslash, does the same to two
 * halves that no code crosses, and gives back what was written in its codes. A wrong answer aborts. */
#include "fuzz/input.h"
#include "process/decode.h"

/* As the kernel and fstab(5) have it. */
static char *encode(const char *text)
{
	char *coded = malloc(4 * strlen(text) + 1), *to = coded;

	FUZZ_CHECK(coded);
	for (; *text; text++)
		to += strchr(" \t\n\\#", *text) ? sprintf(to, "\\%03o", (unsigned char)*text) : sprintf(to, "%c", *text);
	*to = '\0';
	return coded;
}

static void check_halves(const char *text, size_t at)
{
	char *whole = strdup(text), *first = strndup(text, at), *second = strdup(text + at);

	FUZZ_CHECK(whole && first && second);
	decode_field(whole);
	decode_field(first);
	decode_field(second);
	FUZZ_CHECK(strlen(whole) == strlen(first) + strlen(second));
	FUZZ_CHECK(!strncmp(whole, first, strlen(first)) && !strcmp(whole + strlen(first), second));
	free(whole);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	char *text = input_text(&input, size), *coded = encode(text), *decoded = strdup(text);

	FUZZ_CHECK(decoded);
	decode_field(coded);
	FUZZ_CHECK(!strcmp(coded, text));
	decode_field(decoded);
	FUZZ_CHECK(strlen(decoded) <= strlen(text));
	FUZZ_CHECK(strchr(text, '\\') || !strcmp(decoded, text));
	for (const char *at = text; (at = strchr(at, '/')); at++)
		check_halves(text, (size_t)(at - text));
	free(text);
	free(coded);
	free(decoded);
	return 0;
}
