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

#include <poll.h>
#include <sys/wait.h>

#include "fake/sys.h"
#include "process/guard.h"

/* --- processes that do not exist --- */

static void thawing_reaches_the_members_or_everybody(void **state)
{
	const struct fake_kill *kills;
	struct pidset set;

	(void)state;
	fake_processes(900);
	assert_int_equal(pidset_begin(&set), 0);
	pidset_add(&set, 700);
	pidset_add(&set, 30);
	guard_thaw(&set);
	assert_int_equal(fake_kills(&kills), 2);
	assert_int_equal(kills[0].pid, 30);
	assert_int_equal(kills[1].pid, 700);
	assert_int_equal(kills[1].signal, SIGCONT);
	guard_thaw(NULL);
	assert_int_equal(fake_kills(&kills), 1);
	assert_int_equal(kills[0].pid, -1);
	assert_int_equal(kills[0].signal, SIGCONT);
	pidset_end(&set);
	fake_processes(0);
}

static void without_a_child_nothing_is_done_and_nothing_left_open(void **state)
{
	const struct fake_kill *kills;
	struct guard guard;
	int before = fds_open();

	(void)state;
	for (int i = 0; i < 2; i++) {
		fault_name(i ? "fork" : "socketpair", -EAGAIN);
		assert_int_equal(guard_begin(&guard, NULL), -EAGAIN);
		fault_clear();
		assert_int_equal(guard.pid, 0);
		guard_wake(&guard);
		guard_tell(&guard);
		guard_end(&guard);
		assert_int_equal(fds_open(), before);
	}
	fake_processes(900);
	assert_int_equal(fake_kills(&kills), 0);
	fake_processes(0);
}

/* --- real ones: a sleeper of the test is the only member --- */

static pid_t start_stopped(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		for (;;)
			pause();
	}
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void end_of(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A parent that stops the victim, as told by then, and is killed; the guard is the grandchild. */
static void after_its_parents_end_members_go_on(void **state)
{
	struct pidset set;
	struct guard guard;
	pid_t victim = start_stopped(), parent;
	int status;

	(void)state;
	assert_int_equal(pidset_begin(&set), 0);
	pidset_add(&set, victim);
	parent = fork();
	assert_true(parent >= 0);
	if (!parent) {
		if (!guard_begin(&guard, &set)) {
			kill(guard.pid, SIGSTOP);       /* as everybody is */
			kill(getpid(), SIGKILL);
		}
		_exit(1);
	}
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(waitpid(victim, &status, WCONTINUED), victim);
	assert_true(WIFCONTINUED(status));
	end_of(victim);
	pidset_end(&set);
}

static void one_that_is_ended_lets_nobody_go(void **state)
{
	struct pidset set;
	struct guard guard;
	pid_t victim = start_stopped();
	int status, before = fds_open();

	(void)state;
	assert_int_equal(pidset_begin(&set), 0);
	pidset_add(&set, victim);
	assert_int_equal(guard_begin(&guard, &set), 0);
	for (int i = 0; i < 100000; i++)
		guard_tell(&guard);             /* never waits, however little is read */
	guard_end(&guard);
	assert_int_equal(guard.pid, 0);
	assert_int_equal(fds_open(), before);
	assert_int_equal(waitpid(victim, &status, WCONTINUED | WNOHANG), 0);
	end_of(victim);
	pidset_end(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thawing_reaches_the_members_or_everybody),
		cmocka_unit_test(without_a_child_nothing_is_done_and_nothing_left_open),
		cmocka_unit_test(after_its_parents_end_members_go_on),
		cmocka_unit_test(one_that_is_ended_lets_nobody_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
