/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/proc.h"
#include "fake/sys.h"
#include "include/paths.h"
#include "lib/procfs.h"
#include "lib/sys.h"
#include "process/household.h"

static char list[PROCFS_LIST_SIZE];
static struct pidset found;
static int proc;

static int begin(void **state)
{
	const char *tree;

	(void)state;
	fault_clear();
	tree = fake_proc_begin();
	fake_proc_put(&(struct fake_process){ .pid = 1, .comm = "init", .exe = "/usr/sbin/init (deleted)" });
	fake_proc_put(&(struct fake_process){ .pid = 70, .comm = HELPER_COMM, .exe = "/usr/sbin/init (deleted)" });
	return procfs_open(tree, &proc) || pidset_begin(&found);
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	pidset_end(&found);
	(void)sys_close(proc);
	fake_proc_end();
	return 0;
}

static void a_helper_is_found(void **state)
{
	(void)state;
	household_find(proc, list, sizeof list, &found);
	assert_int_equal(found.count, 1);
	assert_true(pidset_has(&found, 70));
}

/* Where the kernel lists the children of process 1, nobody else is looked at. */
static void the_kernels_list_of_children_saves_a_look_at_all(void **state)
{
	static const struct fake_process listed = { .pid = 77, .comm = HELPER_COMM, .exe = "/usr/sbin/init (deleted)" };

	(void)state;
	fake_proc_put(&listed);
	fake_proc_folder("1/task");
	fake_proc_folder("1/task/1");
	fake_proc_write("1/task/1/children", "5 77 ", 5);
	household_find(proc, list, sizeof list, &found);
	assert_int_equal(found.count, 1);
	assert_true(pidset_has(&found, 77));
}

static void a_list_of_children_that_is_too_long_is_not_believed(void **state)
{
	(void)state;
	fake_proc_folder("1/task");
	fake_proc_folder("1/task/1");
	memset(list, ' ', sizeof list);
	memcpy(list, "5", 1);
	fake_proc_write("1/task/1/children", list, sizeof list);
	household_find(proc, list, sizeof list, &found);
	assert_int_equal(found.count, 1);
	assert_true(pidset_has(&found, 70));
}

/* Whoever lacks one mark of it gets the signal as everybody does. */
static void nobody_else_is(void **state)
{
	static const struct fake_process others[] = {
		{ .pid = 71, .comm = "init", .exe = "/usr/sbin/init (deleted)" },
		{ .pid = 72, .comm = HELPER_COMM, .exe = "/usr/sbin/init (deleted)", .parent = 71 },
		{ .pid = 73, .comm = HELPER_COMM, .exe = "/usr/sbin/init" },
		{ .pid = 74, .comm = HELPER_COMM },
		{ .pid = 75, .comm = HELPER_COMM, .exe = "/usr/sbin/init (deleted)", .uids = "1000\t0" },
		{ .pid = 76, .comm = HELPER_COMM, .exe = "/usr/sbin/init (deleted)", .uids = "0\t1000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		fake_proc_put(&others[i]);
	household_find(proc, list, sizeof list, &found);
	assert_int_equal(found.count, 1);
	assert_true(pidset_has(&found, 70));
}

/* A container's process 1 may be somebody else's, whose file cannot be read. */
static void without_process_1_there_is_none(void **state)
{
	(void)state;
	fake_proc_remove("1/exe");
	household_find(proc, list, sizeof list, &found);
	assert_int_equal(found.count, 0);
}

static void what_fails_is_survived_and_leaves_nothing_open(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		fault_arm(++nth, -EIO);
		household_find(proc, list, sizeof list, &found);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_int_equal(found.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_helper_is_found, begin, end),
		cmocka_unit_test_setup_teardown(the_kernels_list_of_children_saves_a_look_at_all, begin, end),
		cmocka_unit_test_setup_teardown(a_list_of_children_that_is_too_long_is_not_believed, begin, end),
		cmocka_unit_test_setup_teardown(nobody_else_is, begin, end),
		cmocka_unit_test_setup_teardown(without_process_1_there_is_none, begin, end),
		cmocka_unit_test_setup_teardown(what_fails_is_survived_and_leaves_nothing_open, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
