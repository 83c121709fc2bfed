/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

static void shows(const char *text, size_t len, const char *expected)
{
	char out[200];
	size_t out_len = text_make_harmless(text, len, out, sizeof out);

	assert_int_equal(out_len, strlen(expected));
	assert_memory_equal(out, expected, out_len);
	assert_true(out_len <= len * TEXT_GROWTH);
}

static void plain_text_and_utf8_pass(void **state)
{
	static const char *const same[] = {
		"",
		"Id \"x\" respawning too fast",
		"tab\tstays",
		"\xc3\xa4\xc2\xa0\xdf\xbf",
		"\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd",
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		shows(same[i], strlen(same[i]), same[i]);
}

static void controls_are_shown_not_sent(void **state)
{
	(void)state;
	shows("\0\1\n\r\33[2J\37\177", 10, "^@^A^J^M^[[2J^_^?");
}

static void what_is_no_utf8_is_a_question_mark_a_byte(void **state)
{
	(void)state;
	shows("a\x80z\xff", 4, "a?z?");
	shows("\xc2\x9b" "31m", 5, "??31m");                    /* CSI as C1 control */
	shows("\xc1\xbf", 2, "??");                             /* overlong */
	shows("\xe0\x9f\xbf", 3, "???");
	shows("\xf0\x8f\xbf\xbf", 4, "????");
	shows("\xed\xa0\x80", 3, "???");                        /* surrogate */
	shows("\xf4\x90\x80\x80", 4, "????");                   /* beyond Unicode */
	shows("\xf5\x80\x80\x80", 4, "????");
	shows("\xc3", 1, "?");                                  /* cut off */
	shows("\xe2\x82", 2, "??");
	shows("\xe2\x82" "A", 3, "??A");
}

static void a_short_buffer_is_kept_to_and_no_character_halved(void **state)
{
	char out[8];

	(void)state;
	for (size_t size = 0; size <= 6; size++) {
		memset(out, '#', sizeof out);
		assert_int_equal(text_make_harmless("a\1\xe2\x82\xac", 5, out, size),
			size < 1 ? 0 : size < 3 ? 1 : size < 6 ? 3 : 6);
		assert_int_equal(out[size], '#');
	}
}

static void no_bytes_at_all_leave_a_control_behind(void **state)
{
	unsigned char text[64], out[64 * TEXT_GROWTH];

	(void)state;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand() % sizeof text, out_len;

		for (size_t i = 0; i < len; i++)
			text[i] = (unsigned char)(round % 2 ? rand() : 0x80 + rand() % 0x78);
		out_len = text_make_harmless((char *)text, len, (char *)out, sizeof out);
		for (size_t i = 0; i < out_len; i++) {
			assert_true(out[i] >= 0x20 || out[i] == '\t');
			assert_int_not_equal(out[i], 0x7f);
			/* C1, but for the rest of a longer character. */
			if (out[i] >= 0x80 && out[i] < 0xa0)
				assert_true(i && out[i - 1] >= 0x80 && out[i - 1] != 0xc2);
		}
	}
}

static void character_is(const char *text, size_t left, size_t len, uint32_t code)
{
	uint32_t found = 7;

	assert_int_equal(text_character(text, left, &found), len);
	assert_int_equal(found, len ? code : 7);
}

static void a_character_has_its_length_and_code(void **state)
{
	(void)state;
	character_is("\0", 1, 1, 0);
	character_is("\177", 1, 1, 0x7f);
	character_is("\302\200", 2, 2, 0x80);
	character_is("\303\244x", 3, 2, 0xe4);
	character_is("\342\202\254", 3, 3, 0x20ac);
	character_is("\364\217\277\277", 4, 4, 0x10ffff);
	character_is("\342\202\254", 2, 0, 0);
	character_is("\200", 1, 0, 0);
	character_is("\301\277", 2, 0, 0);
	character_is("\355\240\200", 3, 0, 0);
	character_is("\364\220\200\200", 4, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_and_utf8_pass),
		cmocka_unit_test(controls_are_shown_not_sent),
		cmocka_unit_test(what_is_no_utf8_is_a_question_mark_a_byte),
		cmocka_unit_test(a_short_buffer_is_kept_to_and_no_character_halved),
		cmocka_unit_test(a_character_has_its_length_and_code),
		cmocka_unit_test(no_bytes_at_all_leave_a_control_behind),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
