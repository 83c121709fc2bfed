/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/columns.h"

#include <stdio.h>
#include <string.h>

enum {
	USER_WIDTH = 8, USER_MAX = 32, LINE_WIDTH = 12, HOST_WIDTH = 16, HOST_MAX = 256,
	LOGIN_WIDTH = 16, LOGOUT_WIDTH = 7, LENGTH_WIDTH = 12, LENGTH_WIDTH_LONG = 16,
	FULL_LOGIN_WIDTH = 24, FULL_LOGOUT_WIDTH = 26,
	LENGTH_BYTES = 48,
};

struct row {
	char *at, *end;
};

static char clean(char c)
{
	return c >= ' ' && c <= '~' ? c : '*';
}

void columns_clean(char *text)
{
	for (; *text; text++)
		*text = clean(*text);
}

/* Eight bytes at once: whether each is printable. The first that is not is seen, whatever it carries into the next. */
static bool is_clean(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	return !((eight | (eight - ones * ' ') | (eight + ones * (0x7f - '~'))) & ones * 0x80);
}

static void put_bytes(struct row *row, const char *from, size_t len)
{
	size_t room = (size_t)(row->end - row->at);
	uint64_t eight;

	if (len > room)
		len = room;
	for (; len >= sizeof eight; len -= sizeof eight, from += sizeof eight, row->at += sizeof eight) {
		memcpy(&eight, from, sizeof eight);
		if (!is_clean(eight))
			break;
		memcpy(row->at, &eight, sizeof eight);
	}
	for (size_t i = 0; i < len; i++)
		*row->at++ = clean(from[i]);
}

/* At most max bytes of text, filled up with blanks to width. */
static void put(struct row *row, struct text text, size_t width, size_t max)
{
	size_t len = text.len < max ? text.len : max, room;

	put_bytes(row, text.at, len);
	room = (size_t)(row->end - row->at);
	if (len >= width)
		return;
	if (width - len < room)
		room = width - len;
	memset(row->at, ' ', room);
	row->at += room;
}

/* The same behind a blank: every column but the first. */
static void put_next(struct row *row, struct text text, size_t width, size_t max)
{
	put_bytes(row, " ", 1);
	put(row, text, width, max);
}

/* A column of our own words, behind a blank: nothing in it needs a look. */
static void put_own(struct row *row, const char *text, size_t width)
{
	size_t len = strlen(text), room = (size_t)(row->end - row->at);

	if (room < width + 1) {                 /* a host from the resolver has used it up */
		put_next(row, (struct text){ text, len }, width, width);
		return;
	}
	if (len > width)
		len = width;
	row->at[0] = ' ';
	memcpy(row->at + 1, text, len);
	memset(row->at + 1 + len, ' ', width - len);
	row->at += 1 + width;
}

/* Whole minutes, rounded towards zero; what is negative has its sign once. */
static void write_length(int64_t s, char out[LENGTH_BYTES])
{
	int64_t minutes = s / 60 % 60, hours = s / 3600 % 24, days = s / 86400;
	int m = (int)(minutes < 0 ? -minutes : minutes), h = (int)(hours < 0 ? -hours : hours);

	if (days)
		(void)snprintf(out, LENGTH_BYTES, "(%lld+%02d:%02d)", (long long)days, h, m);
	else if (hours)
		(void)snprintf(out, LENGTH_BYTES, " (%02d:%02d)", (int)hours, m);
	else
		(void)snprintf(out, LENGTH_BYTES, s < 0 ? " (-00:%02d)" : " (00:%02d)", m);
}

static void write_length_fast(int64_t s, char out[LENGTH_BYTES])
{
	if (s < 0 || s >= 86400) {
		write_length(s, out);
		return;
	}
	memcpy(out, " (00:00)", 9);
	out[2] = (char)('0' + s / 36000);
	out[3] = (char)('0' + s / 3600 % 10);
	out[5] = (char)('0' + s / 600 % 6);
	out[6] = (char)('0' + s / 60 % 10);
}

/* Times of 64 bits may be anything. */
static int64_t span_s(int64_t from_s, int64_t to_s)
{
	int64_t span;

	if (__builtin_sub_overflow(to_s, from_s, &span))
		return to_s < from_s ? INT64_MIN : INT64_MAX;
	return span;
}

/* The two columns of how it ended. */
static void write_end(const struct columns *columns, struct moment *moment, const struct happening *what,
	char logout[MOMENT_DATE_BYTES + 2], char length[LENGTH_BYTES])
{
	static const struct {
		const char *logout, *length, *full;
	} words[] = {
		[FATE_CRASHED] = { "- crash", NULL, "- crash" },
		[FATE_DOWN] = { "- down ", NULL, "- down " },
		[FATE_LOGGED_IN] = { "  still", "logged in", "  still logged in" },
		[FATE_RUNNING] = { "  still", "running", "  still running" },
		[FATE_GONE] = { "   gone", "- no logout", "  gone - no logout" },
		[FATE_UNKNOWN] = { "", "", "" },
		[FATE_MOMENT] = { "", "", "" },
	};

	length[0] = '\0';
	if (what->fate == FATE_ENDED) {
		memcpy(logout, "- ", 2);
		if (columns->full_dates)
			(void)moment_write(moment, what->end_s, logout + 2);
		else
			moment_write_clock(moment, what->end_s, logout + 2);
	} else {
		strcpy(logout, columns->full_dates ? words[what->fate].full : words[what->fate].logout);
	}
	if (what->fate == FATE_ENDED || !words[what->fate].length)
		write_length_fast(span_s(what->record.s, what->end_s), length);
	else if (!columns->full_dates)
		strcpy(length, words[what->fate].length);
}

int columns_write(const struct columns *columns, struct moment *moment, const struct happening *what, struct text host,
	char out[COLUMNS_LINE_MAX + 1])
{
	char login[MOMENT_DATE_BYTES], logout[MOMENT_DATE_BYTES + 2], length[LENGTH_BYTES];
	size_t user_width = columns->long_names ? USER_MAX : USER_WIDTH;
	size_t user_max = columns->long_names || columns->whole_names ? USER_MAX : USER_WIDTH;
	size_t login_width = columns->full_dates ? FULL_LOGIN_WIDTH : LOGIN_WIDTH;
	bool is_wide = columns->long_names && columns->host_last;
	size_t logout_width = columns->full_dates ? FULL_LOGOUT_WIDTH : LOGOUT_WIDTH;
	size_t length_width = is_wide ? LENGTH_WIDTH_LONG : LENGTH_WIDTH;
	struct row row = { out, out + COLUMNS_LINE_MAX };

	if (what->record.layout->is_old && columns->long_names)
		user_width = USER_WIDTH;
	(void)moment_write(moment, what->record.s, login);
	write_end(columns, moment, what, logout, length);
	put(&row, record_text(&what->record, TEXT_USER), user_width, user_max);
	put_next(&row, what->line, LINE_WIDTH, LINE_WIDTH);
	if (!columns->no_host && !columns->host_last)
		put_next(&row, host, HOST_WIDTH, columns->whole_names && !columns->long_names ? HOST_MAX : HOST_WIDTH);
	put_own(&row, login, login_width);
	put_own(&row, logout, logout_width);
	put_own(&row, length, length_width);
	if (!columns->no_host && columns->host_last)
		put_next(&row, host, 0, COLUMNS_LINE_MAX);
	*row.at++ = '\n';
	return (int)(row.at - out);
}
