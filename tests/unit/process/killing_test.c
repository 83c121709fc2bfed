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
#include "process/killing.h"

static struct killing killing;

/* The signal of a command line, or what killing_parse() says of it. */
static int of(const char *a, const char *b, const char *c)
{
	char *argv[] = { (char *)(uintptr_t)"killall5", (char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c, NULL };
	int err = killing_parse(&killing, "killall5", argv), signal = killing.signal;

	if (err)
		return err;
	killing_drop(&killing);
	return signal;
}

static void a_signal_is_a_number_from_1_to_31(void **state)
{
	(void)state;
	assert_int_equal(of(NULL, NULL, NULL), SIGKILL);
	assert_int_equal(of("-15", NULL, NULL), 15);
	assert_int_equal(of("15", NULL, NULL), 15);
	assert_int_equal(of("-1", NULL, NULL), 1);
	assert_int_equal(of("31", NULL, NULL), 31);
	assert_int_equal(of("-0", NULL, NULL), -EINVAL);
	assert_int_equal(of("-32", NULL, NULL), -EINVAL);
	assert_int_equal(of("-31x", NULL, NULL), -EINVAL);
	assert_int_equal(of("-TERM", NULL, NULL), -EINVAL);
	assert_int_equal(of("--15", NULL, NULL), -EINVAL);
	assert_int_equal(of("-+9", NULL, NULL), -EINVAL);
	assert_int_equal(of("", NULL, NULL), -EINVAL);
	assert_int_equal(of("-", NULL, NULL), -EINVAL);
	assert_int_equal(of("-15", "15", NULL), 15);
	assert_int_equal(of("-15", "-9", NULL), -EINVAL);
	assert_int_equal(of("15", "foo", NULL), -EINVAL);
}

static bool omits(const char *a, const char *b, const char *c)
{
	char *argv[] = { (char *)(uintptr_t)"killall5", (char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c, NULL };
	bool has;

	assert_int_equal(killing_parse(&killing, "killall5", argv), 0);
	has = pidset_has(&killing.omitted, 12) && killing.omitted.count == 1 && killing.signal == 15;
	killing_drop(&killing);
	return has;
}

static void a_list_may_stand_anywhere_and_be_attached(void **state)
{
	(void)state;
	assert_true(omits("-15", "-o", "12"));
	assert_true(omits("-o", "12", "-15"));
	assert_true(omits("-o12", "-15", NULL));
	assert_true(omits("-15", "-o12", "-o12"));
	assert_int_equal(of("-15", "-o", NULL), -EINVAL);
	assert_int_equal(of("-omit", "12", NULL), -EINVAL);
	assert_int_equal(of("-15", "o", "12"), -EINVAL);
}

static void help_and_version_are_asked_for_first(void **state)
{
	(void)state;
	assert_int_equal(of("--help", NULL, NULL), SIGKILL);
	assert_int_equal(killing.wish, KILLING_HELP);
	of("--version", NULL, NULL);
	assert_int_equal(killing.wish, KILLING_VERSION);
	assert_int_equal(of("-9", "--help", NULL), -EINVAL);
	of("-9", NULL, NULL);
	assert_int_equal(killing.wish, KILLING_SIGNAL);
}

static void an_empty_argv_is_no_error(void **state)
{
	char *none[] = { NULL };

	(void)state;
	assert_int_equal(killing_parse(&killing, "killall5", none), 0);
	killing_drop(&killing);
	fault_name("map", -ENOMEM);
	assert_int_equal(killing_parse(&killing, "killall5", none), -ENOMEM);
	fault_clear();
}

/* A folder without a /proc in it: all of killall5, with nobody to be reached. */
static void proc_is_asked_for_when_it_is_missing(void **state)
{
	char *argv[] = { (char *)(uintptr_t)"killall5", (char *)(uintptr_t)"-15", NULL };
	char root[] = "/tmp/killing_test.XXXXXX";
	const struct fake_kill *kills;

	(void)state;
	assert_non_null(mkdtemp(root));
	fake_root(root);
	fake_processes(3999000);
	assert_int_equal(killing_main("killall5", argv), KILLING_ERROR);
	assert_string_equal(fake_mounted(), "+/proc");
	assert_int_equal(fake_kills(&kills), 0);
	fake_processes(0);
	fake_root(NULL);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_a_number_from_1_to_31),
		cmocka_unit_test(a_list_may_stand_anywhere_and_be_attached),
		cmocka_unit_test(help_and_version_are_asked_for_first),
		cmocka_unit_test(an_empty_argv_is_no_error),
		cmocka_unit_test(proc_is_asked_for_when_it_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
