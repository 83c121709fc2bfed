/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/escape.h"

#include <string.h>

enum { BEL = 7, TAB = 9, LF = 10, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f, PARAMETER_MAX = 9999, PALETTE_DIGITS = 7 };

struct hearer {
	escape_hear *hear;
	void *context;
};

static void tell(const struct hearer *hearer, enum escape_kind kind, char final, int parameter)
{
	struct escape_event event = { .kind = kind, .final = final, .parameter = parameter };

	hearer->hear(hearer->context, &event);
}

static void tell_character(const struct hearer *hearer, const char *text, size_t len)
{
	struct escape_event event = { .kind = ESCAPE_CHARACTER, .text = text, .len_bytes = len, .parameter = -1 };

	hearer->hear(hearer->context, &event);
}

void escape_begin(struct escape *escape)
{
	memset(escape, 0, sizeof *escape);
	escape->state = ESCAPE_IN_TEXT;
}

static void end_sequence(struct escape *escape)
{
	escape->state = ESCAPE_IN_TEXT;
}

static void begin_sequence(struct escape *escape, enum escape_state state)
{
	escape->state = state;
	escape->length = 0;
	escape->parameter = -1;
	escape->is_private = escape->has_first = escape->is_osc = false;
	escape->palette_left = 0;
}

/* The byte behind ESC; also what a C1 control stands for. */
static void begin_by(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	if (byte == '[') {
		begin_sequence(escape, ESCAPE_IN_CSI);
	} else if (byte && strchr("]PX^_", byte)) {
		begin_sequence(escape, ESCAPE_IN_STRING);
		escape->is_osc = byte == ']';
	} else if (byte >= 0x20 && byte <= 0x2f) {
		escape->state = ESCAPE_IN_SHORT;
	} else {
		end_sequence(escape);
		if (byte >= 0x30 && byte < DEL)
			tell(hearer, ESCAPE_SHORT, (char)byte, -1);
	}
}

/* --- text --- */

/* Bytes that are no character: those that no 8-bit terminal obeys pass. */
static void give_up_pending(struct escape *escape, const struct hearer *hearer)
{
	for (size_t i = 0; i < escape->pending_bytes; i++)
		if ((unsigned char)escape->pending[i] >= 0xa0)
			tell_character(hearer, &escape->pending[i], 1);
	escape->pending_bytes = escape->pending_need = 0;
}

