/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the text of wall, in words and in a file, and as what a broadcast is made of: 20 lines of 79 bytes at most
 * from a file, nothing that steers a terminal, and no second banner that looks like the first. A wrong answer aborts. */
#include <strings.h>

#include "fuzz/harmless.h"
#include "fuzz/input.h"
#include "lib/broadcast.h"
#include "terminal/wall_text.h"

static void check_lines(const struct wall_text *text, size_t width_max)
{
	const char *at = text->bytes, *end = at + text->len_bytes, *newline;
	int lines = 0;

	FUZZ_CHECK(text->len_bytes <= WALL_TEXT_MAX);
	for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
		lines++;
		FUZZ_CHECK((size_t)(newline - at) <= width_max + 1);
	}
	FUZZ_CHECK(at == end && lines == text->lines && lines <= WALL_LINES_MAX);
}

/* Whether the mark of a banner's words ends at at, or before the ^ that shows their first letter. */
static bool has_mark(const char *from, const char *at)
{
	return (at >= from + 2 && !memcmp(at - 2, "> ", 2)) || (at >= from + 3 && !memcmp(at - 3, "> ^", 3));
}

static void check_no_banner(const struct broadcast *message, size_t from)
{
	static const char *const words[] = { "Broadcast message from", "Remote broadcast message" };

	for (size_t i = 0; i < 2; i++)
		for (size_t at = from; at + strlen(words[i]) <= message->len_bytes; at++)
			FUZZ_CHECK(strncasecmp(message->bytes + at, words[i], strlen(words[i])) ||
				has_mark(message->bytes + from, message->bytes + at));
}

static void check_message(const char *text, size_t len)
{
	struct broadcast message;
	size_t banner;

	broadcast_begin_remote(&message, 1700000000);
	banner = message.len_bytes;
	broadcast_add_text(&message, text, len);
	FUZZ_CHECK(message.len_bytes <= BROADCAST_MAX);
	check_harmless(message.bytes, message.len_bytes, 1);
	for (size_t i = banner; i < message.len_bytes; i++)
		FUZZ_CHECK(message.bytes[i] != '\r' || (i + 1 < message.len_bytes && message.bytes[i + 1] == '\n'));
	check_no_banner(&message, banner);
}

static void check_user(const char *name)
{
	struct broadcast message;

	broadcast_begin(&message, name, 1700000000);
	FUZZ_CHECK(message.len_bytes > 4 && !memcmp(message.bytes + message.len_bytes - 4, "\r\n\r\n", 4));
	check_harmless(message.bytes, message.len_bytes, 1);
	/* Of one line between two empty ones: a name makes no line. */
	for (size_t i = 2; i + 4 < message.len_bytes; i++)
		FUZZ_CHECK(message.bytes[i] != '\n' && message.bytes[i] != '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct wall_text text;
	char path[FILE_PATH_MAX], *words[8] = { NULL };
	int fd = file_of(data, size, path), open;

	check_message((const char *)data, size);
	open = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	FUZZ_CHECK(open >= 0 && !wall_text_of_file(&text, open));
	check_lines(&text, WALL_WIDTH_BYTES);
	check_message(text.bytes, text.len_bytes);
	sys_close(open);
	sys_close(fd);
	for (int i = 0; i < 7 && input.left; i++)
		words[i] = input_line(&input, ' ');
	check_user(words[0] ? words[0] : "");
	wall_text_of_words(&text, words);
	check_lines(&text, WALL_TEXT_MAX);
	check_message(text.bytes, text.len_bytes);
	for (int i = 0; i < 7; i++)
		free(words[i]);
	return 0;
}
