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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "process/pidset.h"

static void members_are_found_in_order(void **state)
{
	static const pid_t members[] = { 1, 63, 64, 65, 4096, PIDSET_LIMIT - 1 };
	struct pidset set;
	pid_t at = 0;

	(void)state;
	assert_int_equal(pidset_begin(&set), 0);
	assert_int_equal(pidset_next(&set, 0), 0);
	for (size_t i = sizeof members / sizeof members[0]; i-- > 0;)
		pidset_add(&set, members[i]);
	pidset_add(&set, 64);
	assert_int_equal(set.count, sizeof members / sizeof members[0]);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		at = pidset_next(&set, at);
		assert_int_equal(at, members[i]);
		assert_true(pidset_has(&set, at));
	}
	assert_int_equal(pidset_next(&set, at), 0);
	assert_false(pidset_has(&set, 2));
	pidset_remove(&set, 2);
	pidset_remove(&set, 64);
	assert_false(pidset_has(&set, 64));
	assert_int_equal(pidset_next(&set, 63), 65);
	assert_int_equal(set.count, sizeof members / sizeof members[0] - 1);
	pidset_end(&set);
}

static void what_is_no_number_of_a_process_is_not_put_in(void **state)
{
	struct pidset set;

	(void)state;
	assert_int_equal(pidset_begin(&set), 0);
	pidset_add(&set, 0);
	pidset_add(&set, -1);
	pidset_add(&set, INT32_MIN);
	pidset_add(&set, PIDSET_LIMIT);
	pidset_add(&set, INT32_MAX);
	assert_int_equal(set.count, 0);
	assert_false(pidset_has(&set, 0));
	assert_false(pidset_has(&set, -1));
	assert_false(pidset_has(&set, INT32_MAX));
	pidset_end(&set);
}

static void a_child_sees_what_is_put_in_later(void **state)
{
	struct pidset set;
	int fds[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pidset_begin(&set), 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) || pidset_next(&set, 0) != 4711);
	}
	pidset_add(&set, 4711);
	close(fds[1]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pidset_end(&set);
}

static void without_memory_there_is_no_set(void **state)
{
	struct pidset set;

	(void)state;
	fault_name("map", -ENOMEM);
	assert_int_equal(pidset_begin(&set), -ENOMEM);
	fault_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_in_order),
		cmocka_unit_test(what_is_no_number_of_a_process_is_not_put_in),
		cmocka_unit_test(a_child_sees_what_is_put_in_later),
		cmocka_unit_test(without_memory_there_is_no_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
