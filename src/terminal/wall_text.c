/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/wall_text.h"

#include <string.h>

#include "lib/io.h"
#include "lib/text.h"

enum {
	/* 20 lines of 79 bytes and two for their ends, and enough to see that there is more. */
	RAW_MAX = WALL_TEXT_MAX,
	WORDS_MAX = WALL_TEXT_MAX - 4,          /* of words, with a blank behind each: below that */
};

static void put(struct wall_text *to, const char *piece, size_t len_bytes)
{
	memcpy(to->bytes + to->len_bytes, piece, len_bytes);
	to->len_bytes += len_bytes;
}

static void lines_cut(struct wall_text *text)
{
	const char *at = text->bytes, *end = at + text->len_bytes;

	text->lines = 0;
	while (text->lines < WALL_LINES_MAX && (at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		text->lines++;
	}
	if (text->lines < WALL_LINES_MAX || at == end)
		return;
	text->len_bytes = (size_t)(at - text->bytes);
	text->is_cut = true;
}

void wall_text_of_words(struct wall_text *out, char *const words[])
{
	size_t sum = 0;

	out->len_bytes = 0;
	out->is_cut = false;
	for (; *words; words++) {
		size_t len = strlen(*words);

		if (len >= WORDS_MAX || sum + len + 1 >= WORDS_MAX) {
			out->is_cut = true;
			break;
		}
		sum += len + 1;
		put(out, *words, len);
		if (words[1])
			put(out, " ", 1);
	}
	put(out, "\r\n", 2);
	lines_cut(out);
}

/* How much of a line goes into one: 79 bytes, or a little less before a character that would be torn apart. */
static size_t fold(const char *line, size_t len_bytes)
{
	size_t at = 0;

	while (at < len_bytes) {
		uint32_t code;
		size_t len = text_character(line + at, len_bytes - at, &code);

		len = len ? len : 1;
		if (at + len > WALL_WIDTH_BYTES)
			break;
		at += len;
	}
	return at;
}

/* False: there is no room for another line. */
static bool line_put(struct wall_text *out, const char *line, size_t len_bytes)
{
	do {
		size_t piece = fold(line, len_bytes);

		if (out->lines == WALL_LINES_MAX)
			return false;
		put(out, line, piece);
		put(out, "\r\n", 2);
		out->lines++;
		line += piece;
		len_bytes -= piece;
	} while (len_bytes);
	return true;
}

int wall_text_of_file(struct wall_text *out, int fd)
{
	char raw[RAW_MAX];
	ssize_t len = io_read_all(fd, raw, sizeof raw);
	const char *at = raw, *end;

	if (len < 0)
		return (int)len;
	end = raw + len;
	*out = (struct wall_text){ 0 };
	while (at < end && !out->is_cut) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		bool has_return = newline && stop > at && stop[-1] == '\r';

		out->is_cut = !line_put(out, at, (size_t)(stop - at) - has_return);
		at = newline ? newline + 1 : end;
	}
	return 0;
}
