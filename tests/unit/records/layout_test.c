/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#ifdef __GLIBC__
#include <utmp.h>
#endif

#include "fake/record.h"
#include "records/layout.h"

static const char *const names[] = { "384le", "384be", "400le", "400be", "56le", "56be" };
enum { NAMES = sizeof names / sizeof names[0] };

static const unsigned char ipv6[16] = { 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 };

static void the_native_layout_is_that_of_the_c_library(void **state)
{
	(void)state;
#ifdef __GLIBC__
	struct utmp u = { .ut_type = USER_PROCESS, .ut_pid = 4711, .ut_line = "pts/3", .ut_id = "ts/3", .ut_user = "bob",
		.ut_host = "example.org", .ut_tv = { .tv_sec = 1700000000, .tv_usec = 654321 },
		.ut_addr_v6 = { 0x04030201 } };
	struct record record = record_of(layout_native(false), &u);
	unsigned char address[16];

	assert_int_equal(layout_native(false)->bytes, sizeof u);
	assert_int_equal(record.type, USER_PROCESS);
	assert_int_equal(record.pid, 4711);
	assert_int_equal(record.s, 1700000000);
	assert_int_equal(record.us, 654321);
	assert_int_equal(record_text(&record, TEXT_LINE).len, 5);
	assert_memory_equal(record_text(&record, TEXT_USER).at, "bob", 4);
	assert_memory_equal(record_text(&record, TEXT_HOST).at, "example.org", 12);
	record_address(&record, address);
	assert_memory_equal(address, &u.ut_addr_v6, 16);
#endif
	assert_int_equal(layout_native(true)->bytes, 56);
	assert_false(layout_native(false)->is_swapped);
}

static void every_name_is_a_layout(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		assert_non_null(layout_named(names[i]));
		assert_string_equal(layout_named(names[i])->name, names[i]);
		assert_non_null(strstr(layout_names(), names[i]));
	}
	assert_null(layout_named("385le"));
	assert_null(layout_named(""));
}

/* Byte by byte, as other machines lay it down. */
static void numbers_lie_where_each_machine_puts_them(void **state)
{
	static const struct {
		const char *name;
		int pid_low_at, s_low_at;
	} rows[] = {
		{ "384le", 4, 340 }, { "384be", 7, 343 }, { "400le", 4, 344 }, { "400be", 7, 351 }, { "56le", 4, 24 },
		{ "56be", 7, 27 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_fields fields = fake_fields(7, 0x01020304, "tty1", "bob", 0x05060708);
		unsigned char bytes[LAYOUT_BYTES_MAX] = { 0 };

		assert_int_equal(layout_encode(layout_named(rows[i].name), &fields, bytes), 0);
		assert_int_equal(bytes[rows[i].pid_low_at], 4);
		assert_int_equal(bytes[rows[i].s_low_at], 8);
		assert_int_equal(bytes[strstr(rows[i].name, "le") ? 0 : 1], 7);
		assert_memory_equal(bytes + 8, "tty1", 5);
	}
}

static void every_field_comes_back_from_every_layout(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		const struct layout *layout = layout_named(names[i]);
		struct record_fields fields = fake_fields(8, -5, "pts/12", "bob", 4000000000), found;
		unsigned char bytes[LAYOUT_BYTES_MAX];
		struct record record;

		fake_text(&fields, TEXT_ID, "ts12");
		fake_text(&fields, TEXT_HOST, "host");
		memcpy(fields.address, ipv6, layout->address_bytes);
		fields.rest[0] = 9;
		if (!layout->is_old) {
			fields.us = 999999;
			fields.session = -7;
			fields.termination = -1;
			fields.exit = 300;
			fields.rest[2 + layout->rest_bytes - 1] = 1;
		}
		assert_int_equal(layout_encode(layout, &fields, bytes), 0);
		record = record_of(layout, bytes);
		record_fields(&record, &found);
		assert_memory_equal(&found, &fields, sizeof fields);
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	static const char *const narrow[] = { "384le", "56be" };
	unsigned char bytes[LAYOUT_BYTES_MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct layout *layout = layout_named(narrow[i]);
		struct record_fields fields = fake_fields(7, 1, "tty1", "bob", 1);

		fields.s = 0x100000000;
		assert_int_equal(layout_encode(layout, &fields, bytes), -ERANGE);
		fields.s = -1;
		assert_int_equal(layout_encode(layout, &fields, bytes), -ERANGE);
		fields.s = 0xffffffff;
		assert_int_equal(layout_encode(layout, &fields, bytes), 0);
		fields.session = 0x80000000;
		assert_int_equal(layout_encode(layout, &fields, bytes), -ERANGE);
		fields.session = 0;
		fields.type = 32768;
		assert_int_equal(layout_encode(layout, &fields, bytes), -ERANGE);
	}
	struct record_fields old = fake_fields(7, 1, "tty1", "ninebytes", 1);

	assert_int_equal(layout_encode(layout_named("56le"), &old, bytes), -ERANGE);
	old = fake_fields(7, 1, "tty1", "bob", 1);
	memcpy(old.address, ipv6, 16);
	assert_int_equal(layout_encode(layout_named("56le"), &old, bytes), -ERANGE);
	old = fake_fields(7, 1, "tty1", "bob", 1);
	old.us = 1;
	assert_int_equal(layout_encode(layout_named("56le"), &old, bytes), -ERANGE);
}

static void a_text_ends_with_its_field(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };
	char full[33];
	struct record record;

	(void)state;
	memset(full, 'u', 32);
	full[32] = '\0';
	fake_add(&file, 7, 1, full, full, 1);
	record = fake_record(&file, 0);
	assert_int_equal(record_text(&record, TEXT_LINE).len, 32);
	assert_int_equal(record_text(&record, TEXT_USER).len, 32);
	assert_int_equal(record_text(&record, TEXT_HOST).len, 0);
}

