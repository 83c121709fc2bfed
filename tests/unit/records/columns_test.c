/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/record.h"
#include "records/columns.h"

#define BEGIN_S INT64_C(1709545500)     /* Mon Mar  4 09:45:00 2024 UTC */

static struct moment moment;

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	moment_init(&moment);
	return 0;
}

static const char *line_of(const struct columns *columns, const char *user, const char *line, const char *host, enum fate fate,
	int64_t lasted_s)
{
	static char text[COLUMNS_LINE_MAX + 2];
	struct fake_file file = { .layout = layout_native(false) };
	struct happening what = { .fate = fate, .end_s = BEGIN_S + lasted_s, .line = { line, strlen(line) } };
	int len;

	fake_add(&file, 7, 1, line, user, BEGIN_S);
	what.record = fake_record(&file, 0);
	len = columns_write(columns, &moment, &what, (struct text){ host, strlen(host) }, text);
	assert_in_range(len, 1, COLUMNS_LINE_MAX + 1);
	text[len] = '\0';
	return text;
}

static void every_manner_has_its_widths(void **state)
{
	static const struct {
		struct columns columns;
		const char *wanted;
	} rows[] = {
		{ { 0 }, "abcdefgh pts/1        abcdefghijklmnop Mon Mar  4 09:45 - 11:15  (01:30)    \n" },
		{ { .whole_names = true },
			"abcdefghi pts/1        abcdefghijklmnopqr Mon Mar  4 09:45 - 11:15  (01:30)    \n" },
		{ { .no_host = true }, "abcdefgh pts/1        Mon Mar  4 09:45 - 11:15  (01:30)    \n" },
		{ { .host_last = true },
			"abcdefgh pts/1        Mon Mar  4 09:45 - 11:15  (01:30)     abcdefghijklmnopqr\n" },
		{ { .full_dates = true }, "abcdefgh pts/1        abcdefghijklmnop Mon Mar  4 09:45:00 2024 - "
			"Mon Mar  4 11:15:00 2024  (01:30)    \n" },
		{ { .long_names = true },
			"abcdefghi                        pts/1        abcdefghijklmnop Mon Mar  4 09:45 - 11:15  (01:30)    \n" },
		{ { .long_names = true, .host_last = true },
			"abcdefghi                        pts/1        Mon Mar  4 09:45 - 11:15  (01:30)         abcdefghijklmnopqr\n" },
		{ { .long_names = true, .full_dates = true }, "abcdefghi                        pts/1        abcdefghijklmnop "
			"Mon Mar  4 09:45:00 2024 - Mon Mar  4 11:15:00 2024  (01:30)    \n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(line_of(&rows[i].columns, "abcdefghi", "pts/1", "abcdefghijklmnopqr", FATE_ENDED, 5400),
			rows[i].wanted);
}

static void every_fate_has_its_words(void **state)
{
	static const struct {
		enum fate fate;
		const char *wanted, *full;
	} rows[] = {
		{ FATE_ENDED, "- 11:15  (01:30)    \n", "- Mon Mar  4 11:15:00 2024  (01:30)    \n" },
		{ FATE_CRASHED, "- crash  (01:30)    \n", "- crash                     (01:30)    \n" },
		{ FATE_DOWN, "- down   (01:30)    \n", "- down                      (01:30)    \n" },
		{ FATE_LOGGED_IN, "  still logged in   \n", "  still logged in                      \n" },
		{ FATE_RUNNING, "  still running     \n", "  still running                        \n" },
		{ FATE_GONE, "   gone - no logout \n", "  gone - no logout                     \n" },
		{ FATE_UNKNOWN, "                    \n", "                                       \n" },
		{ FATE_MOMENT, "                    \n", "                                       \n" },
	};
	const struct columns brief = { .no_host = true }, full = { .no_host = true, .full_dates = true };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *rest = strstr(line_of(&brief, "bob", "tty1", "", rows[i].fate, 5400), "09:45 ") + 6;

		assert_string_equal(rest, rows[i].wanted);
		rest = strstr(line_of(&full, "bob", "tty1", "", rows[i].fate, 5400), "2024 ") + 5;
		assert_string_equal(rest, rows[i].full);
	}
}

static void a_length_is_whole_minutes(void **state)
{
	static const struct {
		int64_t s;
		const char *wanted;
	} rows[] = {
		{ 0, " (00:00)    " }, { 59, " (00:00)    " }, { 60, " (00:01)    " }, { 86399, " (23:59)    " },
		{ 86400, "(1+00:00)   " }, { 90000 + 86400 * 99, "(100+01:00) " }, { -30, " (-00:00)   " },
		{ -1800, " (-00:30)   " }, { -5400, " (-1:30)    " }, { -5400 - 4 * 86400, "(-4+01:30)  " },
		{ INT64_C(86400) * 123456, "(123456+00:0" },
	};
	const struct columns columns = { .no_host = true };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *line = line_of(&columns, "bob", "tty1", "", FATE_CRASHED, rows[i].s);

		assert_memory_equal(strstr(line, "crash ") + 6, rows[i].wanted, 12);
	}
}

