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

#include "fake/proc.h"
#include "fake/sys.h"
#include "lib/procfs.h"
#include "lib/sys.h"

static int begin(void **state)
{
	fault_clear();
	*state = (void *)(uintptr_t)fake_proc_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	fake_proc_end();
	return 0;
}

static struct procfs_stat parse(const char *text)
{
	struct procfs_stat stat;

	assert_int_equal(procfs_parse_stat(text, strlen(text), &stat), 0);
	return stat;
}

/* Recorded: a shell, the kernel's first thread, a workqueue's, a process whose name is meant to confuse. */
static void recorded_lines_are_understood(void **state)
{
	struct procfs_stat stat = parse("1284 (bash) S 1283 1284 1284 0 -1 4194560 1693 20486 0 8 7 6 41 42 20 0 1 0 1187 4763648 987 "
		"18446744073709551615 1 1 0 0 0 0 65536 3686404 1266761467 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n");

	(void)state;
	assert_int_equal(stat.pid, 1284);
	assert_string_equal(stat.comm, "bash");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.session, 1284);
	assert_int_equal(stat.threads, 1);
	assert_int_equal(stat.start_ticks, 1187);
	assert_false(procfs_is_kernel_thread(&stat));
	stat = parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 18446744073709551615 0 0\n");
	assert_true(procfs_is_kernel_thread(&stat));
	assert_int_equal(stat.session, 0);
	stat = parse("57 (kworker/u8:3-events_unbound_and_more_of_it) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n");
	assert_true(procfs_is_kernel_thread(&stat));
	stat = parse("9 (a) S 1 (b\n) R 1 1 77 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 5 0\n");
	assert_string_equal(stat.comm, "a) S 1 (b\n");
	assert_int_equal(stat.state, 'R');
	assert_int_equal(stat.session, 77);
	assert_int_equal(stat.threads, 3);
}

static void what_is_no_stat_is_refused_at_any_length(void **state)
{
	const char *text = "12 (x y) S 1 2 -3 4 -1 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n";
	const char *bad[] = { "", "12", "12 (x", "12 x) S 1", ")(", "12 (x)S 1 2", "12 (x) S a", "0 (x) S 1 2", "-5 (x) S 1 2",
		"12 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", "12 (x) S 111111111111111111111 2" };
	struct procfs_stat stat;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(procfs_parse_stat(bad[i], strlen(bad[i]), &stat), -EINVAL);
	/* In memory of its own size, so that a sanitizer sees a byte too much. */
	for (size_t len = 0; len <= strlen(text); len++) {
		char *copy = malloc(len + !len);

		assert_non_null(copy);
		memcpy(copy, text, len);
		if (procfs_parse_stat(copy, len, &stat))
			assert_in_range(len, 0, strlen(text) - 4);
		free(copy);
	}
	assert_int_equal(stat.session, -3);
}

static void a_zombie_has_no_living_thread(void **state)
{
	struct procfs_stat stat = { .state = 'Z', .threads = 1 };

	(void)state;
	assert_true(procfs_is_zombie(&stat));
	stat.threads = 0;
	assert_true(procfs_is_zombie(&stat));
	stat.threads = 2;
	assert_false(procfs_is_zombie(&stat));
	stat = (struct procfs_stat){ .state = 'X', .threads = 2 };
	assert_true(procfs_is_zombie(&stat));
	stat.state = 'D';
	assert_false(procfs_is_zombie(&stat));
}

static void all_numbers_are_listed_and_nothing_else(void **state)
{
	_Alignas(8) char small[128];
	struct procfs_list list;
	int proc, err, count = 0;
	pid_t pid, sum = 0;

	for (pid = 1; pid <= 40; pid++)
		fake_proc_put(&(struct fake_process){ .pid = pid });
	fake_proc_write("1a", "", 0);
	fake_proc_write("version", "", 0);
	fake_proc_write("12345678901234", "", 0);
	assert_int_equal(procfs_open(*state, &proc), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(procfs_list_begin(&list, proc, small, sizeof small), 0);
		for (count = sum = 0; !(err = procfs_list_next(&list, &pid)); count++)
			sum += pid;
		assert_int_equal(err, -ENOENT);
		assert_int_equal(count, 40);
		assert_int_equal(sum, 40 * 41 / 2);
	}
	fault_name("getdents", -EIO);
	assert_int_equal(procfs_list_begin(&list, proc, small, sizeof small), 0);
	assert_int_equal(procfs_list_next(&list, &pid), -EIO);
	sys_close(proc);
}

static void a_folder_that_is_no_proc_is_not_taken_for_one(void **state)
{
	struct procfs_stat stat;
	int proc, before = fds_open();

	assert_int_equal(procfs_open("/nonexistent", &proc), -ENOENT);
	assert_int_equal(procfs_open("/tmp", &proc), -ENOENT);
	assert_int_equal(procfs_open("/dev/null", &proc), -ENOTDIR);
	assert_int_equal(fds_open(), before);
	assert_int_equal(procfs_open(*state, &proc), 0);
	assert_int_equal(procfs_read_stat(proc, 77, &stat), -ENOENT);
	fake_proc_put(&(struct fake_process){ .pid = 77, .comm = "it" });
	assert_int_equal(procfs_read_stat(proc, 77, &stat), 0);
	assert_string_equal(stat.comm, "it");
	fake_proc_write("77/stat", "", 0);
	assert_int_equal(procfs_read_stat(proc, 77, &stat), -EINVAL);
	sys_close(proc);
	assert_int_equal(fds_open(), before);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int proc, nth = 0, before = fds_open();

	do {
		fault_arm(++nth, -EIO);
		if (!procfs_open(*state, &proc))
			sys_close(proc);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
}

static void the_real_one_is_understood(void **state)
{
	struct procfs_stat stat;
	int proc;

	(void)state;
	assert_int_equal(procfs_open("/proc", &proc), 0);
	assert_int_equal(procfs_read_stat(proc, getpid(), &stat), 0);
	assert_int_equal(stat.pid, getpid());
	assert_int_equal(stat.session, getsid(0));
	assert_int_equal(stat.state, 'R');
	sys_close(proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_lines_are_understood),
		cmocka_unit_test(what_is_no_stat_is_refused_at_any_length),
		cmocka_unit_test(a_zombie_has_no_living_thread),
		cmocka_unit_test_setup_teardown(all_numbers_are_listed_and_nothing_else, begin, end),
		cmocka_unit_test_setup_teardown(a_folder_that_is_no_proc_is_not_taken_for_one, begin, end),
		cmocka_unit_test_setup_teardown(every_failure_leaves_nothing_open, begin, end),
		cmocka_unit_test(the_real_one_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
