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

#include "fake/record.h"
#include "records/dump.h"

static const char *const layouts[] = { "384le", "384be", "400le", "400be", "56le", "56be" };
static const unsigned char ipv6[16] = { 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 };

static const char *line_of(const struct record_fields *fields, bool is_exact)
{
	static char line[DUMP_LINE_MAX];
	struct fake_file file = { .layout = layout_named("400le") };
	struct record record;
	size_t len;

	fake_add_fields(&file, fields);
	record = fake_record(&file, 0);
	len = dump_write(&record, is_exact, line);
	assert_int_equal(len, strlen(line));
	return line;
}

static int read_back(const char *line, struct record_fields *out)
{
	size_t len = strlen(line);

	return dump_read(line, len && line[len - 1] == '\n' ? len - 1 : len, out);
}

static int set_up(void **state)
{
	(void)state;
	return setenv("TZ", "UTC", 1);
}

static struct record_fields bob(void)
{
	struct record_fields fields = fake_fields(7, 123, "pts/1", "bob", 1709280000);

	fake_text(&fields, TEXT_ID, "ts1");
	fake_text(&fields, TEXT_HOST, "example.org");
	memcpy(fields.address, "\xc0\x00\x02\x01", 4);
	return fields;
}

static void the_plain_form_is_sysvinits(void **state)
{
	struct record_fields fields = bob();

	(void)state;
	assert_string_equal(line_of(&fields, false), "[7] [00123] [ts1 ] [bob     ] [pts/1       ] [example.org         ] "
		"[192.0.2.1      ] [Fri Mar 01 08:00:00 2024 UTC]\n");
	fields.pid = -5;
	fields.type = -1;
	fields.s = 0;
	fake_text(&fields, TEXT_USER, "a[b]\n\x80 c");
	memcpy(fields.address, ipv6, 16);
	assert_string_equal(line_of(&fields, false), "[-1] [-0005] [ts1 ] [a?b??? c] [pts/1       ] [example.org         ] "
		"[2001:db8:1:2:3:4:5:6] [                            ]\n");
	fields.pid = 4000000;
	assert_memory_equal(line_of(&fields, false), "[-1] [4000000] ", 15);
}

static void the_longest_record_has_room(void **state)
{
	struct record_fields fields = { .type = -32768, .pid = INT32_MIN, .s = INT64_MIN, .us = INT64_MIN, .session = INT64_MIN,
		.termination = -32768, .exit = -32768 }, back;
	const char *line;

	(void)state;
	memset(fields.text[TEXT_LINE], 0xff, 32);
	memset(fields.text[TEXT_ID], 0xff, 4);
	memset(fields.text[TEXT_USER], 0xff, 32);
	memset(fields.text[TEXT_HOST], 0xff, 256);
	memset(fields.address, 0xfe, 16);
	memset(fields.rest, 0xff, sizeof fields.rest);
	line = line_of(&fields, true);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_int_equal(read_back(line, &back), 0);
	assert_memory_equal(&back, &fields, sizeof fields);
	assert_non_null(strchr(line_of(&fields, false), '\n'));
}

static void the_plain_form_keeps_what_it_shows(void **state)
{
	struct record_fields fields = bob(), back;

	(void)state;
	assert_int_equal(read_back(line_of(&fields, false), &back), 0);
	assert_memory_equal(&back, &fields, sizeof fields);
	fake_text(&fields, TEXT_USER, "u ser");
	fake_text(&fields, TEXT_LINE, "  system boot");
	memcpy(fields.address, ipv6, 16);
	assert_int_equal(read_back(line_of(&fields, false), &back), 0);
	assert_memory_equal(&back, &fields, sizeof fields);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Any bytes at all, of every machine's records. */
static void the_exact_form_keeps_every_byte(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (int n = 0; n < 3000; n++) {
		struct fake_file file = { .layout = layout_named(layouts[n % 6]) };
		unsigned char again[LAYOUT_BYTES_MAX];
		struct record_fields fields;
		struct record record;
		char line[DUMP_LINE_MAX];
		size_t len;

		for (int i = 0; i < file.layout->bytes; i++)
			file.bytes[i] = (unsigned char)(next(&seed) % 3 ? next(&seed) % 7 * 16 % 97 : next(&seed));
		record = fake_record(&file, 0);
		len = dump_write(&record, true, line);
		assert_int_equal(dump_read(line, len - 1, &fields), 0);
		assert_int_equal(layout_encode(file.layout, &fields, again), 0);
		assert_memory_equal(again, file.bytes, file.layout->bytes);
		assert_null(memchr(line, '\n', len - 1));
	}
}

static void util_linux_lines_are_read(void **state)
{
	struct record_fields fields = bob(), back;

	(void)state;
	fields.us = 42;
	assert_int_equal(read_back("[7] [00123] [ts1 ] [bob     ] [pts/1       ] [example.org         ] [192.0.2.1      ] "
		"[2024-03-01T08:00:00,000042+00:00]\r", &back), 0);
	assert_memory_equal(&back, &fields, sizeof fields);
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"", " ", "x", "[", "[]", "[7]", "[7", "7]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1] [0]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] [] []",
		"[x] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1]",
		"[7] [] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1]",
		"[32768] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1]",
		"[7] [2147483648] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1]",
		"[7] [00123] [ts/12] [bob] [pts/1] [h] [0.0.0.0] [@1]",
		"[7] [00123] [ts1 ] [abcdefghijklmnopqrstuvwxyzabcdefg] [pts/1] [h] [0.0.0.0] [@1]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0] [@1]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [yesterday]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1] [70000] [0] [0] []",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] [0]",
		"[7] [00123] [ts1 ] [bob] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] [xy]",
		"[7] [00123] [ts1 ] [b\\ob] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] []",
		"[7] [00123] [ts1 ] [b\\40] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] []",
		"[7] [00123] [ts1 ] [b\\400] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] []",
		"[7] [00123] [\\1011234] [b] [pts/1] [h] [0.0.0.0] [@1] [0] [0] [0] []",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct record_fields back = { .pid = 77 };

		assert_int_equal(read_back(lines[i], &back), -EINVAL);
		assert_int_equal(back.pid, 77);
	}
	assert_int_equal(dump_read("[7] [00123] [ts1 ] [b\0b] [pts/1] [h] [0.0.0.0] [@1]", 51, &(struct record_fields){ 0 }),
		-EINVAL);
}

static void a_line_of_any_length_does_no_harm(void **state)
{
	static char line[8192];
	struct record_fields back;

	(void)state;
	memset(line, 'x', sizeof line);
	line[0] = '[';
	line[sizeof line - 1] = ']';
	assert_int_equal(dump_read(line, sizeof line, &back), -EINVAL);
	for (size_t i = 1; i + 3 < sizeof line; i += 3)
		memcpy(line + i, "] [", 3);
	assert_int_equal(dump_read(line, sizeof line, &back), -EINVAL);
	assert_int_equal(dump_read(line, 100, &back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_form_is_sysvinits),
		cmocka_unit_test(the_longest_record_has_room),
		cmocka_unit_test(the_plain_form_keeps_what_it_shows),
		cmocka_unit_test(the_exact_form_keeps_every_byte),
		cmocka_unit_test(util_linux_lines_are_read),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(a_line_of_any_length_does_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
