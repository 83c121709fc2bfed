/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/bootlines.h"

#include <string.h>
#include <time.h>

void bootlines_begin(struct bootlines *lines, bool keep_escapes, bootlines_put *put, void *context)
{
	*lines = (struct bootlines){ .keep_escapes = keep_escapes, .put = put, .context = context };
	escape_begin(&lines->escape);
	bootlines_set_time(lines, 0, 0);
}

void bootlines_set_time(struct bootlines *lines, int64_t utc_s, int32_t east_s)
{
	time_t local = (time_t)(utc_s + east_s);
	struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };

	/* gmtime_r() reads no file, and a year that it cannot tell leaves 1970. */
	(void)gmtime_r(&local, &tm);
	if (!strftime(lines->stamp, sizeof lines->stamp, "%a %b %e %H:%M:%S %Y: ", &tm))
		lines->stamp[0] = '\0';
}

static void put_text(struct bootlines *lines, const char *bytes, size_t len_bytes)
{
	if (!lines->in_line)
		lines->put(lines->context, lines->stamp, strlen(lines->stamp));
	lines->put(lines->context, bytes, len_bytes);
	lines->in_line = bytes[len_bytes - 1] != '\n';
	lines->after_blank = !lines->in_line || bytes[len_bytes - 1] == ' ';
}

/* The cursor went elsewhere: what comes next is no part of the last word. */
static bool is_move(const struct escape_event *event)
{
	return event->kind == ESCAPE_CSI && strchr("CGHdf`", event->final);
}

static void hear(void *context, const struct escape_event *event)
{
	struct bootlines *lines = context;

	if (event->kind == ESCAPE_CHARACTER)
		put_text(lines, event->text, event->len_bytes);
	else if (event->kind == ESCAPE_CONTROL && event->final == '\n')
		put_text(lines, "\n", 1);
	else if (is_move(event) && lines->in_line && !lines->after_blank)
		put_text(lines, " ", 1);
}

static void take_as_it_is(struct bootlines *lines, const char *bytes, size_t len_bytes)
{
	while (len_bytes) {
		const char *end = memchr(bytes, '\n', len_bytes);
		size_t len = end ? (size_t)(end - bytes) + 1 : len_bytes;

		put_text(lines, bytes, len);
		bytes += len;
		len_bytes -= len;
	}
}

void bootlines_take(struct bootlines *lines, const char *bytes, size_t len_bytes)
{
	if (lines->keep_escapes)
		take_as_it_is(lines, bytes, len_bytes);
	else
		escape_take(&lines->escape, bytes, len_bytes, hear, lines);
}

void bootlines_end(struct bootlines *lines)
{
	if (lines->in_line)
		put_text(lines, "\n", 1);
}

void bootlines_say(struct bootlines *lines, const char *text)
{
	bootlines_end(lines);
	put_text(lines, text, strlen(text));
	put_text(lines, "\n", 1);
}
