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

#include "fake/sys.h"
#include "process/pidof.h"

static struct pidof pidof;

/* The options and operands of a command line; what pidof_parse() says of it. */
static int parse(const char *line, const char *netfs)
{
	static char copy[256], *argv[16];
	int argc = 0;

	(void)snprintf(copy, sizeof copy, "pidof %s", line);
	for (char *word = strtok(copy, " "); word && argc < 15; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : (char *)(uintptr_t)"";
	argv[argc] = NULL;
	return pidof_parse(&pidof, "pidof", argc, argv, netfs);
}

static void options_and_operands_may_be_mixed(void **state)
{
	(void)state;
	assert_int_equal(parse("slp -s gone -qcxz", NULL), 0);
	assert_true(pidof.is_single && pidof.is_quiet && pidof.same_root && pidof.with_scripts && pidof.with_zombies);
	assert_false(pidof.avoid_network);
	assert_int_equal(pidof.count, 2);
	assert_string_equal(pidof.programs[0], "slp");
	assert_string_equal(pidof.programs[1], "gone");
	pidof_drop(&pidof);
	assert_int_equal(parse("-- -s", NULL), 0);
	assert_string_equal(pidof.programs[0], "-s");
	pidof_drop(&pidof);
	assert_int_equal(parse("", NULL), 0);
	assert_int_equal(pidof.count, 0);
	pidof_drop(&pidof);
}

static void network_is_avoided_by_option_or_environment(void **state)
{
	static const struct { const char *line, *netfs; bool avoids; } rows[] = {
		{ "x", NULL, false }, { "x", "no", false }, { "x", "", true }, { "x", "yes", true }, { "-n x", "no", true } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(parse(rows[i].line, rows[i].netfs), 0);
		assert_int_equal(pidof.avoid_network, rows[i].avoids);
		pidof_drop(&pidof);
	}
}

static void what_is_no_option_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("-Z", NULL), -EINVAL);
	assert_int_equal(parse("-o", NULL), -EINVAL);
	assert_int_equal(parse("-d", NULL), -EINVAL);
	assert_int_equal(parse("-d ''", NULL), -EINVAL);
	assert_int_equal(parse("--nonsense", NULL), -EINVAL);
	assert_int_equal(parse("-h -Z", NULL), 0);
	assert_int_equal(pidof.wish, PIDOF_HELP);
	pidof_drop(&pidof);
	assert_int_equal(parse("--version", NULL), 0);
	assert_int_equal(pidof.wish, PIDOF_VERSION);
	pidof_drop(&pidof);
	fault_name("map", -ENOMEM);
	assert_int_equal(parse("x", NULL), -ENOMEM);
	fault_clear();
}

static void the_parent_can_be_left_out_by_name(void **state)
{
	(void)state;
	assert_int_equal(parse("-o 5,%PPID x", NULL), 0);
	assert_true(pidset_has(&pidof.omitted, 5) && pidset_has(&pidof.omitted, getppid()));
	pidof_drop(&pidof);
}

/* What is printed of 10 20 30 and 20 40. */
static const char *printed(const char *line, size_t wanted)
{
	static char text[128];
	pid_t first[] = { 10, 20, 30 }, second[] = { 20, 40 };
	const struct scout_list found[] = { { first, 3 }, { second, 2 } };
	FILE *out = tmpfile();
	ssize_t len;

	assert_non_null(out);
	assert_int_equal(parse(line, NULL), 0);
	assert_int_equal(pidof_print(&pidof, found, out), wanted);
	fflush(out);
	len = pread(fileno(out), text, sizeof text - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	fclose(out);
	pidof_drop(&pidof);
	return text;
}

static void numbers_come_in_descending_order_for_each_program(void **state)
{
	(void)state;
	assert_string_equal(printed("a b", 5), "30 20 10 40 20\n");
	assert_string_equal(printed("a b -d,", 5), "30,20,10,40,20\n");
	assert_string_equal(printed("a b -d,;", 5), "30,20,10,40,20\n");
	assert_string_equal(printed("a b -d \xe2\x80\xa2x", 5), "30\xe2\x80\xa2" "20\xe2\x80\xa2" "10\xe2\x80\xa2" "40\xe2\x80\xa2" "20\n");
	assert_string_equal(printed("a b -s", 2), "30 40\n");
	assert_string_equal(printed("a b -s -o 30", 2), "20 40\n");
	assert_string_equal(printed("a b -o 20:40", 2), "30 10\n");
	assert_string_equal(printed("a b -o 10,20,30,40", 0), "");
	assert_string_equal(printed("a b -q", 5), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(network_is_avoided_by_option_or_environment),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(the_parent_can_be_left_out_by_name),
		cmocka_unit_test(numbers_come_in_descending_order_for_each_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
