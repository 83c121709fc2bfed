/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/cmdline.h"

/* The words of text, with | between them. */
static const char *words(const char *text)
{
	static char all[4096];
	struct cmdline line;

	all[0] = '\0';
	cmdline_begin(&line, text);
	while (cmdline_next(&line)) {
		strcat(all, line.word);
		strcat(all, "|");
	}
	assert_false(cmdline_next(&line));
	return all;
}

static void words_are_cut_at_blanks(void **state)
{
	(void)state;
	assert_string_equal(words(""), "");
	assert_string_equal(words(" \n"), "");
	assert_string_equal(words("quiet"), "quiet|");
	assert_string_equal(words("  a=1\tb\n"), "a=1|b|");
}

static void blanks_in_quotes_are_part_of_the_word(void **state)
{
	(void)state;
	assert_string_equal(words("a=\"x console=ttyS0 y\" b"), "a=x console=ttyS0 y|b|");
	assert_string_equal(words("\"a=x y\" b"), "a=x y|b|");
	assert_string_equal(words("a=\"never ends b"), "a=never ends b|");
	assert_string_equal(words("a=b\"c d\"e f"), "a=b\"c d\"e|f|");
	assert_string_equal(words("\""), "|");
	assert_string_equal(words("\"\" a=\"\" b"), "|a=|b|");
}

static void a_word_too_long_is_cut_and_the_next_one_is_whole(void **state)
{
	char text[2 * CMDLINE_WORD_MAX];
	struct cmdline line;

	(void)state;
	memset(text, 'x', sizeof text);
	strcpy(text + sizeof text - 6, " next");
	cmdline_begin(&line, text);
	assert_true(cmdline_next(&line));
	assert_int_equal(strlen(line.word), CMDLINE_WORD_MAX - 1);
	assert_true(cmdline_next(&line));
	assert_string_equal(line.word, "next");
	assert_false(cmdline_next(&line));
}

static void a_name_counts_as_a_whole(void **state)
{
	struct cmdline line;

	(void)state;
	cmdline_begin(&line, "netconsole=1 console consoles=2 console= console=\"ttyS0,9600 x\"");
	for (int i = 0; i < 3; i++) {
		assert_true(cmdline_next(&line));
		assert_null(cmdline_value(&line, "console"));
	}
	assert_true(cmdline_next(&line));
	assert_string_equal(cmdline_value(&line, "console"), "");
	assert_true(cmdline_next(&line));
	assert_string_equal(cmdline_value(&line, "console"), "ttyS0,9600 x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut_at_blanks),
		cmocka_unit_test(blanks_in_quotes_are_part_of_the_word),
		cmocka_unit_test(a_word_too_long_is_cut_and_the_next_one_is_whole),
		cmocka_unit_test(a_name_counts_as_a_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
