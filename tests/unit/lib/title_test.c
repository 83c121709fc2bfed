/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "lib/title.h"

extern char **environ;

/* The command line and the environment as an exec of this program with ARGS made them. */
static char **real_argv;

/* Executes this program with one word as its arguments and its environment: MODE is what the new
 * one does. */
static int executed(const char *mode)
{
	char *argv[] = { (char *)"title", (char *)mode, NULL };
	char *envp[] = { (char *)"A=1", NULL };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		execve("/proc/self/exe", argv, envp);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* What ps shows: up to the first NUL. */
static bool is_shown(const char *text)
{
	char buf[512];

	return io_read_file("/proc/self/cmdline", buf, sizeof buf) >= 0 && !strcmp(buf, text);
}

static int short_title(struct title *title)
{
	title_set(title, "init [3]");
	if (!is_shown("init [3]"))
		return 1;
	title_set(title, "init");
	return is_shown("init") ? 0 : 2;
}

/* Longer than argv, and the bounds cannot be moved: it goes on over the environment. */
static int into_environment(struct title *title)
{
	fault_name("set_title", -EPERM);
	title_set(title, "init [log: syslog]a");
	if (!is_shown("init [log: syslog]a"))
		return 1;
	title_set(title, "init [3]");
	return is_shown("init [3]") ? 0 : 2;
}

static int cut_title(struct title *title)
{
	char text[TITLE_MAX], wanted[TITLE_MAX];
	size_t room = title->size_bytes;

	memset(text, 't', sizeof text);
	text[sizeof text - 1] = '\0';
	memset(wanted, 't', sizeof wanted);
	wanted[room - 1] = '\0';
	fault_name("set_title", -EPERM);
	title_set(title, text);
	return is_shown(wanted) ? 0 : 1;
}

static int moved_title(struct title *title)
{
	char text[TITLE_MAX + 10];

	/* Root is not enough where CAP_SYS_RESOURCE was taken away. */
	if (sys_set_title((unsigned long)title->area, (unsigned long)title->area + 1) == -EPERM)
		return cut_title(title);
	memset(text, 't', sizeof text);
	text[TITLE_MAX - 1] = '\0';
	title_set(title, text);
	if (!is_shown(text))
		return 1;
	title_set(title, "x");
	if (!is_shown("x"))
		return 2;
	text[TITLE_MAX - 1] = 't';
	text[TITLE_MAX + 9] = '\0';
	title_set(title, text);
	text[TITLE_MAX - 1] = '\0';
	return is_shown(text) ? 0 : 3;
}

static const struct mode {
	const char *name;
	int (*run)(struct title *);
} modes[] = {
	{ "short", short_title },
	{ "environment", into_environment },
	{ "cut", cut_title },
	{ "moved", moved_title },
};

static int run_mode(const char *name)
{
	char text[TITLE_MAX];
	struct title title;

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (!strcmp(modes[i].name, name)) {
			title_init(&title, real_argv, environ, text);
			return modes[i].run(&title);
		}
	return 98;
}

static void a_short_title_stands_in_the_place_of_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(executed("short"), 0);
}

static void a_longer_one_goes_on_over_the_environment(void **state)
{
	(void)state;
	assert_int_equal(executed("environment"), 0);
}

static void what_fits_in_neither_is_cut(void **state)
{
	(void)state;
	assert_int_equal(executed("cut"), 0);
}

static void the_bounds_are_moved_by_those_who_may_and_the_rest_is_cut(void **state)
{
	(void)state;
	assert_int_equal(executed("moved"), 0);
}

static void the_area_is_found_as_far_as_it_is_in_one_piece(void **state)
{
	char block[] = "ab\0c\0X=1\0Y=2";
	char *argv[] = { block, block + 3, NULL };
	char *envp[] = { block + 5, (char *)"far", block + 9, NULL };
	char *none[] = { NULL };
	char text[TITLE_MAX];
	struct title title;

	(void)state;
	title_init(&title, argv, envp, text);
	assert_ptr_equal(title.area, block);
	assert_int_equal(title.argv_bytes, 5);
	assert_int_equal(title.size_bytes, sizeof block);
	title_init(&title, argv, none, text);
	assert_int_equal(title.size_bytes, 5);
	argv[1] = (char *)"elsewhere";
	title_init(&title, argv, envp, text);
	assert_int_equal(title.size_bytes, 3);
	title_init(&title, none, none, text);
	assert_int_equal(title.size_bytes, 0);
	fault_name("set_title", -EPERM);
	title_set(&title, "nowhere to go");
	fault_clear();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_title_stands_in_the_place_of_the_command_line),
		cmocka_unit_test(a_longer_one_goes_on_over_the_environment),
		cmocka_unit_test(what_fits_in_neither_is_cut),
		cmocka_unit_test(the_bounds_are_moved_by_those_who_may_and_the_rest_is_cut),
		cmocka_unit_test(the_area_is_found_as_far_as_it_is_in_one_piece),
	};

	real_argv = argv;
	if (argc > 1)
		return run_mode(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
