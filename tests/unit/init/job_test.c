/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(report_open(in), 0);
	fake_adopt(in, "a:2:once:x\n");
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static struct mono tend(struct init *in)
{
	return job_tend(in, mono_now());
}

static int64_t ms_until(struct mono when)
{
	return mono_is_never(when) ? -1 : (when.ns - mono_now().ns) / 1000000;
}

static const struct {
	enum job_kind kind;
	const char *name;
	int limit_s;
} jobs[] = {
	{ JOB_LOADER, "inittab loader", 10 },
	{ JOB_CONSOLE, "console setter", 5 },
	{ JOB_DOOR, "control channel opener", 10 },
	{ JOB_POWER, "power status reader", 10 },
	{ JOB_ASKER, "level asker", 0 },
	{ JOB_SHUTDOWN, "shutdown", 0 },
	{ JOB_IMAGE, "check of /sbin/init", 10 },
	{ JOB_STATE, "reader of the state", 10 },
	{ JOB_POLICY, "SELinux policy loader", 120 },
	{ JOB_HALT, "halt", 0 },
};

static void nothing_is_started_that_nobody_wants(void **state)
{
	struct init *in = *state;

	assert_true(mono_is_never(tend(in)));
	assert_int_equal(fake_forks(), 0);
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
		assert_false(job_is_busy(in, kind));
}

static void each_job_is_started_and_has_its_time(void **state)
{
	struct init *in = *state;

	assert_int_equal(sizeof jobs / sizeof jobs[0], JOB_COUNT);
	for (size_t i = 0; i < JOB_COUNT; i++) {
		job_want(in, jobs[i].kind);
		assert_true(job_is_busy(in, jobs[i].kind));
		assert_int_equal(ms_until(tend(in)), jobs[i].limit_s ? jobs[i].limit_s * 1000 : -1);
		assert_int_equal(fake_forks(), (int)i + 1);
		assert_int_equal(in->job[jobs[i].kind].pid, FAKE_FIRST_PID + (int)i);
		assert_true(job_is_busy(in, jobs[i].kind));
		in->job[jobs[i].kind] = (struct job){ 0 };
	}
}

static void a_job_that_overruns_is_killed_and_let_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < JOB_COUNT; i++) {
		struct init *in = fake_init_begin();
		const struct fake_kill *kill;
		char text[80];

		if (jobs[i].limit_s) {
			fake_adopt(in, "a:2:once:x\n");
			in->level.phase = jobs[i].kind == JOB_CONSOLE ? PHASE_BOOT : PHASE_LOAD;
			job_want(in, jobs[i].kind);
			tend(in);
			fake_pass_ms(jobs[i].limit_s * 1000 - 1);
			assert_int_equal(ms_until(tend(in)), 1);
			assert_int_equal(fake_kills(&kill), 0);
			fake_pass_ms(1);
			tend(in);
			assert_int_equal(fake_kills(&kill), 1);
			assert_int_equal(kill->pid, FAKE_FIRST_PID);
			assert_int_equal(kill->signal, SIGKILL);
			(void)snprintf(text, sizeof text, "%s does not end, giving it up", jobs[i].name);
			assert_true(fake_has_said(in, SINK_CONSOLE, text));
			fake_end(FAKE_FIRST_PID, CLD_KILLED, SIGKILL);
			assert_false(chld_handler(in));
			assert_int_equal(in->orphans, 1);
		}
		fake_init_end(in);
	}
}

/* What the end of one job has another do must not wait for the next event. */
static void an_end_by_deadline_is_followed_by_another_turn_at_once(void **state)
{
	struct init *in = *state;

	in->level.phase = PHASE_BOOT;
	job_want(in, JOB_CONSOLE);
	tend(in);
	fake_pass_ms(5000);
	assert_int_equal(ms_until(tend(in)), 0);
	assert_true(in->job[JOB_LOADER].is_wanted);
	tend(in);
	assert_int_equal(in->job[JOB_LOADER].pid, FAKE_FIRST_PID + 1);
}

static void a_change_that_goes_on_without_its_loader_is_looked_at_at_once(void **state)
{
	struct init *in = *state;

	in->level.phase = PHASE_LOAD;
	job_want(in, JOB_LOADER);
	fault_name("fork", -EAGAIN);
	assert_int_equal(ms_until(tend(in)), 0);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_false(job_is_busy(in, JOB_LOADER));
}

static void a_failed_fork_is_tried_again_after_5_s(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_POWER);
	fault_name("fork", -EAGAIN);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ms_until(tend(in)), 5000);
		assert_string_equal(fake_said(in, SINK_CONSOLE), "cannot fork, retry..");
		fake_pass_ms(4999);
		assert_int_equal(ms_until(tend(in)), 1);
		assert_null(fake_said(in, SINK_CONSOLE));
		assert_true(job_is_busy(in, JOB_POWER));
		fake_pass_ms(1);
	}
	fault_clear();
	assert_int_equal(ms_until(tend(in)), 10000);
	assert_int_equal(fake_forks(), 1);
}

static void what_cannot_be_prepared_says_why(void **state)
{
	struct init *in = *state;
	char text[80];

	in->level.phase = PHASE_LOAD;
	fake_adopt(in, "");                             /* nothing to go on with: it is tried again */
	job_want(in, JOB_LOADER);
	fault_name("memfd", -EMFILE);
	assert_int_equal(ms_until(tend(in)), 5000);
	(void)snprintf(text, sizeof text, "cannot start inittab loader: %s", strerror(EMFILE));
	assert_string_equal(fake_said(in, SINK_CONSOLE), text);
	fault_clear();
	fake_pass_ms(5000);
	tend(in);
	assert_int_equal(fake_forks(), 1);
}

