/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "records/address.h"

static const struct {
	unsigned char bytes[16];
	const char *text;
} rows[] = {
	{ { 0 }, "0.0.0.0" },
	{ { 192, 0, 2, 1 }, "192.0.2.1" },
	{ { 255, 255, 255, 255 }, "255.255.255.255" },
	{ { 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 }, "2001:db8:1:2:3:4:5:6" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, "::1" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 }, "::ffff:192.0.2.1" },
	{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

static void an_address_becomes_text_and_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[ADDRESS_TEXT_BYTES];
		unsigned char bytes[16];

		address_write(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
		assert_true(address_parse(text, bytes));
		assert_memory_equal(bytes, rows[i].bytes, 16);
		assert_int_equal(address_is_none(rows[i].bytes), i == 0);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "2001:db8:1:2", "host",
		"1.2.3.4 ", "2001:db8:1:2:3:" };
	unsigned char bytes[16];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(address_parse(texts[i], bytes));
}

/* Of the loopback /etc/hosts knows a name, or there is none: either way an answer comes, and the same one again. */
static void an_answer_is_kept(void **state)
{
	static const unsigned char loopback[16] = { 127, 0, 0, 1 };
	struct address_names *names = address_names_new();
	const char *first, *second;

	(void)state;
	assert_non_null(names);
	first = address_name(names, loopback);
	assert_true(*first);
	second = address_name(names, loopback);
	assert_true(*second);
	assert_ptr_equal(second, address_name(names, loopback));
	assert_string_equal(second, address_name(names, loopback));
	address_names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_becomes_text_and_comes_back),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_answer_is_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
