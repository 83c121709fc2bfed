/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/render.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 256, STATUS_MAX = 8 };

/* What stock's bootlogd left of "save cursor, go to column 1, [ ok, restore cursor" with the cursor off and on. */
#define OLD_BEGIN "??7["
#define OLD_END "8??"

/* As bootlogd writes it: a digit or a blank for d. */
static const char stamp_form[] = "Aaa Aaa dd dd:dd:dd dddd: ";

void render_free(struct render *render)
{
	free(render->cells);
	free(render->text);
	*render = (struct render){ 0 };
}

/* Room for one more than there are. */
static int make_room(void **at, size_t *room, size_t count, size_t size_bytes)
{
	size_t more = *room ? *room : ROOM_FIRST;
	void *grown;

	if (count < *room)
		return 0;
	while (more <= count)
		more *= 2;
	grown = realloc(*at, more * size_bytes);
	if (!grown)
		return -ENOMEM;
	*at = grown;
	*room = more;
	return 0;
}

static void put_cell(struct render *render, const char *bytes, size_t len_bytes)
{
	void *cells = render->cells;
	int err = make_room(&cells, &render->room, render->cursor, sizeof *render->cells);

	if (err) {
		render->err = err;
		return;
	}
	render->cells = cells;
	while (render->count <= render->cursor)
		render->cells[render->count++] = (struct render_cell){ .bytes = " ", .len_bytes = 1 };
	memcpy(render->cells[render->cursor].bytes, bytes, len_bytes);
	render->cells[render->cursor++].len_bytes = (uint8_t)len_bytes;
}

static void erase(struct render *render, int what)
{
	size_t from = what >= 1 ? render->margin : render->cursor, to = what == 1 ? render->cursor + 1 : render->count;

	if (what != 1 && from < render->count)
		render->count = from;
	for (; what == 1 && from < to && from < render->count; from++)
		render->cells[from] = (struct render_cell){ .bytes = " ", .len_bytes = 1 };
}

static void move_back(struct render *render, size_t columns)
{
	render->cursor = render->cursor - render->margin > columns ? render->cursor - columns : render->margin;
}

/* To a place of the screen: which column of this line that is, nobody knows. */
static void set_apart(struct render *render)
{
	render->cursor = render->count;
	if (render->cursor > render->margin && render->cells[render->cursor - 1].bytes[0] != ' ')
		put_cell(render, " ", 1);
}

static void hear_csi(struct render *render, const struct escape_event *event)
{
	size_t columns = event->parameter > 0 ? (size_t)event->parameter : 1;

	switch (event->final) {
	case 'G':
	case '`':
		render->cursor = render->margin + columns - 1;
		break;
	case 'C':
		render->cursor += columns;
		break;
	case 'D':
		move_back(render, columns);
		break;
	case 'J':
	case 'K':
		erase(render, event->parameter);
		break;
	case 'H':
	case 'f':
		set_apart(render);
		break;
	case 's':
		render->saved = render->cursor;
		break;
	case 'u':
		render->cursor = render->saved;
		break;
	default:
		break;          /* colours and the like */
	}
}

static void hear(void *context, const struct escape_event *event)
{
	struct render *render = context;

	switch (event->kind) {
	case ESCAPE_CHARACTER:
		put_cell(render, event->text, event->len_bytes);
		break;
	case ESCAPE_CONTROL:
		if (event->final == '\r')
			render->cursor = render->margin;
		else if (event->final == '\b')
			move_back(render, 1);
		break;
	case ESCAPE_SHORT:
		if (event->final == '7')
			render->saved = render->cursor;
		else if (event->final == '8')
			render->cursor = render->saved;
		break;
	case ESCAPE_CSI:
		hear_csi(render, event);
		break;
	}
}

static bool is_in(char c, char from, char to)
{
	return c >= from && c <= to;
}

static size_t stamp_bytes(const char *line, size_t len_bytes)
{
	if (len_bytes < sizeof stamp_form - 1)
		return 0;
	for (size_t i = 0; stamp_form[i]; i++) {
		char form = stamp_form[i], c = line[i];
		bool fits = form == 'A' ? is_in(c, 'A', 'Z') : form == 'a' ? is_in(c, 'a', 'z') :
			form == 'd' ? is_in(c, '0', '9') || c == ' ' : c == form;

		if (!fits)
			return 0;
	}
	return sizeof stamp_form - 1;
}

/* Letters between the two remains; NULL: it is something else. */
static const char *old_status_end(const char *status, size_t len_bytes)
{
	size_t len = 0;

	while (len < len_bytes && len <= STATUS_MAX && (is_in(status[len], 'a', 'z') || is_in(status[len], 'A', 'Z') ||
		status[len] == ' '))
		len++;
	if (!len || len > STATUS_MAX || len_bytes - len < sizeof OLD_END - 1 ||
		memcmp(status + len, OLD_END, sizeof OLD_END - 1))
		return NULL;
	return status + len;
}

/* Takes the line in pieces: as it is, or with the remains replaced. True: there were some. */
static bool take_mended(struct render *render, const char *line, size_t len_bytes)
{
	const char *end = line + len_bytes, *begin = line, *status_end = NULL;

	while (!status_end && begin && (begin = memmem(begin, (size_t)(end - begin), OLD_BEGIN, sizeof OLD_BEGIN - 1))) {
		begin += sizeof OLD_BEGIN - 1;
		status_end = old_status_end(begin, (size_t)(end - begin));
	}
	if (!status_end) {
		escape_take(&render->escape, line, len_bytes, hear, render);
		return false;
	}
	escape_take(&render->escape, line, (size_t)(begin - line) - (sizeof OLD_BEGIN - 1), hear, render);
	escape_take(&render->escape, " [", 2, hear, render);
	escape_take(&render->escape, begin, (size_t)(status_end - begin), hear, render);
	escape_take(&render->escape, "]", 1, hear, render);
	status_end += sizeof OLD_END - 1;
	(void)take_mended(render, status_end, (size_t)(end - status_end));      /* this one had them in any case */
	return true;
}

static int text_make(struct render *render)
{
	void *text = render->text;
	int err = make_room(&text, &render->text_room, render->count * ESCAPE_CHARACTER_MAX, 1);

	if (err)
		return err;
	render->text = text;
	render->text_bytes = 0;
	for (size_t i = 0; i < render->count; i++) {
		memcpy(render->text + render->text_bytes, render->cells[i].bytes, render->cells[i].len_bytes);
		render->text_bytes += render->cells[i].len_bytes;
	}
	return 0;
}

int render_line(struct render *render, const char *line, size_t len_bytes)
{
	size_t stamp = stamp_bytes(line, len_bytes);
	bool is_mended;

	escape_begin(&render->escape);
	render->count = render->cursor = render->saved = render->margin = 0;
	render->err = 0;
	escape_take(&render->escape, line, stamp, hear, render);
	render->margin = render->saved = render->cursor;
	is_mended = take_mended(render, line + stamp, len_bytes - stamp);
	/* The rest of such a message without a text. */
	if (is_mended && render->count >= 2 && render->cells[render->count - 1].bytes[0] == '.' &&
		render->cells[render->count - 2].bytes[0] == ' ')
		render->count -= 2;
	return render->err ? render->err : text_make(render);
}
