/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a crash does ends in an exec or never: tests/system/init_reexec.py looks at that, with the real thing. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/survive.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = *state = fake_init_begin();

	assert_int_equal(kept_open(in), 0);
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

static void the_fatal_signals_get_the_handler_on_a_stack_of_its_own(void **state)
{
	stack_t stack;

	(void)state;
	assert_int_equal(survive_install(ignore), 0);
	assert_int_equal(sigaltstack(NULL, &stack), 0);
	assert_true(stack.ss_size >= 16384 && !(stack.ss_flags & SS_DISABLE));
	for (int i = 0; survive_fatal[i]; i++) {
		struct sigaction action;

		assert_int_equal(sigaction(survive_fatal[i], NULL, &action), 0);
		assert_ptr_equal(action.sa_handler, ignore);
		assert_true(action.sa_flags & SA_ONSTACK);
		for (int other = 0; survive_fatal[other]; other++)
			assert_false(sigismember(&action.sa_mask, survive_fatal[other]));
		signal(survive_fatal[i], SIG_DFL);
	}
}

static void no_handler_is_an_error(void **state)
{
	int nth = 0;

	(void)state;
	do {
		fault_arm(++nth, -EINVAL);
		assert_int_equal(survive_install(ignore), fault_fired() ? -EINVAL : 0);
		fault_arm(nth, -EINVAL);
		(void)!survive_install(SIG_DFL);
	} while (fault_fired());
	assert_true(nth > 5);
}

static void an_exec_that_fails_is_said_and_changes_nothing(void **state)
{
	struct init *in = *state;
	const struct fake_kill *kill;
	pid_t getty;

	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	(void)fake_turns(in);
	getty = fake_entry(in, "g")->pid;
	assert_true(getty > 0);
	fake_kills(&kill);
	fake_forget_said(in);
	fault_name("exec", -ENOENT);
	survive_reexec(in);
	assert_true(fault_fired());
	assert_true(fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"));
	assert_int_equal(fake_entry(in, "g")->pid, getty);
	assert_int_equal(in->level.now, '2');
	for (int i = fake_kills(&kill); i-- > 0;)
		assert_int_not_equal(kill[i].pid, getty);
}

static void it_is_no_time_for_a_new_image_while_the_machine_boots(void **state)
{
	struct init *in = *state;

	for (const char *level = "#*789"; *level; level++) {
		in->level.now = *level;
		fault_name("exec", -ENOENT);
		survive_reexec(in);
		assert_false(fault_fired());
	}
}

static void without_a_state_to_leave_there_is_no_exec(void **state)
{
	struct init *in = *state;

	in->kept_fd = -1;
	fault_name("exec", -ENOENT);
	survive_reexec(in);
	assert_false(fault_fired());
	assert_true(fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_fatal_signals_get_the_handler_on_a_stack_of_its_own),
		CASE(no_handler_is_an_error),
		CASE(an_exec_that_fails_is_said_and_changes_nothing),
		CASE(it_is_no_time_for_a_new_image_while_the_machine_boots),
		CASE(without_a_state_to_leave_there_is_no_exec),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
