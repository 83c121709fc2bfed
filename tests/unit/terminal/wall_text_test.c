/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/wall_text.h"

static struct wall_text text;

static void text_is(const char *expected, size_t len, int lines, bool is_cut)
{
	assert_int_equal(text.len_bytes, len);
	assert_memory_equal(text.bytes, expected, len);
	assert_int_equal(text.lines, lines);
	assert_int_equal(text.is_cut, is_cut);
}

/* --- words --- */

#define WORDS(...) wall_text_of_words(&text, (char *const *)(const char *const[]){ __VA_ARGS__, NULL })

static void words_have_a_blank_between_them(void **state)
{
	(void)state;
	WORDS("one");
	text_is("one\r\n", 5, 1, false);
	WORDS("one", "two  three", "");
	text_is("one two  three \r\n", 17, 1, false);
	WORDS("");
	text_is("\r\n", 2, 1, false);
}

static void words_that_do_not_fit_are_left_out(void **state)
{
	static char longest[5000], expected[5000];

	(void)state;
	memset(longest, 'x', 4090);
	memset(expected, 'x', 4090);
	strcpy(expected + 4090, "\r\n");
	WORDS(longest);
	text_is(expected, 4092, 1, false);
	strcpy(expected + 4090, " \r\n");
	WORDS(longest, "y");
	text_is(expected, 4093, 1, true);
	strcpy(expected + 4090, " \r\n");
	WORDS(longest, "");
	text_is(expected, 4093, 1, true);
	longest[4089] = '\0';
	strcpy(expected + 4089, " \r\n");
	WORDS(longest, "");
	text_is(expected, 4092, 1, false);
	memset(longest, 'x', 4091);
	WORDS(longest, "y");
	text_is("\r\n", 2, 1, true);
}

static void of_words_twenty_lines_are_left(void **state)
{
	char many[50] = "", expected[50] = "";

	(void)state;
	for (int i = 0; i < 19; i++)
		strcat(many, "\n");
	WORDS(many);
	strcpy(expected, many);
	strcat(expected, "\r\n");
	text_is(expected, 21, 20, false);
	strcat(many, "\nrest");
	WORDS(many);
	text_is("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 20, 20, true);
}

/* --- a file --- */

static void read_bytes(const char *bytes, size_t len)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	rewind(file);
	assert_int_equal(wall_text_of_file(&text, fileno(file)), 0);
	fclose(file);
}

static void read_text(const char *bytes)
{
	read_bytes(bytes, strlen(bytes));
}

static void lines_end_in_return_and_newline(void **state)
{
	(void)state;
	read_text("");
	text_is("", 0, 0, false);
	read_text("one\n\ntwo");
	text_is("one\r\n\r\ntwo\r\n", 12, 3, false);
	read_text("one\r\ntwo\r\n");
	text_is("one\r\ntwo\r\n", 10, 2, false);
}

static void what_is_behind_a_return_or_nul_is_not_lost(void **state)
{
	(void)state;
	read_bytes("a\rb\0c\n\r", 7);
	text_is("a\rb\0c\r\n\r\r\n", 10, 2, false);
}

static void x_lines(size_t len, const char *expected, int lines)
{
	char line[400];

	memset(line, 'x', len);
	line[len] = '\n';
	read_bytes(line, len + 1);
	text_is(expected, strlen(expected), lines, false);
}

#define X10 "xxxxxxxxxx"
#define X79 X10 X10 X10 X10 X10 X10 X10 "xxxxxxxxx"

static void a_long_line_goes_on_in_the_next(void **state)
{
	(void)state;
	x_lines(78, X10 X10 X10 X10 X10 X10 X10 "xxxxxxxx\r\n", 1);
	x_lines(79, X79 "\r\n", 1);
	x_lines(80, X79 "\r\nx\r\n", 2);
	x_lines(158, X79 "\r\n" X79 "\r\n", 2);
	x_lines(200, X79 "\r\n" X79 "\r\n" X10 X10 X10 X10 "xx\r\n", 3);
}

static void no_character_is_torn_apart(void **state)
{
	char line[100], expected[100];

	(void)state;
	snprintf(line, sizeof line, "%.78s\303\244\n", X79);
	snprintf(expected, sizeof expected, "%.78s\r\n\303\244\r\n", X79);
	read_text(line);
	text_is(expected, 84, 2, false);
	snprintf(line, sizeof line, "%.77s\303\244\n", X79);
	snprintf(expected, sizeof expected, "%.77s\303\244\r\n", X79);
	read_text(line);
	text_is(expected, 81, 1, false);
	snprintf(line, sizeof line, "%.78s\200\200\n", X79);         /* no UTF-8: bytes */
	snprintf(expected, sizeof expected, "%.78s\200\r\n\200\r\n", X79);
	read_text(line);
	text_is(expected, 84, 2, false);
}

static void twenty_lines_are_sent_of_more(void **state)
{
	static char longest[5000];

	(void)state;
	for (int lines = 19; lines < 22; lines++) {
		char few[100] = "", expected[100] = "";

		for (int i = 0; i < lines; i++) {
			strcat(few, "x\n");
			strcat(expected, i < 20 ? "x\r\n" : "");
		}
		read_text(few);
		text_is(expected, strlen(expected), lines < 20 ? lines : 20, lines > 20);
	}
	memset(longest, 'x', sizeof longest);
	read_bytes(longest, sizeof longest);
	assert_int_equal(text.len_bytes, 20 * 81);
	assert_true(text.is_cut);
	memset(longest, '\n', sizeof longest);
	read_bytes(longest, sizeof longest);
	assert_int_equal(text.len_bytes, 20 * 2);
	assert_true(text.is_cut);
}

static void a_file_without_end_ends(void **state)
{
	FILE *zero = fopen("/dev/zero", "r");

	(void)state;
	assert_non_null(zero);
	assert_int_equal(wall_text_of_file(&text, fileno(zero)), 0);
	fclose(zero);
	assert_int_equal(text.lines, 20);
	assert_true(text.is_cut);
}

static void a_read_error_is_told(void **state)
{
	(void)state;
	assert_int_equal(wall_text_of_file(&text, -1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_have_a_blank_between_them),
		cmocka_unit_test(words_that_do_not_fit_are_left_out),
		cmocka_unit_test(of_words_twenty_lines_are_left),
		cmocka_unit_test(lines_end_in_return_and_newline),
		cmocka_unit_test(what_is_behind_a_return_or_nul_is_not_lost),
		cmocka_unit_test(a_long_line_goes_on_in_the_next),
		cmocka_unit_test(no_character_is_torn_apart),
		cmocka_unit_test(twenty_lines_are_sent_of_more),
		cmocka_unit_test(a_file_without_end_ends),
		cmocka_unit_test(a_read_error_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
