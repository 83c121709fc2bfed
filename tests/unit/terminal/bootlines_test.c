/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "terminal/bootlines.h"

#define STAMP "Thu Jan  1 00:00:00 1970: "

static struct bootlines lines;
static char log_text[4096];
static size_t log_len;

static void put(void *context, const char *bytes, size_t len_bytes)
{
	assert_null(context);
	assert_true(log_len + len_bytes < sizeof log_text);
	memcpy(log_text + log_len, bytes, len_bytes);
	log_len += len_bytes;
	log_text[log_len] = '\0';
}

static void begin(bool keep_escapes)
{
	log_len = 0;
	log_text[0] = '\0';
	bootlines_begin(&lines, keep_escapes, put, NULL);
}

static void take(const char *text)
{
	bootlines_take(&lines, text, strlen(text));
}

static void each_line_has_the_time_of_its_first_byte(void **state)
{
	(void)state;
	begin(false);
	take("one\ntw");
	bootlines_set_time(&lines, 1764000000, 3600);
	take("o\nthree\n");
	assert_string_equal(log_text, STAMP "one\n" STAMP "two\nMon Nov 24 17:00:00 2025: three\n");
}

static void the_stamp_is_that_of_ctime(void **state)
{
	static const int64_t times[] = { 0, 951782400, 1764000000, 4102444799 };

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		time_t now = (time_t)times[i];
		char text[64];
		struct tm tm;

		begin(false);
		bootlines_set_time(&lines, times[i], 0);
		assert_non_null(gmtime_r(&now, &tm));
		assert_non_null(asctime_r(&tm, text));
		assert_memory_equal(lines.stamp, text, 24);
		assert_string_equal(lines.stamp + 24, ": ");
		assert_int_equal(strlen(lines.stamp), BOOTLINES_STAMP_LEN);
	}
}

static void no_time_is_too_far_off(void **state)
{
	(void)state;
	begin(false);
	bootlines_set_time(&lines, INT64_MAX / 2, 0);
	assert_true(strlen(lines.stamp) < sizeof lines.stamp);
	bootlines_set_time(&lines, INT64_MIN / 2, 0);
	take("still\n");
	assert_non_null(strstr(log_text, "still\n"));
}

static void an_empty_line_has_a_stamp_too(void **state)
{
	(void)state;
	begin(false);
	take("\r\n\n");
	assert_string_equal(log_text, STAMP "\n" STAMP "\n");
}

static void nothing_of_a_sequence_is_left(void **state)
{
	(void)state;
	begin(false);
	take("[....] Starting x: y\033[?25l\033[?1c\0337\033[1G[\033[32m ok \033[39;49m\0338\033[?25h\033[?0c.\r\n");
	assert_string_equal(log_text, STAMP "[....] Starting x: y [ ok .\n");
	begin(false);
	take("\033]0;title\aa\b\a\033(Bb\0337\n");
	assert_string_equal(log_text, STAMP "ab\n");
}

static void escapes_are_kept_when_asked_for(void **state)
{
	(void)state;
	begin(true);
	take("\033[31mred\r\nnext\033");
	take("[m\n");
	assert_string_equal(log_text, STAMP "\033[31mred\r\n" STAMP "next\033[m\n");
}

static void what_is_said_is_a_line_of_its_own(void **state)
{
	(void)state;
	begin(false);
	bootlines_say(&lines, "said");
	take("half");
	bootlines_say(&lines, "again");
	take("other half");
	bootlines_end(&lines);
	bootlines_end(&lines);
	assert_string_equal(log_text, STAMP "said\n" STAMP "half\n" STAMP "again\n" STAMP "other half\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_has_the_time_of_its_first_byte),
		cmocka_unit_test(the_stamp_is_that_of_ctime),
		cmocka_unit_test(no_time_is_too_far_off),
		cmocka_unit_test(an_empty_line_has_a_stamp_too),
		cmocka_unit_test(nothing_of_a_sequence_is_left),
		cmocka_unit_test(escapes_are_kept_when_asked_for),
		cmocka_unit_test(what_is_said_is_a_line_of_its_own),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