static void times_of_64_bits_may_be_anything(void **state)
{
	const struct columns columns = { .no_host = true };
	struct fake_file file = { .layout = layout_named("400le") };
	struct happening what = { .fate = FATE_ENDED, .line = { "tty1", 4 }, .end_s = INT64_MAX };
	char text[COLUMNS_LINE_MAX + 1];

	(void)state;
	fake_add(&file, 7, 1, "tty1", "bob", INT64_MIN);
	what.record = fake_record(&file, 0);
	assert_true(columns_write(&columns, &moment, &what, (struct text){ "", 0 }, text) > 0);
	what.end_s = -5;
	what.record.s = INT64_MAX;
	assert_true(columns_write(&columns, &moment, &what, (struct text){ "", 0 }, text) > 0);
}

static void no_byte_but_printable_ones_is_shown(void **state)
{
	const struct columns columns = { .whole_names = true };
	const char *line = line_of(&columns, "x\nreboot\x1b", "tty\r1\x7f", "\xc3\xa4\nroot   pts/0\t", FATE_ENDED, 60);

	(void)state;
	assert_int_equal(strlen(line), strcspn(line, "\n") + 1);
	for (const char *at = line; at[1]; at++)
		assert_in_range((unsigned char)*at, ' ', '~');
	assert_memory_equal(line, "x*reboot* tty*1*       ***root   pts/0* Mon", 43);
}

static void each_byte_in_each_place_is_looked_at(void **state)
{
	const struct columns columns = { .host_last = true };

	(void)state;
	for (int c = 1; c < 256; c++) {
		for (size_t place = 0; place < 20; place++) {
			char host[] = "~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ", wanted[sizeof host];
			const char *line;

			host[place] = (char)c;
			strcpy(wanted, host);
			if (c < ' ' || c > '~')
				wanted[place] = '*';
			line = line_of(&columns, "bob", "tty1", host, FATE_ENDED, 60);
			assert_memory_equal(line + strlen(line) - sizeof host, wanted, sizeof host - 1);
		}
	}
}

static void a_name_is_cleaned_in_place(void **state)
{
	char name[] = "w\x1b[m\n\x80~ tmp";

	(void)state;
	columns_clean(name);
	assert_string_equal(name, "w*[m**~ tmp");
}

static void a_line_has_a_bound(void **state)
{
	const struct columns columns = { .host_last = true };
	char host[1025];

	(void)state;
	memset(host, 'h', sizeof host - 1);
	host[sizeof host - 1] = '\0';
	assert_int_equal(strlen(line_of(&columns, "bob", "tty1", host, FATE_ENDED, 60)), COLUMNS_LINE_MAX + 1);
}

static void a_host_of_256_bytes_is_shown_whole(void **state)
{
	const struct columns columns = { .whole_names = true };
	char host[257];

	(void)state;
	memset(host, 'h', 256);
	host[256] = '\0';
	assert_non_null(strstr(line_of(&columns, "bob", "tty1", host, FATE_ENDED, 60), host));
}

static void names_of_the_old_format_have_eight_columns(void **state)
{
	const struct columns columns = { .long_names = true };
	struct fake_file file = { .layout = layout_native(true) };
	struct happening what = { .fate = FATE_LOGGED_IN, .line = { "tty1", 4 } };
	char text[COLUMNS_LINE_MAX + 1];

	(void)state;
	fake_add(&file, 7, 1, "tty1", "abcdefgh", BEGIN_S);
	what.record = fake_record(&file, 0);
	(void)columns_write(&columns, &moment, &what, (struct text){ "", 0 }, text);
	assert_memory_equal(text, "abcdefgh tty1         ", 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_manner_has_its_widths),
		cmocka_unit_test(every_fate_has_its_words),
		cmocka_unit_test(a_length_is_whole_minutes),
		cmocka_unit_test(times_of_64_bits_may_be_anything),
		cmocka_unit_test(no_byte_but_printable_ones_is_shown),
		cmocka_unit_test(each_byte_in_each_place_is_looked_at),
		cmocka_unit_test(a_name_is_cleaned_in_place),
		cmocka_unit_test(a_line_has_a_bound),
		cmocka_unit_test(a_host_of_256_bytes_is_shown_whole),
		cmocka_unit_test(names_of_the_old_format_have_eight_columns),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
