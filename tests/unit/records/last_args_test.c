/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake/record.h"
#include "records/last_args.h"

static struct last_args args;
static char said[1024];                 /* on standard error */

/* Words with a blank between two, "last" or another name first. */
static enum last_wish read_line(const char *line)
{
	static char words[512];
	static char *argv[32];
	int argc = 0, kept = dup(2);
	FILE *file = tmpfile();
	enum last_wish wish;
	ssize_t len;

	assert_non_null(file);
	snprintf(words, sizeof words, "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0;                     /* getopt(3) begins anew */
	assert_int_equal(dup2(fileno(file), 2), 2);
	wish = last_args_read(&args, argv[0], argc, argv);
	fflush(stderr);
	assert_int_equal(dup2(kept, 2), 2);
	close(kept);
	len = pread(fileno(file), said, sizeof said - 1, 0);
	assert_true(len >= 0);
	said[len] = '\0';
	fclose(file);
	return wish;
}

static void the_name_chooses_the_file(void **state)
{
	(void)state;
	assert_int_equal(read_line("last"), LAST_RUN);
	assert_string_equal(args.path, "/var/log/wtmp");
	assert_true(args.is_default_path);
	assert_false(args.is_bad);
	assert_int_equal(read_line("lastb"), LAST_RUN);
	assert_string_equal(args.path, "/var/log/btmp");
	assert_true(args.is_bad);
	assert_int_equal(read_line("lastbb -f -"), LAST_RUN);
	assert_string_equal(args.path, "-");
	assert_false(args.is_bad);
	assert_false(args.is_default_path);
}

static void every_letter_has_its_place(void **state)
{
	(void)state;
	assert_int_equal(read_line("last -R -a -F -l -w -x -d -i -o"), LAST_RUN);
	assert_true(args.columns.no_host && args.columns.host_last && args.columns.full_dates && args.columns.long_names &&
		args.columns.whole_names && args.with_system && args.resolve && args.numeric && args.is_old);
	assert_int_equal(read_line("last bob -xF tty1"), LAST_RUN);
	assert_true(args.with_system && args.columns.full_dates && !args.columns.no_host);
	assert_string_equal(args.wanted[0], "bob");
	assert_string_equal(args.wanted[1], "tty1");
	assert_null(args.wanted[2]);
}

static void counts_are_as_ever(void **state)
{
	static const struct {
		const char *line;
		int64_t count;
	} rows[] = {
		{ "last", 0 }, { "last -n 7", 7 }, { "last -7", 7 }, { "last -12", 12 }, { "last -1 -2", 12 },
		{ "last -n 1 -0", 10 }, { "last -n 0", 0 }, { "last -n -3", -3 }, { "last -n5", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(read_line(rows[i].line), LAST_RUN);
		assert_int_equal(args.count, rows[i].count);
	}
}

static void times_are_looked_at_closely(void **state)
{
	static const char *const bad[] = { "20240304094", "202403040945000", "20240304094500x", "20241304094500",
		"20240230094500", "20240304244500", "20240304096000", "2024030409450 ", "-2024030409450", "x" };

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_int_equal(read_line("last -t 20240304094500"), LAST_RUN);
	assert_true(args.has_until);
	assert_int_equal(args.until_s, 1709545500);
	setenv("TZ", "Europe/Berlin", 1);
	assert_int_equal(read_line("last -t 20240704094500"), LAST_RUN);
	assert_int_equal(args.until_s, 1720079100);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char line[64];

		snprintf(line, sizeof line, "last -t %s", bad[i]);
		assert_int_equal(read_line(line), LAST_WRONG);
		assert_non_null(strstr(said, "last: Invalid time value \""));
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const char usage[] =
		"Usage: last [-num | -n num] [-f file] [-t YYYYMMDDHHMMSS] [-R] [-adioxFw] [username..] [tty..]\n";

	(void)state;
	assert_int_equal(read_line("last -n x"), LAST_WRONG);
	assert_string_equal(said + strlen(said) - strlen(usage), usage);
	assert_non_null(strstr(said, "\"x\""));
	assert_int_equal(read_line("last -n 1x"), LAST_WRONG);
	assert_int_equal(read_line("last -h"), LAST_WRONG);
	assert_string_equal(said + strlen(said) - strlen(usage), usage);
	assert_int_equal(read_line("last -99999999999999999999"), LAST_WRONG);
	assert_int_equal(read_line("last -n -1 -1"), LAST_WRONG);
	assert_int_equal(read_line("last -f"), LAST_WRONG);
	assert_int_equal(read_line("last --what"), LAST_WRONG);
	assert_int_equal(read_line("last --help"), LAST_HELP);
	assert_int_equal(read_line("last --version"), LAST_VERSION);
}

static bool is_wanted(const char *line, const char *user, const char *shown)
{
	struct fake_file file = { .layout = layout_native(false) };
	struct happening what = { .line = { shown, strlen(shown) } };

	fake_add(&file, 7, 1, "~", user, 1);
	what.record = fake_record(&file, 0);
	assert_int_equal(read_line(line), LAST_RUN);
	return last_args_want(&args, &what);
}

static void operands_ask_for_users_and_lines(void **state)
{
	(void)state;
	assert_true(is_wanted("last", "bob", "tty1"));
	assert_true(is_wanted("last bob", "bob", "tty1"));
	assert_true(is_wanted("last eve tty1", "bob", "tty1"));
	assert_true(is_wanted("last 1", "bob", "tty1"));
	assert_true(is_wanted("last S0", "bob", "ttyS0"));
	assert_false(is_wanted("last bo", "bob", "tty1"));
	assert_false(is_wanted("last bobby", "bob", "tty1"));
	assert_false(is_wanted("last tty", "bob", "tty1"));
	assert_false(is_wanted("last 0", "bob", "pts/0"));
	assert_false(is_wanted("last ~", "reboot", "system boot"));
	assert_true(is_wanted("last reboot", "reboot", "system boot"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_chooses_the_file),
		cmocka_unit_test(every_letter_has_its_place),
		cmocka_unit_test(counts_are_as_ever),
		cmocka_unit_test(times_are_looked_at_closely),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(operands_ask_for_users_and_lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
