/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/decode.h"

/* Decoded in memory of its own size, so that a sanitizer sees a byte too much. */
static const char *decoded(const char *text)
{
	static char result[64];
	char *copy = strdup(text);

	assert_non_null(copy);
	decode_field(copy);
	(void)snprintf(result, sizeof result, "%s", copy);
	free(copy);
	return result;
}

static void codes_stand_for_characters(void **state)
{
	(void)state;
	assert_string_equal(decoded("a\\040b\\011c\\012d\\134e\\043f"), "a b\tc\nd\\e#f");
	assert_string_equal(decoded("\\\\"), "\\");
	assert_string_equal(decoded("plain"), "plain");
	assert_string_equal(decoded(""), "");
}

static void what_came_out_is_not_decoded_again(void **state)
{
	(void)state;
	assert_string_equal(decoded("a\\134040"), "a\\040");
	assert_string_equal(decoded("a\\\\040"), "a\\040");
	assert_string_equal(decoded("\\134134"), "\\134");
}

static void any_other_backslash_stays_at_the_end_too(void **state)
{
	static const char *const same[] = { "\\", "\\0", "\\04", "\\050", "\\41", "a\\b", "\\0 40", "\\1", "\\13" };

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		assert_string_equal(decoded(same[i]), same[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_stand_for_characters),
		cmocka_unit_test(what_came_out_is_not_decoded_again),
		cmocka_unit_test(any_other_backslash_stays_at_the_end_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
