/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include <sys/mman.h>

#include "lib/sys.h"
#include "power/waiting.h"

/* Everything in a child: what it does to signals lasts. */
static int in_child(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct moment far_off = { .mono = { INT64_MAX / 2 } };

static int wait_after(int first, int second)
{
	struct waiting waiting;

	if (waiting_begin(&waiting))
		return 90;
	raise(first);
	if (second)
		raise(second);
	return (int)waiting_until(&waiting, &far_off, 0);
}

static int after_int(void)
{
	return wait_after(SIGINT, 0);
}

static int after_term(void)
{
	return wait_after(SIGTERM, 0);
}

static int after_usr1(void)
{
	return wait_after(SIGUSR1, 0);
}

static int after_hup_then_int(void)
{
	return wait_after(SIGHUP, SIGINT);
}

static int after_int_and_term(void)
{
	return wait_after(SIGINT, SIGTERM);
}

static void signals_end_the_wait_or_do_not(void **state)
{
	(void)state;
	assert_int_equal(in_child(after_int), WAITING_CANCELLED);
	assert_int_equal(in_child(after_term), WAITING_ENDED);
	assert_int_equal(in_child(after_usr1), WAITING_ENDED);
	assert_int_equal(in_child(after_hup_then_int), WAITING_CANCELLED);
	assert_int_equal(in_child(after_int_and_term), WAITING_ENDED);
}

/* Stock cannot be called off then. */
static int int_ignored_and_blocked(void)
{
	sigset_t all;

	signal(SIGINT, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return after_int();
}

static void what_was_inherited_does_not_matter(void **state)
{
	(void)state;
	assert_int_equal(in_child(int_ignored_and_blocked), WAITING_CANCELLED);
}

static int wait_for_time(bool is_wall, const char *failing)
{
	struct waiting waiting;
	struct moment moment = { .is_wall = is_wall, .mono = mono_after_ms(mono_now(), 1200), .wall_s = wall_now().s + 2 };
	enum waiting_end end;

	if (waiting_begin(&waiting))
		return 90;
	if (failing)
		fault_name(failing, -ENOSYS);
	end = waiting_until(&waiting, &moment, 500000000);
	/* It may be late, never early. */
	return moment_left_ns(&moment) <= 500000000 ? (int)end : 91;
}

static int span(void)
{
	return wait_for_time(false, NULL);
}

static int time_of_day(void)
{
	return wait_for_time(true, NULL);
}

static int without_a_timer(void)
{
	return wait_for_time(false, "timerfd");
}

static int with_a_timer_that_refuses(void)
{
	return wait_for_time(true, "timerfd_set");
}

static void the_time_comes_not_early(void **state)
{
	(void)state;
	assert_int_equal(in_child(span), WAITING_TIME);
	assert_int_equal(in_child(time_of_day), WAITING_TIME);
	assert_int_equal(in_child(without_a_timer), WAITING_TIME);
	assert_int_equal(in_child(with_a_timer_that_refuses), WAITING_TIME);
}

static int time_is_past_and_int_there(void)
{
	const struct moment past = { .mono = { 1 } };
	struct waiting waiting;

	if (waiting_begin(&waiting))
		return 90;
	raise(SIGINT);
	return (int)waiting_until(&waiting, &past, 0);
}

static void a_cancel_that_comes_with_the_time_counts(void **state)
{
	(void)state;
	assert_int_equal(in_child(time_is_past_and_int_there), WAITING_CANCELLED);
}

static int begin_without_descriptor(void)
{
	struct waiting waiting;
	sigset_t mask;

	fault_name("signalfd", -EMFILE);
	if (waiting_begin(&waiting) != -EMFILE)
		return 1;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGTERM) ? 0 : 2;
}

static void a_failure_is_told(void **state)
{
	(void)state;
	assert_int_equal(in_child(begin_without_descriptor), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(signals_end_the_wait_or_do_not),
		CASE(what_was_inherited_does_not_matter),
		CASE(the_time_comes_not_early),
		CASE(a_cancel_that_comes_with_the_time_counts),
		CASE(a_failure_is_told),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