static size_t character_bytes(unsigned char first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Could be a shorter one, a surrogate, or beyond the last character. */
static bool is_second_wrong(unsigned char first, unsigned char second)
{
	return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
		(first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
}

static void pending_end(struct escape *escape, const struct hearer *hearer)
{
	unsigned char second = (unsigned char)escape->pending[1];
	bool is_c1 = (unsigned char)escape->pending[0] == 0xc2 && second < 0xa0;

	if (is_c1) {
		escape->pending_bytes = escape->pending_need = 0;
		begin_by(escape, (unsigned char)(second - 0x40), hearer);
		return;
	}
	tell_character(hearer, escape->pending, escape->pending_bytes);
	escape->pending_bytes = escape->pending_need = 0;
}

static void take_high(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	bool goes_on = byte < 0xc0 && escape->pending_need &&
		!(escape->pending_bytes == 1 && is_second_wrong((unsigned char)escape->pending[0], byte));

	if (goes_on) {
		escape->pending[escape->pending_bytes++] = (char)byte;
		if (escape->pending_bytes == escape->pending_need)
			pending_end(escape, hearer);
		return;
	}
	give_up_pending(escape, hearer);
	escape->pending[0] = (char)byte;
	escape->pending_bytes = 1;
	escape->pending_need = character_bytes(byte);
	if (!escape->pending_need)
		give_up_pending(escape, hearer);
}

static void take_text(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	char character = (char)byte;

	if (byte >= 0x80) {
		take_high(escape, byte, hearer);
		return;
	}
	give_up_pending(escape, hearer);
	if (byte == ESC)
		begin_sequence(escape, ESCAPE_BEGUN);
	else if (byte == TAB || (byte >= 0x20 && byte != DEL))
		tell_character(hearer, &character, 1);
	else
		tell(hearer, ESCAPE_CONTROL, character, -1);
}

/* --- sequences --- */

/* It ends the sequence, and counts for itself. */
static void abandon(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	end_sequence(escape);
	take_text(escape, byte, hearer);
}

static void take_digit(struct escape *escape, unsigned char byte)
{
	if (escape->is_private || escape->has_first)
		return;
	if (byte >= '0' && byte <= '9') {
		int value = (escape->parameter < 0 ? 0 : escape->parameter) * 10 + byte - '0';

		escape->parameter = value > PARAMETER_MAX ? PARAMETER_MAX : value;
	} else if (byte == ';' || byte == ':') {
		escape->has_first = true;
	}
}

static void take_csi(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	bool is_first = escape->length == 1;

	if (is_first && byte == '[') {
		escape->state = ESCAPE_IN_ECHO;
	} else if (byte >= 0x20 && byte <= 0x3f) {
		if (byte < 0x30 || byte > 0x3b)
			escape->is_private = true;
		take_digit(escape, byte);
	} else if (byte >= 0x40 && byte < DEL) {
		end_sequence(escape);
		tell(hearer, ESCAPE_CSI, (char)byte, escape->is_private ? -1 : escape->parameter);
	} else {
		abandon(escape, byte, hearer);
	}
}

/* The Linux console's OSC R and OSC P with seven digits have no end of their own. True: this byte is one of theirs. */
static bool take_palette(struct escape *escape, unsigned char byte)
{
	if (escape->is_osc && escape->length == 1 && (byte == 'R' || byte == 'P')) {
		if (byte == 'R')
			end_sequence(escape);
		else
			escape->palette_left = PALETTE_DIGITS;
		return true;
	}
	if (!escape->palette_left)
		return false;
	if (!byte || !strchr("0123456789abcdefABCDEF", byte)) {
		escape->palette_left = 0;
		return false;
	}
	if (!--escape->palette_left)
		end_sequence(escape);
	return true;
}

static void take_string(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	if (byte == LF)
		abandon(escape, byte, hearer);
	else if (byte == BEL || byte == CAN || byte == SUB)
		end_sequence(escape);
	else if (byte == ESC)
		escape->state = ESCAPE_STRING_MAY_END;
	else
		(void)take_palette(escape, byte);       /* all others are the string's */
}

static void take(struct escape *escape, unsigned char byte, const struct hearer *hearer)
{
	if (escape->state == ESCAPE_IN_TEXT) {
		take_text(escape, byte, hearer);
		return;
	}
	if (++escape->length > ESCAPE_BYTES_MAX) {
		abandon(escape, byte, hearer);
		return;
	}
	switch (escape->state) {
	case ESCAPE_IN_TEXT:
		break;
	case ESCAPE_BEGUN:
	case ESCAPE_IN_SHORT:
		if (byte < 0x20 || byte >= DEL)
			abandon(escape, byte, hearer);
		else if (escape->state == ESCAPE_BEGUN)
			begin_by(escape, byte, hearer);
		else if (byte >= 0x30)
			end_sequence(escape);
		break;
	case ESCAPE_IN_CSI:
		take_csi(escape, byte, hearer);
		break;
	case ESCAPE_IN_ECHO:
		if (byte < 0x20 || byte >= DEL)
			abandon(escape, byte, hearer);
		else
			end_sequence(escape);
		break;
	case ESCAPE_IN_STRING:
		take_string(escape, byte, hearer);
		break;
	case ESCAPE_STRING_MAY_END:
		end_sequence(escape);
		if (byte != '\\') {
			begin_sequence(escape, ESCAPE_BEGUN);
			take(escape, byte, hearer);
		}
		break;
	}
}

void escape_take(struct escape *escape, const char *bytes, size_t len_bytes, escape_hear *hear, void *context)
{
	const struct hearer hearer = { hear, context };

	for (size_t i = 0; i < len_bytes; i++)
		take(escape, (unsigned char)bytes[i], &hearer);
}
