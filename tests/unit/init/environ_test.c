/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "init/environ.h"

/* --- what comes through initctl --- */

static const char *var_of(const struct environ_vars *vars, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < ENVIRON_VARS; i++)
		if (!strncmp(vars->var[i], name, len) && vars->var[i][len] == '=')
			return vars->var[i] + len + 1;
	return NULL;
}

static int count_of(const struct environ_vars *vars)
{
	int count = 0;

	for (int i = 0; i < ENVIRON_VARS; i++)
		count += vars->var[i][0] != '\0';
	return count;
}

static void a_variable_is_set_replaced_and_removed(void **state)
{
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set(&vars, "INIT_HALT=HALT"), 0);
	assert_int_equal(environ_set(&vars, "INIT_HALTED=yes"), 0);
	assert_int_equal(environ_set(&vars, "INIT_HALT=POWEROFF=1"), 0);
	assert_string_equal(var_of(&vars, "INIT_HALT"), "POWEROFF=1");
	assert_string_equal(var_of(&vars, "INIT_HALTED"), "yes");
	assert_int_equal(count_of(&vars), 2);
	assert_int_equal(environ_set(&vars, "INIT_HALT"), 0);
	assert_null(var_of(&vars, "INIT_HALT"));
	assert_int_equal(environ_set(&vars, "INIT_HALT"), 0);
	assert_int_equal(count_of(&vars), 1);
}

static void an_empty_value_is_a_value(void **state)
{
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set(&vars, "INIT_X="), 0);
	assert_string_equal(var_of(&vars, "INIT_X"), "");
}

static void a_shorter_value_leaves_nothing_of_the_longer_one(void **state)
{
	struct environ_vars vars = { 0 }, fresh = { 0 };

	(void)state;
	assert_int_equal(environ_set(&vars, "INIT_X=longer"), 0);
	assert_int_equal(environ_set(&vars, "INIT_X=s"), 0);
	assert_int_equal(environ_set(&fresh, "INIT_X=s"), 0);
	assert_memory_equal(&vars, &fresh, sizeof vars);
	assert_int_equal(environ_set(&vars, "INIT_X"), 0);
	memset(&fresh, 0, sizeof fresh);
	assert_memory_equal(&vars, &fresh, sizeof vars);
}

static void other_names_are_refused(void **state)
{
	static const char *const names[] = { "PATH=/tmp", "LD_PRELOAD=/tmp/x", "INIT", "INITX=1",
		"init_x=1", " INIT_X=1", "=INIT_X", "PATH", "" };
	struct environ_vars vars = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(environ_set(&vars, names[i]), -EINVAL);
	assert_int_equal(count_of(&vars), 0);
}

static void sixteen_are_held_and_no_more(void **state)
{
	struct environ_vars vars = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < ENVIRON_VARS; i++) {
		(void)snprintf(text, sizeof text, "INIT_%d=%d", i, i);
		assert_int_equal(environ_set(&vars, text), 0);
	}
	assert_int_equal(environ_set(&vars, "INIT_more=1"), -ENOSPC);
	assert_int_equal(environ_set(&vars, "INIT_0=again"), 0);
	assert_string_equal(var_of(&vars, "INIT_0"), "again");
	assert_int_equal(environ_set(&vars, "INIT_unknown"), 0);
	assert_int_equal(environ_set(&vars, "INIT_7"), 0);
	assert_int_equal(environ_set(&vars, "INIT_more=1"), 0);
	assert_int_equal(count_of(&vars), ENVIRON_VARS);
}

static void a_variable_of_the_full_length_is_taken_and_a_longer_one_refused(void **state)
{
	struct environ_vars vars = { 0 };
	char text[ENVIRON_VAR_BYTES + 1] = "INIT_X=";

	(void)state;
	memset(text + 7, 'x', sizeof text - 7);
	text[ENVIRON_VAR_BYTES] = '\0';
	assert_int_equal(environ_set(&vars, text), -EINVAL);
	text[ENVIRON_VAR_BYTES - 1] = '\0';
	assert_int_equal(environ_set(&vars, text), 0);
	assert_string_equal(var_of(&vars, "INIT_X"), text + 7);
}

static void a_request_may_hold_several(void **state)
{
	static const char data[] = "INIT_A=1\0INIT_B=2\0INIT_A\0\0INIT_C=not reached";
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set_all(&vars, data, sizeof data), 0);
	assert_null(var_of(&vars, "INIT_A"));
	assert_string_equal(var_of(&vars, "INIT_B"), "2");
	assert_int_equal(count_of(&vars), 1);
}

