/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/layout.h"

#include <errno.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define IS_SWAPPED_LE true
#else
#define IS_SWAPPED_LE false
#endif

#define TEXTS_TODAY                                                                                                        \
	.text = { [TEXT_LINE] = { 8, 32 }, [TEXT_ID] = { 40, 4 }, [TEXT_USER] = { 44, 32 }, [TEXT_HOST] = { 76, 256 } }
#define NARROW(order, swapped)                                                                                             \
	{ .name = "384" order, .bytes = 384, .is_swapped = swapped, TEXTS_TODAY, .pid_at = 4, .exit_at = 332,              \
		.session_at = 336, .s_at = 340, .us_at = 344, .long_bytes = 4, .address_at = 348, .address_bytes = 16,     \
		.rest_at = 364, .rest_bytes = 20 }
#define WIDE(order, swapped)                                                                                               \
	{ .name = "400" order, .bytes = 400, .is_swapped = swapped, TEXTS_TODAY, .pid_at = 4, .exit_at = 332,              \
		.session_at = 336, .s_at = 344, .us_at = 352, .long_bytes = 8, .address_at = 360, .address_bytes = 16,     \
		.rest_at = 376, .rest_bytes = 24 }
/* libc5 of 32-bit machines: the same on every port of today. */
#define OLD(order, swapped)                                                                                                \
	{ .name = "56" order, .bytes = 56, .is_swapped = swapped, .is_old = true,                                          \
		.text = { [TEXT_LINE] = { 8, 12 }, [TEXT_ID] = { 20, 4 }, [TEXT_USER] = { 28, 8 }, [TEXT_HOST] = { 36, 16 } }, \
		.pid_at = 4, .s_at = 24, .long_bytes = 4, .address_at = 52, .address_bytes = 4 }

static const struct layout layouts[] = {
	NARROW("le", IS_SWAPPED_LE), NARROW("be", !IS_SWAPPED_LE),
	WIDE("le", IS_SWAPPED_LE), WIDE("be", !IS_SWAPPED_LE),
	OLD("le", IS_SWAPPED_LE), OLD("be", !IS_SWAPPED_LE),
};

enum {
	LAYOUTS = sizeof layouts / sizeof layouts[0],
	US_PER_S = 1000000,
	PADDING_AT = 2, PADDING_BYTES = 2,
	/* Of a thousand records that are not blank: what the native layout must not reach, and another must. */
	TOO_FEW = 500, NEARLY_ALL = 900,
};

/* The end of year 9999. */
#define LAST_S INT64_C(253402300799)

const struct layout *layout_native(bool is_old)
{
	size_t wanted = is_old ? 56 : sizeof(struct utmp_record);

	for (int i = 0; i < LAYOUTS; i++)
		if (!layouts[i].is_swapped && layouts[i].bytes == wanted)
			return &layouts[i];
	return NULL;
}

const struct layout *layout_named(const char *name)
{
	for (int i = 0; i < LAYOUTS; i++)
		if (!strcmp(layouts[i].name, name))
			return &layouts[i];
	return NULL;
}

const char *layout_names(void)
{
	return "384le 384be 400le 400be 56le 56be";
}

static int thousandth_sound(const struct layout *layout, const unsigned char *sample, size_t len_bytes)
{
	int sound = 0, whole = 0;

	for (size_t at = 0; at + layout->bytes <= len_bytes; at += layout->bytes) {
		struct record record = record_of(layout, sample + at);

		if (record_is_blank(&record))
			continue;
		whole++;
		sound += record_is_sound(&record);
	}
	return whole ? sound * 1000 / whole : 0;
}

const struct layout *layout_detect(const void *sample, size_t len_bytes, bool is_old)
{
	const struct layout *best = layout_native(is_old);
	int most = NEARLY_ALL - 1;

	if (thousandth_sound(best, sample, len_bytes) >= TOO_FEW)
		return best;
	for (int i = 0; i < LAYOUTS; i++) {
		int sound = thousandth_sound(&layouts[i], sample, len_bytes);

		if (layouts[i].is_old != is_old || sound <= most)
			continue;
		most = sound;
		best = &layouts[i];
	}
	return best;
}

/* An unsigned number of 2, 4 or 8 bytes. */
static uint64_t number_at(const struct layout *layout, const unsigned char *at, size_t bytes)
{
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	switch (bytes) {
	case 2:
		memcpy(&two, at, sizeof two);
		return layout->is_swapped ? __builtin_bswap16(two) : two;
	case 4:
		memcpy(&four, at, sizeof four);
		return layout->is_swapped ? __builtin_bswap32(four) : four;
	default:
		memcpy(&eight, at, sizeof eight);
		return layout->is_swapped ? __builtin_bswap64(eight) : eight;
	}
}

static void number_put(const struct layout *layout, unsigned char *at, size_t bytes, uint64_t value)
{
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;

	if (layout->is_swapped) {
		two = __builtin_bswap16(two);
		four = __builtin_bswap32(four);
		value = __builtin_bswap64(value);
	}
	memcpy(at, bytes == 2 ? (void *)&two : bytes == 4 ? (void *)&four : (void *)&value, bytes);
}

static int64_t signed_at(const struct layout *layout, const unsigned char *at, size_t bytes)
{
	uint64_t value = number_at(layout, at, bytes);

	return bytes == 2 ? (int16_t)value : bytes == 4 ? (int32_t)value : (int64_t)value;
}

