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

#include "process/strip.h"

static void what_is_marked_is_left_out_wherever_the_pieces_are_cut(void **state)
{
	static const char in[] = "a\0b\1cc\0\1c\2d\2e\1f";
	static const char wanted[] = "a\0bd\2e";

	(void)state;
	for (size_t cut = 0; cut < sizeof in; cut++) {
		struct strip strip = { 0 };
		char out[sizeof in];
		size_t kept = strip_copy(&strip, in, cut, out);

		kept += strip_copy(&strip, in + cut, sizeof in - 1 - cut, out + kept);
		assert_int_equal(kept, sizeof wanted - 1);
		assert_memory_equal(out, wanted, kept);
		assert_true(strip.is_inside);
	}
}

static void without_marks_every_byte_stays(void **state)
{
	struct strip strip = { 0 };
	char in[256], out[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		in[i] = (char)(i == 1 ? 0 : i);
	assert_int_equal(strip_copy(&strip, in, sizeof in, out), sizeof in);
	assert_memory_equal(in, out, sizeof in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_marked_is_left_out_wherever_the_pieces_are_cut),
		cmocka_unit_test(without_marks_every_byte_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