static void one_that_is_wanted_twice_runs_twice_but_not_at_a_time(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_POWER);
	tend(in);
	job_want(in, JOB_POWER);
	job_want(in, JOB_POWER);
	tend(in);
	assert_int_equal(fake_forks(), 1);
	fake_job_ends(in, JOB_POWER, 0);
	chld_handler(in);
	assert_true(job_is_busy(in, JOB_POWER));
	tend(in);
	assert_int_equal(fake_forks(), 2);
	fake_job_ends(in, JOB_POWER, 0);
	chld_handler(in);
	tend(in);
	assert_int_equal(fake_forks(), 2);
	assert_false(job_is_busy(in, JOB_POWER));
}

static void the_earliest_of_several_wishes_counts(void **state)
{
	struct init *in = *state;

	job_want_at(in, JOB_POWER, mono_after_s(mono_now(), 9));
	job_want_at(in, JOB_POWER, mono_after_s(mono_now(), 3));
	job_want_at(in, JOB_POWER, mono_after_s(mono_now(), 5));
	assert_int_equal(ms_until(tend(in)), 3000);
	fake_pass_ms(2999);
	assert_int_equal(ms_until(tend(in)), 1);
	assert_int_equal(fake_forks(), 0);
	fake_pass_ms(1);
	tend(in);
	assert_int_equal(fake_forks(), 1);
	fake_pass_ms(8000);
	tend(in);
	assert_int_equal(fake_forks(), 1);
}

static void a_wish_for_later_does_not_end_the_one_that_runs(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_POWER);
	tend(in);
	job_want_at(in, JOB_POWER, mono_after_s(mono_now(), 60));
	assert_int_equal(ms_until(tend(in)), 10000);
	fake_job_ends(in, JOB_POWER, 0);
	chld_handler(in);
	assert_int_equal(ms_until(tend(in)), 60000);
}

static void a_cancelled_job_is_killed_and_its_end_is_nobodys(void **state)
{
	struct init *in = *state;
	const struct fake_kill *kill;
	pid_t pid;

	job_want(in, JOB_ASKER);
	tend(in);
	pid = in->job[JOB_ASKER].pid;
	job_want(in, JOB_ASKER);
	job_cancel(in, JOB_ASKER);
	assert_false(job_is_busy(in, JOB_ASKER));
	assert_int_equal(fake_kills(&kill), 1);
	assert_int_equal(kill->pid, pid);
	assert_false(job_child_ended(in, pid, CLD_KILLED, SIGKILL));
	job_cancel(in, JOB_ASKER);
	assert_int_equal(fake_kills(&kill), 0);
	assert_true(mono_is_never(tend(in)));
}

static void a_stranger_is_no_job(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_POWER);
	tend(in);
	assert_false(job_child_ended(in, FAKE_FIRST_PID + 1, CLD_EXITED, 0));
	assert_false(job_child_ended(in, 1, CLD_EXITED, 0));
	assert_int_equal(in->job[JOB_POWER].pid, FAKE_FIRST_PID);
}

static void what_a_job_told_counts_before_its_end(void **state)
{
	struct init *in = *state;

	in->level.phase = PHASE_ASK;
	in->level.now = in->level.wanted = '#';
	job_want(in, JOB_ASKER);
	tend(in);
	/* Behind as many lines of others as the channel has room for. */
	for (int i = 0; i < 200; i++)
		report_log_in_child(in, LOG_TO_CONSOLE, "line %d", i);
	report_in_child(in, REPORT_LEVEL, "4", NULL, 0);
	fake_job_ends(in, JOB_ASKER, 0);
	chld_handler(in);
	assert_int_equal(in->level.now, '4');
}

static void a_job_that_was_killed_has_failed(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_POWER);
	tend(in);
	fake_end(in->job[JOB_POWER].pid, CLD_KILLED, SIGSEGV);
	chld_handler(in);
	assert_int_equal(in->level.events, LEVEL_SIGNAL_POWER_FAIL);
}

/* --- a real child --- */

static void a_real_job_is_forked_runs_and_is_reaped(void **state)
{
	struct init *in = *state;

	fake_processes(0);
	fake_clock_set(-1, -1);
	fake_file("/var/run/powerstatus", "L", 0644);
	job_want(in, JOB_POWER);
	tend(in);
	assert_true(in->job[JOB_POWER].pid > 0);
	while (in->job[JOB_POWER].pid) {
		sys_poll(NULL, 0, 10);
		chld_handler(in);
		tend(in);                               /* has its deadline of 10 s */
	}
	assert_int_equal(in->level.events, LEVEL_SIGNAL_POWER_LOW);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_started_that_nobody_wants),
		CASE(each_job_is_started_and_has_its_time),
		cmocka_unit_test(a_job_that_overruns_is_killed_and_let_go),
		CASE(an_end_by_deadline_is_followed_by_another_turn_at_once),
		CASE(a_change_that_goes_on_without_its_loader_is_looked_at_at_once),
		CASE(a_failed_fork_is_tried_again_after_5_s),
		CASE(what_cannot_be_prepared_says_why),
		CASE(one_that_is_wanted_twice_runs_twice_but_not_at_a_time),
		CASE(the_earliest_of_several_wishes_counts),
		CASE(a_wish_for_later_does_not_end_the_one_that_runs),
		CASE(a_cancelled_job_is_killed_and_its_end_is_nobodys),
		CASE(a_stranger_is_no_job),
		CASE(what_a_job_told_counts_before_its_end),
		CASE(a_job_that_was_killed_has_failed),
		CASE(a_real_job_is_forked_runs_and_is_reaped),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