static void one_bad_name_in_a_request_stops_none_of_the_others(void **state)
{
	static const char data[] = "INIT_A=1\0FOO=2\0INIT_C=3\0";
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set_all(&vars, data, sizeof data), -EINVAL);
	assert_string_equal(var_of(&vars, "INIT_A"), "1");
	assert_string_equal(var_of(&vars, "INIT_C"), "3");
	assert_int_equal(count_of(&vars), 2);
}

static void of_several_errors_the_first_is_told(void **state)
{
	static const char full_then_bad[] = "INIT_more=1\0FOO=2\0";
	struct environ_vars vars = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < ENVIRON_VARS; i++) {
		(void)snprintf(text, sizeof text, "INIT_%d=%d", i, i);
		assert_int_equal(environ_set(&vars, text), 0);
	}
	assert_int_equal(environ_set_all(&vars, full_then_bad, sizeof full_then_bad), -ENOSPC);
	assert_int_equal(environ_set_all(&vars, "FOO=2\0INIT_more=1\0", 19), -EINVAL);
}

static void a_torn_string_sets_nothing(void **state)
{
	static const char data[] = "INIT_A=1\0INIT_B=torn";
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set_all(&vars, data, sizeof data - 1), -EINVAL);
	assert_int_equal(count_of(&vars), 1);
	assert_int_equal(environ_set_all(&vars, data, 0), 0);
	assert_int_equal(environ_set_all(&vars, "INIT_A", 3), -EINVAL);
	assert_int_equal(count_of(&vars), 1);
}

static void data_that_is_full_to_the_last_nul_is_taken(void **state)
{
	static const char data[] = { 'I', 'N', 'I', 'T', '_', 'A', '=', '1', '\0' };
	struct environ_vars vars = { 0 };

	(void)state;
	assert_int_equal(environ_set_all(&vars, data, sizeof data), 0);
	assert_string_equal(var_of(&vars, "INIT_A"), "1");
}

static void damaged_memory_is_no_variable_and_its_place_is_used_again(void **state)
{
	struct environ_vars vars = { 0 };
	struct environ_values values = { .vars = &vars, .level = '3', .previous = 'N' };
	struct environ_block block;

	(void)state;
	memset(&vars, 'x', sizeof vars);
	environ_build(&block, &values);
	for (char **var = block.envp; *var; var++)
		assert_true(**var != 'x');
	assert_int_equal(environ_set(&vars, "INIT_A=1"), 0);
	assert_string_equal(var_of(&vars, "INIT_A"), "1");
}

/* --- what a child gets --- */

static const char *got(const struct environ_block *block, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (char *const *var = block->envp; *var; var++) {
		if (strncmp(*var, name, len) || (*var)[len] != '=')
			continue;
		if (found)
			fail_msg("%s is there twice", name);
		found = *var + len + 1;
	}
	return found;
}

static int got_count(const struct environ_block *block)
{
	int count = 0;

	while (block->envp[count])
		count++;
	return count;
}

static void a_child_gets_what_the_manual_names(void **state)
{
	static const char *const inherited[] = { "TERM=linux", "HOME=/", NULL };
	struct environ_vars vars = { 0 };
	struct environ_values values = { inherited, &vars, '3', 'N', "/dev/console" };
	struct environ_block block;

	(void)state;
	assert_int_equal(environ_set(&vars, "INIT_HALT=HALT"), 0);
	environ_build(&block, &values);
	assert_string_equal(got(&block, "TERM"), "linux");
	assert_string_equal(got(&block, "HOME"), "/");
	assert_string_equal(got(&block, "PATH"), "/sbin:/usr/sbin:/bin:/usr/bin");
	assert_string_equal(got(&block, "SHELL"), "/bin/sh");
	assert_string_equal(got(&block, "RUNLEVEL"), "3");
	assert_string_equal(got(&block, "PREVLEVEL"), "N");
	assert_string_equal(got(&block, "CONSOLE"), "/dev/console");
	assert_string_equal(got(&block, "INIT_VERSION"), "sysvinit-" VERSION);
	assert_string_equal(got(&block, "INIT_HALT"), "HALT");
	assert_int_equal(got_count(&block), 9);
}

