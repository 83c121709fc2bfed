/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/cmdline.h"

#include <string.h>

#define BLANKS " \t\r\n\v\f"

void cmdline_begin(struct cmdline *line, const char *text)
{
	line->rest = text;
	line->word[0] = '\0';
}

static void quote_remove(char *from)
{
	size_t len = strlen(from);

	if (*from != '"')
		return;
	memmove(from, from + 1, len--);
	if (len && from[len - 1] == '"')
		from[len - 1] = '\0';
}

/* One around the whole word, or one around the value: others stay, as the kernel leaves them. */
static void quotes_remove(char *word)
{
	char *value;

	if (*word == '"') {
		quote_remove(word);
		return;
	}
	value = strchr(word, '=');
	if (value)
		quote_remove(value + 1);
}

bool cmdline_next(struct cmdline *line)
{
	const char *from = line->rest + strspn(line->rest, BLANKS), *end = from;
	bool is_quoted = false;
	size_t len;

	for (; *end && (is_quoted || !strchr(BLANKS, *end)); end++)
		if (*end == '"')
			is_quoted = !is_quoted;
	len = (size_t)(end - from);
	if (len >= sizeof line->word)
		len = sizeof line->word - 1;
	memcpy(line->word, from, len);
	line->word[len] = '\0';
	quotes_remove(line->word);
	line->rest = end;
	return end != from;
}

const char *cmdline_value(const struct cmdline *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line->word, name, len) || line->word[len] != '=')
		return NULL;
	return line->word + len + 1;
}
