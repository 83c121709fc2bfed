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
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/su_root.h"

static char dir[64];

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/su_root.XXXXXX");
	assert_non_null(mkdtemp(dir));
	fake_root(dir);
	fake_forget_mounted();
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	fault_clear();
	fake_root(NULL);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void what_is_there_is_left_alone(void **state)
{
	struct su_root root;

	(void)state;
	make("proc");
	make("proc/self");
	make("dev");
	make("dev/console");
	su_root_prepare(&root);
	assert_string_equal(fake_mounted(), "");
	su_root_undo(&root);
	assert_string_equal(fake_mounted(), "");
}

static void what_is_missing_is_mounted_and_that_alone_is_undone(void **state)
{
	struct su_root root;

	(void)state;
	make("dev");
	make("dev/console");
	su_root_prepare(&root);
	assert_string_equal(fake_mounted(), "+/proc");
	su_root_undo(&root);
	assert_string_equal(fake_mounted(), "+/proc-/proc");
}

static void an_empty_root_gets_both_and_their_folders(void **state)
{
	struct su_root root;
	char path[128], target[32] = "";

	(void)state;
	su_root_prepare(&root);
	assert_string_equal(fake_mounted(), "+/proc+/dev");
	snprintf(path, sizeof path, "%s/dev/fd", dir);
	assert_true(readlink(path, target, sizeof target - 1) > 0);
	assert_string_equal(target, "/proc/self/fd");
	su_root_undo(&root);
	assert_string_equal(fake_mounted(), "+/proc+/dev-/dev-/proc");
}

static void a_root_that_refuses_everything_is_used_as_it_is(void **state)
{
	static const int errors[] = { -EROFS, -EPERM, -ENODEV };
	struct su_root root;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		fault_name("mount", errors[i]);
		su_root_prepare(&root);
		assert_false(root.has_proc || root.has_dev);
		su_root_undo(&root);
		fault_clear();
	}
	assert_string_equal(fake_mounted(), "");
}

/* One that cannot be looked at is no reason to cover it. */
static void only_what_is_known_to_be_missing_is_mounted(void **state)
{
	struct su_root root;

	(void)state;
	fault_name("stat", -EIO);
	su_root_prepare(&root);
	fault_clear();
	assert_string_equal(fake_mounted(), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_there_is_left_alone),
		CASE(what_is_missing_is_mounted_and_that_alone_is_undone),
		CASE(an_empty_root_gets_both_and_their_folders),
		CASE(a_root_that_refuses_everything_is_used_as_it_is),
		CASE(only_what_is_known_to_be_missing_is_mounted),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
