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
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "init/apart.h"

static const struct apart_limits no_limits = { RLIM_INFINITY, RLIM_INFINITY };

static int give_back(const void *arg)
{
	return *(const int *)arg;
}

static void what_the_work_returns_is_known(void **state)
{
	char said[32];

	(void)state;
	for (int status = 0; status < 255; status += 127) {
		assert_int_equal(apart_run(give_back, &status, &no_limits, said, sizeof said), status);
		assert_string_equal(said, "");
		assert_int_equal(apart_run(give_back, &status, &no_limits, NULL, 0), status);
	}
}

static int be_killed(const void *arg)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	(void)sigaction(*(const int *)arg, &action, NULL);      /* a sanitizer has its own */
	(void)raise(*(const int *)arg);
	return 0;
}

static void a_fault_is_known_by_its_signal(void **state)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGKILL, SIGFPE };
	char said[32];

	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		assert_int_equal(apart_run(be_killed, &signals[i], &no_limits, said, sizeof said), APART_KILLED + signals[i]);
		assert_int_equal(apart_run(be_killed, &signals[i], &no_limits, NULL, 0), APART_KILLED + signals[i]);
	}
}

static int say(const void *text)
{
	dprintf(STDERR_FILENO, "%s", (const char *)text);
	return 7;
}

static void its_first_line_is_kept_and_steers_no_terminal(void **state)
{
	char said[16];

	(void)state;
	assert_int_equal(apart_run(say, "one\ntwo\n", &no_limits, said, sizeof said), 7);
	assert_string_equal(said, "one");
	assert_int_equal(apart_run(say, "\033[2J", &no_limits, said, sizeof said), 7);
	assert_string_equal(said, "^[[2J");
	assert_int_equal(apart_run(say, "a line that is longer than the room", &no_limits, said, sizeof said), 7);
	assert_string_equal(said, "a line that is ");
}

static int say_without_end(const void *unused)
{
	(void)unused;
	for (int i = 0; i < 40000; i++)
		dprintf(STDOUT_FILENO, "%d of forty thousand lines\n", i);
	return 0;
}

static void who_says_more_than_a_pipe_takes_is_not_held_up(void **state)
{
	char said[8];

	(void)state;
	assert_int_equal(apart_run(say_without_end, NULL, &no_limits, said, sizeof said), 0);
	assert_string_equal(said, "0 of fo");
}

static int loop(const void *unused)
{
	volatile int forever = 1;

	(void)unused;
	while (forever)
		;
	return 0;
}

static void a_loop_ends_with_its_time(void **state)
{
	static const struct apart_limits second = { RLIM_INFINITY, 1 };
	char said[8];
	int end = apart_run(loop, NULL, &second, said, sizeof said);

	(void)state;
	assert_true(end == APART_KILLED + SIGXCPU || end == APART_KILLED + SIGKILL);    /* setrlimit(2): equal limits kill */
}

/* Not of the heap: a sanitizer's takes address space without end. */
static int take_memory(const void *unused)
{
	void *at = mmap(NULL, (size_t)1 << 46, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)unused;
	return at == MAP_FAILED ? 1 : 0;
}

static void memory_has_its_limit(void **state)
{
	static const struct apart_limits some = { (rlim_t)1 << 45, RLIM_INFINITY };
	char said[8];

	(void)state;
	assert_int_equal(apart_run(take_memory, NULL, &no_limits, said, sizeof said), 0);
	assert_int_equal(apart_run(take_memory, NULL, &some, said, sizeof said), 1);
}

static void whatever_call_fails_it_is_no_success_and_nothing_stays_open(void **state)
{
	static const struct apart_limits some = { (rlim_t)1 << 46, 100 };
	int status = 0, before = fds_open(), nth = 0;
	char said[8];
	bool fired;

	(void)state;
	do {
		fault_arm(++nth, -EIO);
		(void)!apart_run(give_back, &status, &some, said, sizeof said);
		fired = fault_fired();
		assert_int_equal(fds_open(), before);
	} while (fired);
	assert_true(nth > 3);
	fault_name("set_memory_limit", -EPERM);
	assert_int_equal(apart_run(give_back, &status, &some, said, sizeof said), -EAGAIN);
	fault_name("set_cpu_limit", -EPERM);
	assert_int_equal(apart_run(give_back, &status, &some, said, sizeof said), -EAGAIN);
	fault_name("set_core_limit", -EPERM);
	assert_int_equal(apart_run(give_back, &status, &some, NULL, 0), -EAGAIN);
	fault_name("fork", -ENOMEM);
	assert_int_equal(apart_run(give_back, &status, &some, said, sizeof said), -ENOMEM);
	assert_int_equal(apart_run(give_back, &status, &some, NULL, 0), -ENOMEM);
	fault_name("pipe", -EMFILE);
	assert_int_equal(apart_run(give_back, &status, &some, said, sizeof said), -EMFILE);
	fault_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_work_returns_is_known),
		cmocka_unit_test(a_fault_is_known_by_its_signal),
		cmocka_unit_test(its_first_line_is_kept_and_steers_no_terminal),
		cmocka_unit_test(who_says_more_than_a_pipe_takes_is_not_held_up),
		cmocka_unit_test(a_loop_ends_with_its_time),
		cmocka_unit_test(memory_has_its_limit),
		cmocka_unit_test(whatever_call_fails_it_is_no_success_and_nothing_stays_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
