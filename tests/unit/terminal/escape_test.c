/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "terminal/escape.h"

static char heard[8192];

static void hear(void *context, const struct escape_event *event)
{
	size_t len = strlen(heard), room = sizeof heard - len;

	(void)context;
	switch (event->kind) {
	case ESCAPE_CHARACTER:
		assert_true(event->len_bytes >= 1 && event->len_bytes <= ESCAPE_CHARACTER_MAX);
		(void)snprintf(heard + len, room, "%.*s", (int)event->len_bytes, event->text);
		break;
	case ESCAPE_CONTROL:
		(void)snprintf(heard + len, room, "<%d>", event->final);
		break;
	case ESCAPE_SHORT:
		(void)snprintf(heard + len, room, "<esc %c>", event->final);
		break;
	case ESCAPE_CSI:
		(void)snprintf(heard + len, room, "<csi %d %c>", event->parameter, event->final);
		break;
	}
}

static const char *of_bytes(const char *bytes, size_t len)
{
	struct escape escape;

	heard[0] = '\0';
	escape_begin(&escape);
	escape_take(&escape, bytes, len, hear, NULL);
	return heard;
}

static const char *of(const char *text)
{
	return of_bytes(text, strlen(text));
}

static void text_passes(void **state)
{
	(void)state;
	assert_string_equal(of("plain\ttext ~"), "plain\ttext ~");
	assert_string_equal(of("a\r\n\a\b\177z"), "a<13><10><7><8><127>z");
	assert_string_equal(of_bytes("a\0b", 3), "a<0>b");
}

static void characters_come_whole(void **state)
{
	(void)state;
	assert_string_equal(of("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	/* Latin-1 passes, what an 8-bit terminal obeys does not. */
	assert_string_equal(of("\xe4x\xa0y\x9bz\x80"), "\xe4x\xa0yz");
	/* Longer than needed, a surrogate, beyond the last one: no character. */
	assert_string_equal(of("\xc0\x9bx"), "\xc0x");
	assert_string_equal(of("\xe0\x80\x9bx"), "\xe0x");
	assert_string_equal(of("\xed\xa0\x80x"), "\xed\xa0x");
	assert_string_equal(of("\xf4\x90\x80\x80x"), "\xf4x");
	assert_string_equal(of("\xe2\x82x"), "\xe2x");
}

static void sequences_are_told_with_their_first_parameter(void **state)
{
	(void)state;
	assert_string_equal(of("\033[1;32mok\033[m"), "<csi 1 m>ok<csi -1 m>");
	assert_string_equal(of("\033[12Gx\033[;5H"), "<csi 12 G>x<csi -1 H>");
	assert_string_equal(of("\033[?25lx\033[?1c"), "<csi -1 l>x<csi -1 c>");
	assert_string_equal(of("\033[0 qx\033[>4;2m"), "<csi -1 q>x<csi -1 m>");
	assert_string_equal(of("\033[99999999999999999999G"), "<csi 9999 G>");
	assert_string_equal(of("\0337x\0338\033c"), "<esc 7>x<esc 8><esc c>");
	assert_string_equal(of("\033(Bx\033%Gy\033#8z"), "xyz");
}

static void strings_are_swallowed_up_to_their_end(void **state)
{
	(void)state;
	assert_string_equal(of("a\033]0;title\ab"), "ab");
	assert_string_equal(of("a\033]0;title\033\\b"), "ab");
	assert_string_equal(of("a\033P1$qm\033\\b\033_x\033\\c\033^x\033\\d\033Xx\033\\e"), "abcde");
	assert_string_equal(of("a\033]0;ti\033[31mtle"), "a<csi 31 m>tle");
}

static void what_the_linux_console_adds_is_known(void **state)
{
	(void)state;
	assert_string_equal(of("a\033]P1ff00AAb"), "ab");
	assert_string_equal(of("a\033]Rb"), "ab");
	assert_string_equal(of("a\033[[Ab"), "ab");
	assert_string_equal(of("a\033]P1ffz\ab"), "ab");
}

static void a_sequence_that_does_not_end_costs_its_line_at_most(void **state)
{
	static char many[4 * ESCAPE_BYTES_MAX];

	(void)state;
	assert_string_equal(of("\033[12\nnext"), "<10>next");
	assert_string_equal(of("\033]0;title\nnext"), "<10>next");
	assert_string_equal(of("\033\nnext"), "<10>next");
	assert_string_equal(of("\033(\nnext"), "<10>next");
	assert_string_equal(of("\033[[\nnext"), "<10>next");
	assert_string_equal(of("\033[12\xc3\xa4"), "\xc3\xa4");
	assert_string_equal(of("\033[1\0302m"), "<24>2m");
	assert_string_equal(of("\033]0;x\030y"), "y");
	memset(many, '1', sizeof many);
	memcpy(many, "\033[", 2);
	assert_int_equal(strlen(of_bytes(many, sizeof many)), sizeof many - 2 - ESCAPE_BYTES_MAX);
	memcpy(many, "\033]", 2);
	assert_int_equal(strlen(of_bytes(many, sizeof many)), sizeof many - 2 - ESCAPE_BYTES_MAX);
}

static void controls_of_the_upper_half_are_sequences(void **state)
{
	(void)state;
	assert_string_equal(of("a\xc2\x9b""31mb"), "a<csi 31 m>b");
	assert_string_equal(of("a\xc2\x9d""0;t\ab"), "ab");
	assert_string_equal(of("a\xc2\x85""b"), "a<esc E>b");
}

static void where_the_bytes_are_cut_is_all_the_same(void **state)
{
	static const char text[] = "a\033[1;32mok\033]0;t\033\\\xe2\x82\xac\xc2\x9b""5G\033]P1234567\033(B\n\0337";
	char whole[sizeof heard];
	struct escape escape;

	(void)state;
	strcpy(whole, of(text));
	heard[0] = '\0';
	escape_begin(&escape);
	for (size_t i = 0; i < sizeof text - 1; i++)
		escape_take(&escape, text + i, 1, hear, NULL);
	assert_string_equal(heard, whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_passes),
		cmocka_unit_test(characters_come_whole),
		cmocka_unit_test(sequences_are_told_with_their_first_parameter),
		cmocka_unit_test(strings_are_swallowed_up_to_their_end),
		cmocka_unit_test(what_the_linux_console_adds_is_known),
		cmocka_unit_test(a_sequence_that_does_not_end_costs_its_line_at_most),
		cmocka_unit_test(controls_of_the_upper_half_are_sequences),
		cmocka_unit_test(where_the_bytes_are_cut_is_all_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