static void seconds_of_32_bits_reach_to_2106(void **state)
{
	struct fake_file file = { .layout = layout_named("384le") }, wide = { .layout = layout_named("400le") };

	(void)state;
	fake_add(&file, 7, 1, "tty1", "bob", 0xfffffff0);
	assert_int_equal(fake_record(&file, 0).s, 0xfffffff0);
	fake_add(&wide, 7, 1, "tty1", "bob", -3);
	assert_int_equal(fake_record(&wide, 0).s, -3);
}

static void a_file_tells_which_layout_it_has(void **state)
{
	(void)state;
	for (int i = 0; i < NAMES; i++) {
		struct fake_file file = { .layout = layout_named(names[i]) };

		for (int n = 0; n < 20; n++) {
			fake_add(&file, n % 3 ? 7 : 8, 500 + n, "pts/1", n % 3 ? "bob" : "", 1700000000 + n);
			assert_ptr_equal(layout_detect(file.bytes, file.len, file.layout->is_old), file.layout);
		}
	}
}

static void in_doubt_a_file_is_this_machines(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };
	unsigned char junk[8000];

	(void)state;
	memset(junk, 0xa5, sizeof junk);
	assert_ptr_equal(layout_detect(junk, sizeof junk, false), layout_native(false));
	memset(junk, 0, sizeof junk);
	assert_ptr_equal(layout_detect(junk, sizeof junk, false), layout_native(false));
	assert_ptr_equal(layout_detect(junk, 0, true), layout_native(true));
	fake_add(&file, 7, 1, "tty1", "bob", 1700000000);
	fake_add_bytes(&file, junk + 1, file.layout->bytes);
	memset(file.bytes + file.len - 300, 0xa5, 200);
	assert_ptr_equal(layout_detect(file.bytes, file.len, false), layout_native(false));
}

static void what_is_blank_or_sound_is_told_apart(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };
	struct record record;

	(void)state;
	fake_add(&file, 0, 0, "", "", 0);
	fake_add(&file, 7, 1, "tty1", "bob", 5);
	fake_add(&file, 7, 1, "tty1", "bob", 0);
	fake_add(&file, 77, 1, "tty1", "bob", 5);
	fake_add(&file, 7, 1, "\x01tty", "bob", 5);
	record = fake_record(&file, 0);
	assert_true(record_is_blank(&record));
	assert_false(record_is_sound(&record));
	record = fake_record(&file, 1);
	assert_false(record_is_blank(&record));
	assert_true(record_is_sound(&record));
	for (size_t i = 2; i < 5; i++) {
		record = fake_record(&file, i);
		assert_false(record_is_sound(&record));
	}
	assert_true(record_is_known_type(254));
	assert_false(record_is_known_type(10));
	assert_false(record_is_known_type(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_native_layout_is_that_of_the_c_library),
		cmocka_unit_test(every_name_is_a_layout),
		cmocka_unit_test(numbers_lie_where_each_machine_puts_them),
		cmocka_unit_test(every_field_comes_back_from_every_layout),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_text_ends_with_its_field),
		cmocka_unit_test(seconds_of_32_bits_reach_to_2106),
		cmocka_unit_test(a_file_tells_which_layout_it_has),
		cmocka_unit_test(in_doubt_a_file_is_this_machines),
		cmocka_unit_test(what_is_blank_or_sound_is_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
