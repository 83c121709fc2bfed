/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "terminal/render.h"

#define STAMP "Mon Nov 23 14:35:01 2026: "

static struct render render;

static int unmake(void **state)
{
	(void)state;
	render_free(&render);
	return 0;
}

static const char *of_bytes(const char *line, size_t len)
{
	static char text[8192];

	assert_int_equal(render_line(&render, line, len), 0);
	assert_true(render.text_bytes < sizeof text);
	memcpy(text, render.text, render.text_bytes);
	text[render.text_bytes] = '\0';
	return text;
}

static const char *of(const char *line)
{
	return of_bytes(line, strlen(line));
}

static void text_stays_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(of(""), "");
	assert_string_equal(of("plain\ttext"), "plain\ttext");
	assert_string_equal(of("2^10 done, 18?? and ??7 and 8??."), "2^10 done, 18?? and ??7 and 8??.");
	assert_string_equal(of("copied to ."), "copied to .");
	assert_string_equal(of("\xc3\xa4\xe2\x82\xac"), "\xc3\xa4\xe2\x82\xac");
}

static void what_was_written_over_is_gone(void **state)
{
	(void)state;
	assert_string_equal(of("10%\r20%\r30%\r"), "30%");
	assert_string_equal(of("loading\rok"), "okading");
	assert_string_equal(of("loading\rok\033[K"), "ok");
	assert_string_equal(of("loading\r\033[2Kok"), "ok");
	assert_string_equal(of("abc\033[1K!"), "   !");
	assert_string_equal(of("|\b/\b-\b\\"), "\\");
	assert_string_equal(of("abc\033[2DX"), "aXc");
	assert_string_equal(of("a\033[3Cb"), "a   b");
	assert_string_equal(of("\b\b\033[99Dx"), "x");
	assert_string_equal(of("a\033[7;9Hb"), "a b");
	assert_string_equal(of("ab\033[scd\033[uX"), "abXd");
}

static void a_stamp_is_not_written_over(void **state)
{
	(void)state;
	assert_string_equal(of(STAMP "10%\r20%"), STAMP "20%");
	assert_string_equal(of(STAMP "abc\033[1Gx"), STAMP "xbc");
	assert_string_equal(of(STAMP "a\b\b\bx"), STAMP "x");
	assert_string_equal(of(STAMP "abc\033[2Kx"), STAMP "   x");
	assert_string_equal(of("Xon Nov 23 14:35:01 2026 \rx"), "xon Nov 23 14:35:01 2026 ");
}

static void debians_status_is_where_the_screen_had_it(void **state)
{
	(void)state;
	assert_string_equal(of(STAMP "[....] Starting x: y\033[?25l\033[?1c\0337\033[1G[\033[32m ok \033[39;49m\0338"
		"\033[?25h\033[?0c.\r"), STAMP "[ ok ] Starting x: y.");
}

static void what_stock_left_of_it_is_mended(void **state)
{
	(void)state;
	assert_string_equal(of("[....] Starting x: y??7[ ok 8??."), "[....] Starting x: y [ ok ].");
	assert_string_equal(of(STAMP "[....] a??7[FAIL8?? b??7[warn8??."), STAMP "[....] a [FAIL] b [warn].");
	assert_string_equal(of("a??7[ ok 8?? ."), "a [ ok ]");
	assert_string_equal(of("a??7[ ok8? b??7[ ok 8??"), "a??7[ ok8? b [ ok ]");
	assert_string_equal(of("??7[toolongtobe8??"), "??7[toolongtobe8??");
	assert_string_equal(of("??7[8??"), "??7[8??");
	assert_string_equal(of("x??7[ ok 8?"), "x??7[ ok 8?");
}

static void nothing_that_steers_a_terminal_is_left(void **state)
{
	char all[256];
	const char *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	text = of_bytes(all, sizeof all);
	for (const char *at = text; *at; at++) {
		unsigned char byte = (unsigned char)*at;

		assert_true(byte == '\t' || (byte >= 0x20 && byte < 0x7f) || byte >= 0xa0);
	}
	assert_string_equal(of("a\033]0;evil\ab\033[8mhidden\033P\033\\"), "abhidden");
	assert_string_equal(of_bytes("a\0b", 3), "ab");
}

static void a_long_line_is_one_line(void **state)
{
	enum { LEN = 1 << 20 };
	char *line = malloc(LEN);

	(void)state;
	assert_non_null(line);
	memset(line, 'x', LEN);
	memcpy(line + LEN - 12, "??7[ ok 8??.", 12);
	assert_int_equal(render_line(&render, line, LEN), 0);
	assert_int_equal(render.text_bytes, LEN - 4);
	assert_memory_equal(render.text + render.text_bytes - 8, " [ ok ].", 8);
	free(line);
}

static void a_far_column_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(render_line(&render, "\033[999999999Gx", 13), 0);
	assert_true(render.text_bytes <= 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(text_stays_as_it_is, unmake),
		cmocka_unit_test_teardown(what_was_written_over_is_gone, unmake),
		cmocka_unit_test_teardown(a_stamp_is_not_written_over, unmake),
		cmocka_unit_test_teardown(debians_status_is_where_the_screen_had_it, unmake),
		cmocka_unit_test_teardown(what_stock_left_of_it_is_mended, unmake),
		cmocka_unit_test_teardown(nothing_that_steers_a_terminal_is_left, unmake),
		cmocka_unit_test_teardown(a_long_line_is_one_line, unmake),
		cmocka_unit_test_teardown(a_far_column_is_bounded, unmake),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