static int64_t seconds_at(const struct layout *layout, const unsigned char *at)
{
	return (int64_t)number_at(layout, at, layout->long_bytes);      /* 32 bits: unsigned */
}

struct record record_of(const struct layout *layout, const void *bytes)
{
	const unsigned char *at = bytes;

	return (struct record){
		.layout = layout,
		.bytes = at,
		.type = (int)signed_at(layout, at, 2),
		.pid = (int32_t)number_at(layout, at + layout->pid_at, 4),
		.s = seconds_at(layout, at + layout->s_at),
		.us = layout->us_at ? signed_at(layout, at + layout->us_at, layout->long_bytes) : 0,
	};
}

struct text record_text(const struct record *record, enum layout_text which)
{
	const char *at = (const char *)record->bytes + record->layout->text[which].at;

	return (struct text){ at, strnlen(at, record->layout->text[which].bytes) };
}

void record_address(const struct record *record, unsigned char out[LAYOUT_ADDRESS_BYTES])
{
	memset(out, 0, LAYOUT_ADDRESS_BYTES);
	memcpy(out, record->bytes + record->layout->address_at, record->layout->address_bytes);
}

void record_fields(const struct record *record, struct record_fields *out)
{
	const struct layout *layout = record->layout;
	const unsigned char *bytes = record->bytes;

	memset(out, 0, sizeof *out);
	out->type = record->type;
	out->pid = record->pid;
	out->s = record->s;
	out->us = record->us;
	for (int i = 0; i < TEXT_COUNT; i++)
		memcpy(out->text[i], bytes + layout->text[i].at, layout->text[i].bytes);
	if (layout->exit_at) {
		out->termination = (int)signed_at(layout, bytes + layout->exit_at, 2);
		out->exit = (int)signed_at(layout, bytes + layout->exit_at + 2, 2);
	}
	if (layout->session_at)
		out->session = signed_at(layout, bytes + layout->session_at, layout->long_bytes);
	record_address(record, out->address);
	memcpy(out->rest, bytes + PADDING_AT, PADDING_BYTES);
	memcpy(out->rest + PADDING_BYTES, bytes + layout->rest_at, layout->rest_bytes);
}

bool record_is_known_type(int type)
{
	return (type >= UTMP_EMPTY && type <= RECORD_ACCOUNTING) || type == RECORD_SHUTDOWN;
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, count - 1);
}

bool record_is_blank(const struct record *record)
{
	return is_zero(record->bytes, record->layout->bytes);
}

static bool begins_as_text(const struct record *record, enum layout_text which)
{
	unsigned char c = record->bytes[record->layout->text[which].at];

	return !c || (c > ' ' && c != 127);
}

bool record_is_sound(const struct record *record)
{
	return record->type != UTMP_EMPTY && record_is_known_type(record->type) && record->s > 0 &&
		record->s <= LAST_S && record->us >= 0 && record->us < US_PER_S &&
		begins_as_text(record, TEXT_LINE) && begins_as_text(record, TEXT_USER);
}

/* What of a field is beyond its place in this layout must be zero. */
static bool has_room(const void *field, size_t bytes, size_t all)
{
	return bytes == all || is_zero((const unsigned char *)field + bytes, all - bytes);
}

static bool fits_long(const struct layout *layout, int64_t value)
{
	return layout->long_bytes == 8 || (value >= INT32_MIN && value <= INT32_MAX);
}

static bool fits(const struct layout *layout, const struct record_fields *fields)
{
	if (fields->type < INT16_MIN || fields->type > INT16_MAX || !fits_long(layout, fields->session) ||
			!fits_long(layout, fields->us))
		return false;
	if (layout->long_bytes == 4 && (fields->s < 0 || fields->s > UINT32_MAX))
		return false;
	if (!layout->us_at && fields->us)
		return false;
	if (!layout->exit_at && (fields->termination || fields->exit || fields->session))
		return false;
	for (int i = 0; i < TEXT_COUNT; i++)
		if (!has_room(fields->text[i], layout->text[i].bytes, sizeof fields->text[i]))
			return false;
	return has_room(fields->address, layout->address_bytes, sizeof fields->address) &&
		has_room(fields->rest, PADDING_BYTES + layout->rest_bytes, sizeof fields->rest);
}

int layout_encode(const struct layout *layout, const struct record_fields *fields, void *out)
{
	unsigned char *to = out;

	if (!fits(layout, fields))
		return -ERANGE;
	memset(to, 0, layout->bytes);
	number_put(layout, to, 2, (uint64_t)fields->type);
	number_put(layout, to + layout->pid_at, 4, (uint64_t)fields->pid);
	number_put(layout, to + layout->s_at, layout->long_bytes, (uint64_t)fields->s);
	for (int i = 0; i < TEXT_COUNT; i++)
		memcpy(to + layout->text[i].at, fields->text[i], layout->text[i].bytes);
	if (layout->us_at)
		number_put(layout, to + layout->us_at, layout->long_bytes, (uint64_t)fields->us);
	if (layout->exit_at) {
		number_put(layout, to + layout->exit_at, 2, (uint64_t)fields->termination);
		number_put(layout, to + layout->exit_at + 2, 2, (uint64_t)fields->exit);
		number_put(layout, to + layout->session_at, layout->long_bytes, (uint64_t)fields->session);
	}
	memcpy(to + layout->address_at, fields->address, layout->address_bytes);
	memcpy(to + PADDING_AT, fields->rest, PADDING_BYTES);
	memcpy(to + layout->rest_at, fields->rest + PADDING_BYTES, layout->rest_bytes);
	return 0;
}
