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

#include <sys/stat.h>

#include "fake/sys.h"
#include "process/target.h"

static char folder[64];
static struct target target;

static const char *in(const char *name)
{
	static char path[16][128];
	static int turn;

	turn = (turn + 1) % 16;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static int begin(void **state)
{
	char here[] = "/tmp/target_test.XXXXXX", real[PATH_MAX];

	(void)state;
	fault_clear();
	if (!mkdtemp(here) || !realpath(here, real))
		return -1;
	(void)snprintf(folder, sizeof folder, "%.63s", real);
	if (mkdir(in("usr"), 0755) || mkdir(in("usr/bin"), 0755) || symlink("usr/bin", in("bin")))
		return -1;
	if (mkdir(in("net"), 0755) || symlink(in("net/tool"), in("usr/bin/far")) || symlink("real", in("usr/bin/link")))
		return -1;
	fclose(fopen(in("usr/bin/real"), "w"));
	return chmod(in("usr/bin/real"), 0755);
}

static int end(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static void resolve(const char *text)
{
	target_set(&target, text);
	target_resolve(&target);
}

static void a_text_is_taken_apart(void **state)
{
	(void)state;
	target_set(&target, "/usr/sbin/cron");
	assert_true(target.is_path);
	assert_string_equal(target.base, "cron");
	target_set(&target, "sbin/cron");
	assert_false(target.is_path);
	assert_string_equal(target.base, "cron");
	target_set(&target, "cron");
	assert_string_equal(target.base, "cron");
	target_set(&target, "/sbin/");
	assert_string_equal(target.base, "");
}

static void a_path_has_its_file_and_all_names_of_it(void **state)
{
	char deleted[256];

	(void)state;
	resolve(in("bin/link"));
	assert_true(target.exists && target.is_program);
	assert_string_equal(target.real, in("usr/bin/real"));
	assert_string_equal(target.place, in("usr/bin/link"));
	assert_true(target_has_path(&target, in("usr/bin/real")));
	assert_true(target_has_path(&target, in("usr/bin/link")));
	assert_true(target_has_path(&target, in("bin/link")));
	assert_false(target_has_path(&target, in("usr/bin/rea")));
	assert_false(target_has_path(&target, in("usr/bin/real2")));
	assert_false(target_has_path(&target, ""));
	(void)snprintf(deleted, sizeof deleted, "%s (deleted)", in("usr/bin/real"));
	assert_true(target_has_path(&target, deleted));
	strcat(deleted, " (deleted)");
	assert_false(target_has_path(&target, deleted));
}

static void a_file_that_is_gone_has_a_place(void **state)
{
	char deleted[256];

	(void)state;
	resolve(in("bin/gone"));
	assert_false(target.exists);
	assert_string_equal(target.real, "");
	(void)snprintf(deleted, sizeof deleted, "%s (deleted)", in("usr/bin/gone"));
	assert_true(target_has_path(&target, deleted));
	resolve(in("nowhere/gone"));
	assert_string_equal(target.place, "");
	assert_true(target_has_path(&target, in("nowhere/gone")));
	resolve("gone");
	assert_string_equal(target.place, "");
	resolve(in("usr"));
	assert_true(target.exists);
	assert_false(target.is_program);
}

/* A table with a server at net/. */
static bool is_remote(const char *text)
{
	struct mountinfo_entry entries[] = { { .place = "/", .kind = "ext4" }, { .place = in("net"), .kind = "nfs" },
		{ .place = in("net/local"), .kind = "tmpfs" } };
	struct mountinfo mounts = { .entry = entries, .count = 3 };

	target_set(&target, text);
	return target_is_on_network(&target, &mounts);
}

static void the_way_over_the_network_is_seen_without_going_it(void **state)
{
	(void)state;
	assert_false(is_remote(in("bin/real")));
	assert_true(is_remote(in("net/tool")));
	assert_true(is_remote(in("bin/far")));
	assert_true(is_remote(in("usr/../bin/./far")));
	assert_true(is_remote(in("net/../bin/real")));   /* to find that out, it would have to be looked at */
	assert_false(is_remote("far"));
	fault_name("readlinkat", -EIO);
	assert_true(is_remote(in("net/tool")));
	fault_clear();
}

static void links_without_end_are_given_up(void **state)
{
	(void)state;
	assert_int_equal(symlink("loop", in("loop")), 0);
	assert_false(is_remote(in("loop")));
	resolve(in("loop"));
	assert_false(target.exists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_taken_apart),
		cmocka_unit_test_setup_teardown(a_path_has_its_file_and_all_names_of_it, begin, end),
		cmocka_unit_test_setup_teardown(a_file_that_is_gone_has_a_place, begin, end),
		cmocka_unit_test_setup_teardown(the_way_over_the_network_is_seen_without_going_it, begin, end),
		cmocka_unit_test_setup_teardown(links_without_end_are_given_up, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
