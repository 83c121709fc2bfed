/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "lib/sys.h"
#include "power/bounded.h"

enum { PATIENT_MS = 60000 };

static int give_back(const void *arg)
{
	return *(const int *)arg;
}

static int sleep_for_ever(const void *arg)
{
	(void)arg;
	while (pause())
		;
	return 0;
}

static int die_of_it(const void *arg)
{
	return raise(*(const int *)arg);
}

static void what_work_returns_is_the_status(void **state)
{
	(void)state;
	for (int status = 0; status < 256; status += 51)
		assert_int_equal(bounded_run(give_back, &status, PATIENT_MS), status);
}

static void a_signal_is_told_apart(void **state)
{
	const int number = SIGUSR1;

	(void)state;
	assert_int_equal(bounded_run(die_of_it, &number, PATIENT_MS), 128 + SIGUSR1);
}

static void what_does_not_end_is_given_up_and_killed(void **state)
{
	struct mono now = mono_now();
	siginfo_t end;
	pid_t pid;

	(void)state;
	assert_int_equal(bounded_start(sleep_for_ever, NULL, &pid), 0);
	assert_int_equal(bounded_wait(pid, mono_after_ms(now, 50)), -ETIMEDOUT);
	assert_int_equal(waitid(P_PID, (id_t)pid, &end, WEXITED), 0);
	assert_int_equal(end.si_status, SIGKILL);
}

static void without_a_child_the_work_is_done_here(void **state)
{
	const int status = 7;

	(void)state;
	fault_name("fork", -EAGAIN);
	assert_int_equal(bounded_run(give_back, &status, PATIENT_MS), 7);
}

/* A program that ignores or blocks everything does not hand that down, and has it still. */
static int is_usual(const void *arg)
{
	struct sigaction now;
	sigset_t mask;

	(void)arg;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGHUP, NULL, &now);
	return now.sa_handler == SIG_DFL && !sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGCHLD);
}

static void a_child_has_the_usual_signals(void **state)
{
	sigset_t term, before;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	assert_int_equal(bounded_run(is_usual, NULL, PATIENT_MS), 1);
	sigprocmask(SIG_SETMASK, &before, &term);
	assert_true(sigismember(&term, SIGTERM));
	assert_false(sigismember(&term, SIGCHLD));
	signal(SIGHUP, SIG_DFL);
}

static void a_command_gets_its_arguments_and_a_bare_environment(void **state)
{
	static const char script[] = "test \"$1\" = word && test \"$PWD\" = / && test \"$HOME,$TERM,$SHELL\" = "
		"/,dumb,/bin/sh && test \"$PATH\" = /sbin:/usr/sbin:/bin:/usr/bin && test -z \"$SECRET\" && exit 9";
	const char *const argv[] = { "/bin/sh", "-c", script, "sh", "word", NULL };
	const char *const absent[] = { "/no/such/program", NULL };

	(void)state;
	fake_root(NULL);
	setenv("SECRET", "1", 1);
	assert_int_equal(bounded_command(argv, false, PATIENT_MS), 9);
	assert_int_equal(bounded_command(absent, true, PATIENT_MS), 127);
	unsetenv("SECRET");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(what_work_returns_is_the_status),
		CASE(a_signal_is_told_apart),
		CASE(what_does_not_end_is_given_up_and_killed),
		CASE(without_a_child_the_work_is_done_here),
		CASE(a_child_has_the_usual_signals),
		CASE(a_command_gets_its_arguments_and_a_bare_environment),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
