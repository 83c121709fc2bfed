/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/num.h"

static int64_t parsed(const char *text)
{
	int64_t value = 42;

	assert_int_equal(num_parse(text, INT64_MIN, INT64_MAX, &value), 0);
	return value;
}

static void assert_refused(const char *text, int err)
{
	int64_t value = 42;

	if (num_parse(text, INT64_MIN, INT64_MAX, &value) != err)
		fail_msg("%s", text);
	assert_int_equal(value, 42);
}

static void decimal_numbers_are_taken(void **state)
{
	(void)state;
	assert_int_equal(parsed("0"), 0);
	assert_int_equal(parsed("-0"), 0);
	assert_int_equal(parsed("+7"), 7);
	assert_int_equal(parsed("-7"), -7);
	assert_int_equal(parsed("007"), 7);
	assert_int_equal(parsed("1234567890123"), 1234567890123);
}

static void the_ends_of_the_range_are_numbers(void **state)
{
	(void)state;
	assert_true(parsed("9223372036854775807") == INT64_MAX);
	assert_true(parsed("-9223372036854775808") == INT64_MIN);
	assert_true(parsed("00000000000000000000000000000000009223372036854775807") == INT64_MAX);
}

static void what_is_beyond_them_is_out_of_range(void **state)
{
	(void)state;
	assert_refused("9223372036854775808", -ERANGE);
	assert_refused("-9223372036854775809", -ERANGE);
	assert_refused("9223372036854775810", -ERANGE);
	assert_refused("18446744073709551616", -ERANGE);
	assert_refused("99999999999999999999999999", -ERANGE);
	assert_refused("-99999999999999999999999999", -ERANGE);
}

static void everything_else_is_no_number(void **state)
{
	static const char *const texts[] = { "", "-", "+", "--1", "+-1", "1-", " 1", "1 ", "1.5",
		"0x10", "1e3", "a", "1a", "\n1", "1\n", "\xb2", "/", ":", "1:" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_refused(texts[i], -EINVAL);
}

static void limits_are_part_of_the_range(void **state)
{
	int64_t value = 42;

	(void)state;
	assert_int_equal(num_parse("3", 3, 5, &value), 0);
	assert_int_equal(num_parse("5", 3, 5, &value), 0);
	assert_int_equal(value, 5);
	assert_int_equal(num_parse("2", 3, 5, &value), -ERANGE);
	assert_int_equal(num_parse("6", 3, 5, &value), -ERANGE);
	assert_int_equal(num_parse("-3", -5, -3, &value), 0);
	assert_int_equal(value, -3);
}

static void every_small_number_is_itself(void **state)
{
	char text[32];

	(void)state;
	for (int64_t i = -1200; i <= 1200; i++) {
		(void)snprintf(text, sizeof text, "%" PRId64, i);
		assert_int_equal(parsed(text), i);
	}
}

static void the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(num_hash("", 0), 0x811c9dc5);
	assert_int_equal(num_hash("a", 1), 0xe40c292c);
	assert_int_equal(num_hash("foobar", 6), 0xbf9cf968);
	assert_int_equal(num_hash("\xff", 1), (0x811c9dc5u ^ 0xffu) * 16777619u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_numbers_are_taken),
		cmocka_unit_test(the_ends_of_the_range_are_numbers),
		cmocka_unit_test(what_is_beyond_them_is_out_of_range),
		cmocka_unit_test(everything_else_is_no_number),
		cmocka_unit_test(limits_are_part_of_the_range),
		cmocka_unit_test(every_small_number_is_itself),
		cmocka_unit_test(the_hash_is_fnv_1a),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