static void a_later_one_replaces_an_earlier_one_of_its_name(void **state)
{
	static const char *const inherited[] = { "PATH=/evil", "RUNLEVEL=9", "INIT_HALT=old",
		"TERM=one", "TERM=two", "INIT_HALTS=other", NULL };
	struct environ_vars vars = { 0 };
	struct environ_values values = { inherited, &vars, '3', '2', "/dev/tty0" };
	struct environ_block block;

	(void)state;
	assert_int_equal(environ_set(&vars, "INIT_HALT=new"), 0);
	assert_int_equal(environ_set(&vars, "INIT_VERSION=forged"), 0);
	environ_build(&block, &values);
	assert_string_equal(got(&block, "PATH"), "/sbin:/usr/sbin:/bin:/usr/bin");
	assert_string_equal(got(&block, "RUNLEVEL"), "3");
	assert_string_equal(got(&block, "PREVLEVEL"), "2");
	assert_string_equal(got(&block, "INIT_HALT"), "new");
	assert_string_equal(got(&block, "INIT_HALTS"), "other");
	assert_string_equal(got(&block, "TERM"), "two");
	assert_string_equal(got(&block, "INIT_VERSION"), "sysvinit-" VERSION);
}

static void nothing_but_levels_will_do(void **state)
{
	struct environ_values values = { .level = 'S', .previous = 'N' };
	struct environ_block block;

	(void)state;
	environ_build(&block, &values);
	assert_string_equal(got(&block, "RUNLEVEL"), "S");
	assert_null(got(&block, "CONSOLE"));
	assert_int_equal(got_count(&block), 5);
}

static void empty_inherited_strings_are_dropped(void **state)
{
	static const char *const inherited[] = { "", "noequals", "", NULL };
	struct environ_values values = { .inherited = inherited, .level = 'S', .previous = 'N' };
	struct environ_block block;

	(void)state;
	environ_build(&block, &values);
	assert_int_equal(got_count(&block), 6);
}

static void what_is_too_much_is_dropped_from_the_inherited_ones(void **state)
{
	static char text[ENVIRON_MAX + 50][16];
	const char *inherited[ENVIRON_MAX + 51];
	struct environ_vars vars = { 0 };
	struct environ_values values = { inherited, &vars, '3', 'N', "/dev/console" };
	struct environ_block block;
	char var[32];

	(void)state;
	for (int i = 0; i < ENVIRON_MAX + 50; i++) {
		(void)snprintf(text[i], sizeof text[i], "V%d=x", i);
		inherited[i] = text[i];
	}
	inherited[ENVIRON_MAX + 50] = NULL;
	for (int i = 0; i < ENVIRON_VARS; i++) {
		(void)snprintf(var, sizeof var, "INIT_%d=%d", i, i);
		assert_int_equal(environ_set(&vars, var), 0);
	}
	environ_build(&block, &values);
	assert_int_equal(got_count(&block), ENVIRON_MAX);
	assert_non_null(got(&block, "V0"));
	assert_non_null(got(&block, "V105"));
	assert_null(got(&block, "V106"));
	assert_non_null(got(&block, "INIT_15"));
	assert_non_null(got(&block, "CONSOLE"));
}

static void a_console_of_any_length_overflows_nothing(void **state)
{
	static char console[sizeof(((struct environ_block *)NULL)->text) + 100];
	struct environ_values values = { .level = '2', .previous = '3', .console = console };
	struct environ_block block;

	(void)state;
	memset(console, 'c', sizeof console - 1);
	environ_build(&block, &values);
	assert_null(got(&block, "CONSOLE"));
	assert_string_equal(got(&block, "RUNLEVEL"), "2");
	console[300] = '\0';
	environ_build(&block, &values);
	assert_string_equal(got(&block, "CONSOLE"), console);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_is_set_replaced_and_removed),
		cmocka_unit_test(an_empty_value_is_a_value),
		cmocka_unit_test(a_shorter_value_leaves_nothing_of_the_longer_one),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(sixteen_are_held_and_no_more),
		cmocka_unit_test(a_variable_of_the_full_length_is_taken_and_a_longer_one_refused),
		cmocka_unit_test(a_request_may_hold_several),
		cmocka_unit_test(one_bad_name_in_a_request_stops_none_of_the_others),
		cmocka_unit_test(of_several_errors_the_first_is_told),
		cmocka_unit_test(a_torn_string_sets_nothing),
		cmocka_unit_test(data_that_is_full_to_the_last_nul_is_taken),
		cmocka_unit_test(damaged_memory_is_no_variable_and_its_place_is_used_again),
		cmocka_unit_test(a_child_gets_what_the_manual_names),
		cmocka_unit_test(a_later_one_replaces_an_earlier_one_of_its_name),
		cmocka_unit_test(nothing_but_levels_will_do),
		cmocka_unit_test(empty_inherited_strings_are_dropped),
		cmocka_unit_test(what_is_too_much_is_dropped_from_the_inherited_ones),
		cmocka_unit_test(a_console_of_any_length_overflows_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
