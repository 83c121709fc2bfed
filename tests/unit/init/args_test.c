/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/args.h"

static int begin(void **state)
{
	*state = fake_init_begin();
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

enum { WORDS_MAX = 16 };

/* A command line, cut at blanks. */
struct line {
	char text[128];
	char *argv[WORDS_MAX + 1];
	int argc;
};

static struct line *line_of(const char *text)
{
	static struct line line;

	memset(&line, 0, sizeof line);
	assert_true(strlen(text) < sizeof line.text);
	strcpy(line.text, text);
	for (char *word = strtok(line.text, " "); word; word = strtok(NULL, " "))
		line.argv[line.argc++] = word;
	return &line;
}

static struct boot_args parsed(const char *text)
{
	struct line *line = line_of(text);
	struct boot_args args;

	memset(&args, 0xff, sizeof args);
	args_parse(line->argc, line->argv, &args);
	return args;
}

static void each_word_for_level_s_is_known(void **state)
{
	static const char *const words[] = { "single", "-s", "S", "s" };

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "init %s", words[i]);
		assert_int_equal(parsed(text).level, 'S');
	}
}

static void a_digit_is_a_level_and_the_last_one_counts(void **state)
{
	char text[] = "init 0";

	(void)state;
	for (char digit = '0'; digit <= '9'; digit++) {
		text[5] = digit;
		assert_int_equal(parsed(text).level, digit);
	}
	assert_int_equal(parsed("init 3 5").level, '5');
	assert_int_equal(parsed("init S 5").level, '5');
	assert_int_equal(parsed("init 5 single").level, 'S');
}

static void emergency_and_auto_are_known(void **state)
{
	struct boot_args args;

	(void)state;
	args = parsed("init -b");
	assert_true(args.emergency && !args.autoboot && !args.level);
	assert_true(parsed("init emergency").emergency);
	args = parsed("init -a 2");
	assert_true(args.autoboot && !args.emergency && args.level == '2');
	assert_true(parsed("init auto").autoboot);
}

static void the_word_behind_z_is_skipped(void **state)
{
	(void)state;
	assert_int_equal(parsed("init -z 5").level, 0);
	assert_int_equal(parsed("init -z S 4").level, '4');
	assert_false(parsed("init -z -b").emergency);
	assert_int_equal(parsed("init 3 -z").level, '3');
}

static void what_the_kernel_passes_along_is_left_alone(void **state)
{
	struct boot_args args;

	(void)state;
	args = parsed("init ro quiet splash 33 -5 level=5 nosingle Single --init -S a A Q q U 1.5");
	assert_false(args.level || args.emergency || args.autoboot);
	args = parsed("init");
	assert_false(args.level || args.emergency || args.autoboot);
	args_parse(0, (char *[]){ NULL }, &args);
	assert_false(args.level || args.emergency || args.autoboot);
}

static void a_new_image_is_known_by_its_argument(void **state)
{
	struct line *line;

	(void)state;
	line = line_of("init --init");
	assert_true(args_is_reexec(line->argc, line->argv));
	line = line_of("init 5 -i");
	assert_true(args_is_reexec(line->argc, line->argv));
	line = line_of("--init 5 -init i --in");
	assert_false(args_is_reexec(line->argc, line->argv));
}

static void the_environment_is_copied(void **state)
{
	struct init *in = *state;
	char home[] = "HOME=/", term[] = "TERM=linux", empty[] = "E=";
	char *envp[] = { home, term, empty, NULL };

	assert_null(args_keep_environment(in, envp));
	memset(term, 'x', sizeof term - 1);             /* as the title does */
	assert_string_equal(in->inherited[0], "HOME=/");
	assert_string_equal(in->inherited[1], "TERM=linux");
	assert_null(in->inherited[3]);
	assert_string_equal(args_getenv(in, "TERM"), "linux");
	assert_string_equal(args_getenv(in, "E"), "");
	assert_null(args_getenv(in, "TER"));
	assert_null(args_getenv(in, "TERMX"));
	assert_null(args_getenv(in, "HOME=/"));
}

static void an_automatic_boot_is_in_the_environment(void **state)
{
	struct init *in = *state;
	char home[] = "HOME=/";
	char *envp[] = { home, NULL };

	in->boot.autoboot = true;
	args_keep_environment(in, envp);
	assert_string_equal(args_getenv(in, "AUTOBOOT"), "YES");
	assert_string_equal(args_getenv(in, "HOME"), "/");
}

static void what_does_not_fit_is_left_out_and_named(void **state)
{
	struct init *in = *state;
	static char large[INHERITED_BYTES + 10], text[200][8];
	char *envp[202], last[] = "LAST=1";

	for (int i = 0; i < 200; i++) {
		(void)snprintf(text[i], sizeof text[i], "V%d=x", i);
		envp[i] = text[i];
	}
	memset(large, 'L', sizeof large - 1);
	envp[0] = large;
	envp[200] = last;
	envp[201] = NULL;
	assert_ptr_equal(args_keep_environment(in, envp), large);
	assert_string_equal(in->inherited[0], "V1=x");
	assert_string_equal(in->inherited[INHERITED_MAX - 1], "V96=x");
	assert_null(in->inherited[INHERITED_MAX]);
	assert_null(args_getenv(in, "LAST"));
}

/* Nothing is lost for a large one: what comes behind it still has room. */
static void the_last_byte_of_the_room_is_used(void **state)
{
	struct init *in = *state;
	static char exact[INHERITED_BYTES];
	char *envp[] = { exact, (char[]){ "A=b" }, NULL };

	memset(exact, 'x', sizeof exact - 1);
	args_keep_environment(in, envp);
	assert_int_equal(strlen(in->inherited[0]), INHERITED_BYTES - 1);
	assert_null(in->inherited[1]);
}

static void what_is_a_variable_of_init_is_no_inherited_one(void **state)
{
	static struct init in;

	(void)state;
	for (int adopt = 0; adopt < 2; adopt++) {
		memset(&in, 0, sizeof in);
		assert_int_equal(environ_set(&in.vars, "INIT_A=set"), 0);
		in.inherited[0] = (char[]){ "INIT_A=old" };
		in.inherited[1] = (char[]){ "HOME=/" };
		in.inherited[2] = (char[]){ "INIT_B=b" };
		in.inherited[3] = (char[]){ "INIT_VERSION=sysvinit-3.06" };
		in.inherited[4] = (char[]){ "TERM=linux" };
		args_settle_variables(&in, adopt);
		assert_string_equal(in.inherited[0], "HOME=/");
		assert_string_equal(in.inherited[adopt ? 1 : 2], "TERM=linux");
		assert_null(in.inherited[adopt ? 2 : 3]);
		assert_string_equal(in.vars.var[0], adopt ? "INIT_A=old" : "INIT_A=set");
		assert_string_equal(in.vars.var[1], adopt ? "INIT_B=b" : "");
		assert_int_equal(environ_has(&in.vars, "INIT_B"), adopt);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_word_for_level_s_is_known),
		CASE(a_digit_is_a_level_and_the_last_one_counts),
		CASE(emergency_and_auto_are_known),
		CASE(the_word_behind_z_is_skipped),
		CASE(what_the_kernel_passes_along_is_left_alone),
		CASE(a_new_image_is_known_by_its_argument),
		CASE(the_environment_is_copied),
		CASE(an_automatic_boot_is_in_the_environment),
		CASE(what_does_not_fit_is_left_out_and_named),
		CASE(the_last_byte_of_the_room_is_used),
		CASE(what_is_a_variable_of_init_is_no_inherited_one),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
