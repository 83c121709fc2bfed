/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/dump.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "records/address.h"
#include "records/stamp.h"

enum { PLAIN_FIELDS = 8, EXACT_FIELDS = 12, ADDRESS_WIDTH = 15, HEX_BYTES = 2 * LAYOUT_REST_MAX + 1, FIELD_BYTES = 1100 };

static const unsigned char widths[] = { [TEXT_LINE] = 12, [TEXT_ID] = 4, [TEXT_USER] = 8, [TEXT_HOST] = 20 };
static const unsigned short sizes[] = { [TEXT_LINE] = 32, [TEXT_ID] = 4, [TEXT_USER] = 32, [TEXT_HOST] = 256 };
static const enum layout_text order[] = { TEXT_ID, TEXT_USER, TEXT_LINE, TEXT_HOST };
enum { TEXTS = sizeof order / sizeof order[0], TEXT_AT = 2, ADDRESS_AT = TEXT_AT + TEXTS, STAMP_AT };

/* --- writing --- */

struct row {
	char *at;
	size_t room;
};

static void __attribute__((format(printf, 2, 3))) put(struct row *row, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(row->at, row->room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= row->room)
		return;                 /* DUMP_LINE_MAX has room for the longest of records */
	row->at += len;
	row->room -= (size_t)len;
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '[' && c != ']';
}

static void put_plain_text(struct row *row, const struct record *record, enum layout_text which)
{
	struct text text = record_text(record, which);
	char shown[LAYOUT_HOST_MAX + 1];

	for (size_t i = 0; i < text.len; i++)
		shown[i] = is_plain((unsigned char)text.at[i]) ? text.at[i] : '?';
	shown[text.len] = '\0';
	put(row, " [%-*s]", widths[which], shown);
}

/* The field without the NULs at its end: what would be lost or misread is a backslash and three octal digits. */
static void put_exact_text(struct row *row, const struct record *record, enum layout_text which)
{
	const unsigned char *at = record->bytes + record->layout->text[which].at;
	size_t len = record->layout->text[which].bytes;
	char shown[FIELD_BYTES];
	struct row in = { shown, sizeof shown };

	shown[0] = '\0';
	while (len && !at[len - 1])
		len--;
	for (size_t i = 0; i < len; i++) {
		bool is_last_blank = at[i] == ' ' && i == len - 1;

		put(&in, is_plain(at[i]) && at[i] != '\\' && !is_last_blank ? "%c" : "\\%03o", at[i]);
	}
	put(row, " [%-*s]", widths[which], shown);
}

static void put_rest(struct row *row, const struct record_fields *fields)
{
	size_t len = sizeof fields->rest;

	while (len && !fields->rest[len - 1])
		len--;
	put(row, " [");
	for (size_t i = 0; i < len; i++)
		put(row, "%02x", fields->rest[i]);
	put(row, "]");
}

size_t dump_write(const struct record *record, bool is_exact, char out[DUMP_LINE_MAX])
{
	struct row row = { out, DUMP_LINE_MAX };
	unsigned char address[LAYOUT_ADDRESS_BYTES];
	char address_text[ADDRESS_TEXT_BYTES], stamp[STAMP_BYTES];
	struct record_fields fields;

	put(&row, "[%d] [%05d]", record->type, (int)record->pid);
	for (int i = 0; i < TEXTS; i++)
		(is_exact ? put_exact_text : put_plain_text)(&row, record, order[i]);
	record_address(record, address);
	address_write(address, address_text);
	if (is_exact)
		stamp_write_exact(record->s, record->us, stamp);
	else
		stamp_write(record->s, stamp);
	put(&row, " [%-*s] [%s]", ADDRESS_WIDTH, address_text, stamp);
	if (is_exact) {
		record_fields(record, &fields);
		put(&row, " [%d] [%d] [%lld]", fields.termination, fields.exit, (long long)fields.session);
		put_rest(&row, &fields);
	}
	put(&row, "\n");
	return (size_t)(row.at - out);
}

/* --- reading --- */

struct fields {
	char text[DUMP_LINE_MAX];       /* the line, cut into its fields */
	char *field[EXACT_FIELDS];
	int count;
};

static void cut_blanks(char *text, size_t len)
{
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
}

/* "[A] [B] [C]": each field without the blanks at its end. */
static bool split(const char *line, size_t len, struct fields *out)
{
	char *at = out->text;

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	if (len < 2 || len >= sizeof out->text || line[0] != '[' || line[len - 1] != ']' || memchr(line, '\0', len))
		return false;
	memcpy(at, line + 1, len - 2);
	at[len - 2] = '\0';
	for (out->count = 0; at;) {
		char *end = strstr(at, "] [");

		if (out->count >= EXACT_FIELDS)
			return false;
		out->field[out->count++] = at;
		cut_blanks(at, end ? (size_t)(end - at) : strlen(at));
		at = end ? end + 3 : NULL;
	}
	return out->count == PLAIN_FIELDS || out->count == EXACT_FIELDS;
}

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	while (*text == ' ')
		text++;
	return !num_parse(text, min, max, out);
}

static bool read_int(const char *text, int min, int max, int *out)
{
	int64_t value;

	if (!read_number(text, min, max, &value))
		return false;
	*out = (int)value;
	return true;
}

static bool read_plain_text(const char *text, size_t size, char *out)
{
	size_t len = strlen(text);

	if (len > size)
		return false;
	memcpy(out, text, len);
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool read_exact_text(const char *text, size_t size, char *out)
{
	for (size_t len = 0; *text; len++) {
		if (len >= size)
			return false;
		if (*text != '\\') {
			out[len] = *text++;
			continue;
		}
		if (text[1] < '0' || text[1] > '3' || !is_octal(text[2]) || !is_octal(text[3]))
			return false;
		out[len] = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
		text += 4;
	}
	return true;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_rest(const char *text, unsigned char out[LAYOUT_REST_MAX])
{
	for (size_t i = 0; *text; i++, text += 2) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (i >= LAYOUT_REST_MAX || high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool read_exact_only(char *const field[4], struct record_fields *out)
{
	return read_int(field[0], INT16_MIN, INT16_MAX, &out->termination) &&
		read_int(field[1], INT16_MIN, INT16_MAX, &out->exit) &&
		read_number(field[2], INT64_MIN, INT64_MAX, &out->session) && read_rest(field[3], out->rest);
}

static bool read_address(const char *text, unsigned char out[LAYOUT_ADDRESS_BYTES])
{
	return !*text || address_parse(text, out);
}

int dump_read(const char *line, size_t len, struct record_fields *out)
{
	struct record_fields found = { 0 };
	struct fields in;
	int64_t pid;
	bool is_exact;

	if (!split(line, len, &in))
		return -EINVAL;
	is_exact = in.count == EXACT_FIELDS;
	if (!read_int(in.field[0], INT16_MIN, INT16_MAX, &found.type) ||
			!read_number(in.field[1], INT32_MIN, INT32_MAX, &pid))
		return -EINVAL;
	found.pid = (int32_t)pid;
	for (int i = 0; i < TEXTS; i++)
		if (!(is_exact ? read_exact_text : read_plain_text)(in.field[TEXT_AT + i], sizes[order[i]],
				found.text[order[i]]))
			return -EINVAL;
	if (!read_address(in.field[ADDRESS_AT], found.address) || stamp_read(in.field[STAMP_AT], &found.s, &found.us))
		return -EINVAL;
	if (is_exact && !read_exact_only(in.field + PLAIN_FIELDS, &found))
		return -EINVAL;
	*out = found;
	return 0;
}
