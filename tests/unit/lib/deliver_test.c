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
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "fake/terminals.h"
#include "lib/deliver.h"
#include "lib/sys.h"

enum {
	LONG_BYTES = 30000,     /* more than a pseudo terminal holds */
	SHORT_MS = 500,         /* where somebody's time is to be over */
	AMPLE_MS = 9000,
};

static struct terminal terminal[TERMINALS_MAX];
static char long_text[LONG_BYTES];

static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i < LONG_BYTES; i++)
		long_text[i] = (char)('!' + i % 89);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	fake_hang(NULL);
	terminals_close();
	return 0;
}

static void room_for(int count)
{
	terminals_open(terminal, count);
	utmp_add_all(terminal, count);
}

/* deliver() in a process of its own, as it asks for; not yet waited for. */
static pid_t deliver_begin(const char *text, size_t len, int64_t each_ms)
{
	pid_t pid = sys_fork();

	if (!pid)
		_exit(-deliver(terminals_utmp(), text, len, each_ms));
	assert_true(pid > 0);
	return pid;
}

static int deliver_end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void has_got(const struct terminal *at, const char *text, size_t len)
{
	static char found[LONG_BYTES];

	assert_int_equal(terminal_read(at, found, len), len);
	assert_memory_equal(found, text, len);
	assert_true(terminal_is_silent(at));
}

static void everybody_gets_it_once(void **state)
{
	(void)state;
	room_for(TERMINALS_MAX);
	assert_int_equal(deliver_end(deliver_begin("words\r\n", 7, AMPLE_MS)), 0);
	for (int i = 0; i < TERMINALS_MAX; i++)
		has_got(&terminal[i], "words\r\n", 7);
}

static void nobody_is_no_error_and_no_utmp_is_one(void **state)
{
	(void)state;
	room_for(0);
	assert_int_equal(deliver_end(deliver_begin("words", 5, AMPLE_MS)), 0);
	unlink(terminals_utmp());
	assert_int_equal(deliver_end(deliver_begin("words", 5, AMPLE_MS)), -ENOENT);
}

static void a_stopped_terminal_costs_the_others_nothing(void **state)
{
	(void)state;
	room_for(40);
	for (int i = 0; i < 40; i += 4)
		terminal_stop(&terminal[i]);
	assert_int_equal(deliver_end(deliver_begin("words", 5, SHORT_MS)), -EIO);
	for (int i = 0; i < 40; i++) {
		if (i % 4)
			has_got(&terminal[i], "words", 5);
		else
			assert_true(terminal_is_silent(&terminal[i]));
	}
}

static void one_that_goes_on_in_time_gets_all_of_it(void **state)
{
	pid_t pid;

	(void)state;
	room_for(2);
	terminal_stop(&terminal[0]);
	pid = deliver_begin("words", 5, AMPLE_MS);
	has_got(&terminal[1], "words", 5);      /* by now the first was tried, or is about to be */
	terminal_go_on(&terminal[0]);
	has_got(&terminal[0], "words", 5);
	assert_int_equal(deliver_end(pid), 0);
}

static void what_does_not_fit_at_once_follows(void **state)
{
	pid_t pid;

	(void)state;
	room_for(2);
	pid = deliver_begin(long_text, LONG_BYTES, AMPLE_MS);
	has_got(&terminal[1], long_text, LONG_BYTES);
	has_got(&terminal[0], long_text, LONG_BYTES);
	assert_int_equal(deliver_end(pid), 0);
}

/* More than there are workers: each gets company before its time is over. */
static void calls_that_never_return_cost_the_others_nothing(void **state)
{
	const char *hanging[31] = { NULL };

	(void)state;
	room_for(60);
	for (int i = 0; i < 30; i++)
		hanging[i] = terminal[i].path;
	fake_hang(hanging);
	assert_int_equal(deliver_end(deliver_begin("words", 5, SHORT_MS)), -EIO);
	for (int i = 0; i < 60; i++) {
		if (i < 30)
			assert_true(terminal_is_silent(&terminal[i]));
		else
			has_got(&terminal[i], "words", 5);
	}
}

/* Of one worker: the first is half written when the second does not return. */
static void what_a_killed_worker_had_begun_is_ended_by_another(void **state)
{
	const char *hanging[2] = { NULL };
	pid_t pid;

	(void)state;
	room_for(2);
	hanging[0] = terminal[1].path;
	fake_hang(hanging);
	pid = deliver_begin(long_text, LONG_BYTES, SHORT_MS);
	has_got(&terminal[0], long_text, LONG_BYTES);
	assert_int_equal(deliver_end(pid), -EIO);
	assert_true(terminal_is_silent(&terminal[1]));
}

static void a_terminal_that_is_hung_up_is_given_up(void **state)
{
	(void)state;
	room_for(2);
	fault_name_after("write", 0, -EIO);
	assert_int_equal(deliver_end(deliver_begin("words", 5, AMPLE_MS)), -EIO);
	fault_clear();
	assert_int_equal(deliver_end(deliver_begin("words", 5, AMPLE_MS)), 0);
	for (int i = 0; i < 2; i++)
		has_got(&terminal[i], "words", 5);
}

static void without_workers_the_deliverer_does_it(void **state)
{
	(void)state;
	room_for(3);
	terminal_stop(&terminal[1]);
	fault_name_after("fork", 1, -EAGAIN);   /* the test's own succeeds */
	assert_int_equal(deliver_end(deliver_begin("words", 5, SHORT_MS)), -EIO);
	has_got(&terminal[0], "words", 5);
	has_got(&terminal[2], "words", 5);
}

static void it_can_be_done_alone(void **state)
{
	int before;

	(void)state;
	room_for(3);
	before = fds_open();
	fault_name("fork", -EAGAIN);
	assert_int_equal(deliver_alone(terminals_utmp(), "words", 5), 0);
	assert_false(fault_fired());
	for (int i = 0; i < 3; i++)
		has_got(&terminal[i], "words", 5);
	terminal_stop(&terminal[0]);
	assert_int_equal(deliver_alone(terminals_utmp(), "words", 5), -EIO);
	for (int i = 1; i < 3; i++)
		has_got(&terminal[i], "words", 5);
	assert_int_equal(fds_open(), before);
}

/* Whatever fails, it ends. A terminal that cannot be looked at is none. */
static void every_failure_is_survived(void **state)
{
	int nth = 0, before, err;

	(void)state;
	room_for(1);
	before = fds_open();
	for (;;) {
		fault_arm(++nth, -ENOMEM);
		err = deliver_alone(terminals_utmp(), "words", 5);
		assert_int_equal(fds_open(), before);
		if (!fault_fired())
			break;
		if (err)
			assert_true(terminal_is_silent(&terminal[0]));
		else
			while (!terminal_is_silent(&terminal[0]))
				;
	}
	assert_int_equal(err, 0);
	has_got(&terminal[0], "words", 5);
	assert_true(nth > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everybody_gets_it_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_no_error_and_no_utmp_is_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stopped_terminal_costs_the_others_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_goes_on_in_time_gets_all_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_at_once_follows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(calls_that_never_return_cost_the_others_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_killed_worker_had_begun_is_ended_by_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_terminal_that_is_hung_up_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_workers_the_deliverer_does_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_can_be_done_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_failure_is_survived, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
