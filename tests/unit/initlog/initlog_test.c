/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/initlog.h"
#include "initlog/sink.h"
#include "initlog/sink_records.h"

static const struct initlog_config config = {
	.ident = "init", .title = "init", .console = { "/dev/null" }
};
static struct title title;
static struct initlog log_;
static struct record record;

/* In place of helper.c: helpers that say that they are there. */
_Noreturn void helper_main(struct initlog *log, enum sink sink)
{
	queue_set_word(log->queue, sink, 0, (uint64_t)getpid());
	for (;;)
		pause();
}

_Noreturn void helper_outlive(struct initlog *log, enum sink sink, pid_t writer, int stay_s)
{
	queue_set_word(log->queue, sink, 0, (uint64_t)writer);
	_exit(stay_s);
}

static struct mono at_s(int64_t s)
{
	return mono_after_s((struct mono){ 0 }, s);
}

static int set_up(void **state)
{
	(void)state;
	log_ = (struct initlog){ 0 };
	assert_int_equal(initlog_open(&log_, &config, &title, -1), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	initlog_stop_helpers(&log_);
	while (waitpid(-1, NULL, 0) > 0)
		;
	queue_free(log_.queue);
	fault_clear();
	fake_clock_set(-1, -1);
	return 0;
}

static void end_helper(enum sink sink)
{
	pid_t pid = log_.helper[sink].pid;

	assert_true(pid > 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void said(enum sink sink, const char *expected)
{
	assert_int_equal(queue_take(log_.queue, sink, &record), 0);
	assert_string_equal(record.text, expected);
	queue_done(log_.queue, sink, &record);
}

/* --- saying --- */

static void nothing_happens_before_it_is_open(void **state)
{
	struct initlog closed = { 0 };

	(void)state;
	initlog(&closed, LOG_TO_BOTH, "lost %d", 1);
	assert_true(mono_is_never(initlog_tend(&closed, at_s(5))));
	assert_false(initlog_child_ended(&closed, 1, at_s(5)));
	assert_false(initlog_child_ended(&closed, 0, at_s(5)));
	initlog_stop_helpers(&closed);
}

static void a_line_is_said_to_who_shall_hear_it(void **state)
{
	(void)state;
	fake_clock_set(-1, 1700000000123456789);
	initlog(&log_, LOG_TO_BOTH, "Entering runlevel: %c", '2');
	initlog(&log_, LOG_TO_SYSLOG, "Re-reading inittab\n");
	initlog(&log_, LOG_TO_CONSOLE, "%s", "");
	initlog(&log_, LOG_TO_CONSOLE, "\n");
	said(SINK_CONSOLE, "Entering runlevel: 2");
	assert_int_equal(record.when.s, 1700000000);
	assert_int_equal(record.when.us, 123456);
	said(SINK_CONSOLE, "");
	said(SINK_CONSOLE, "");
	said(SINK_SYSLOG, "Entering runlevel: 2");
	said(SINK_SYSLOG, "Re-reading inittab");
	assert_int_equal(queue_take(log_.queue, SINK_CONSOLE, &record), -EAGAIN);
	assert_int_equal(queue_take(log_.queue, SINK_SYSLOG, &record), -EAGAIN);
	assert_int_equal(queue_take(log_.queue, SINK_RECORDS, &record), -EAGAIN);
}

static void a_long_line_is_cut(void **state)
{
	char text[QUEUE_TEXT_MAX + 200];

	(void)state;
	for (size_t len = QUEUE_TEXT_MAX - 2; len < sizeof text; len++) {
		memset(text, 'a', sizeof text);
		text[len] = '\0';
		initlog(&log_, LOG_TO_CONSOLE, "%s", text);
		text[len < QUEUE_TEXT_MAX ? len : QUEUE_TEXT_MAX] = '\0';
		said(SINK_CONSOLE, text);
	}
}

static void saying_makes_no_call_that_can_fail_but_to_wake(void **state)
{
	(void)state;
	initlog(&log_, LOG_TO_BOTH, "the first one rings");
	fault_arm_always(1, -ENOMEM);
	initlog(&log_, LOG_TO_BOTH, "not even that");
	assert_false(fault_fired());
	said(SINK_SYSLOG, "the first one rings");
	said(SINK_SYSLOG, "not even that");
}

/* --- opening --- */

static void a_failed_open_leaves_the_log_mute(void **state)
{
	struct initlog failed = { 0 };
	int open_before = fds_open(), nth = 0, err;

	(void)state;
	do {
		fault_arm(++nth, -ENOMEM);
		err = initlog_open(&failed, &config, &title, -1);
		assert_int_equal(err, fault_calls() < nth ? 0 : -ENOMEM);
		assert_true(err ? !failed.queue : failed.queue != NULL);
		initlog(&failed, LOG_TO_BOTH, "whatever");
		if (!err)
			queue_free(failed.queue);
		assert_int_equal(fds_open(), open_before);
	} while (fault_fired());
}

static void a_queue_that_could_not_be_made_is_made_later_and_what_was_said_meanwhile_is_counted(void **state)
{
	struct initlog late = { 0 };
	struct record it;

	(void)state;
	fault_name("memfd", -ENOMEM);
	assert_int_equal(initlog_open(&late, &config, &title, -1), -ENOMEM);
	for (int i = 0; i < 3; i++)
		initlog(&late, LOG_TO_BOTH, "to nobody");
	record_boot(&late);
	record_level(&late, '2', 'N');
	assert_int_equal(initlog_tend(&late, at_s(10)).ns, at_s(11).ns);
	fault_clear();
	assert_int_equal(initlog_tend(&late, at_s(10)).ns, at_s(11).ns);
	assert_null(late.queue);
	(void)initlog_tend(&late, at_s(11));
	assert_non_null(late.queue);
	record_start(&late, "g\0\0", 7);
	assert_int_equal(queue_take(late.queue, SINK_SYSLOG, &it), 0);
	assert_string_equal(it.text, "3 messages lost");
	assert_int_equal(queue_take(late.queue, SINK_RECORDS, &it), 0);
	assert_int_equal(((struct record_event *)it.text)->level, '2');
	assert_true(((struct record_event *)it.text)->is_booted);
	initlog_stop_helpers(&late);
	queue_free(late.queue);
}

static void the_queue_outlives_the_image(void **state)
{
	struct initlog next = { 0 };
	int pipes[2];

	(void)state;
	initlog(&log_, LOG_TO_CONSOLE, "before");
	assert_int_equal(initlog_open(&next, &config, &title, dup(queue_fd(log_.queue))), 0);
	queue_free(log_.queue);
	log_ = next;
	initlog(&log_, LOG_TO_CONSOLE, "after");
	said(SINK_CONSOLE, "before");
	said(SINK_CONSOLE, "after");
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(initlog_open(&next, &config, &title, pipes[0]), -EPROTO);
	close(pipes[0]);
	close(pipes[1]);
}

static void a_queue_that_could_not_be_taken_over_is_taken_over_later(void **state)
{
	struct initlog next;
	int open_before = fds_open(), fd = dup(queue_fd(log_.queue));

	(void)state;
	initlog(&log_, LOG_TO_CONSOLE, "before");
	fault_name("map", -ENOMEM);
	assert_int_equal(initlog_open(&next, &config, &title, fd), -ENOMEM);
	initlog(&next, LOG_TO_CONSOLE, "to nobody");
	assert_int_equal(initlog_tend(&next, at_s(10)).ns, at_s(11).ns);
	fault_clear();
	(void)initlog_tend(&next, at_s(11));
	queue_free(log_.queue);
	log_ = next;
	said(SINK_CONSOLE, "before");
	said(SINK_CONSOLE, "1 message lost");
	assert_int_equal(fds_open(), open_before);
}

static void one_that_never_can_be_is_given_up_for_a_new_one(void **state)
{
	struct initlog next;
	int64_t s;
	int open_before = fds_open();

	(void)state;
	fault_name("fstat", -EBADF);
	assert_int_equal(initlog_open(&next, &config, &title, dup(queue_fd(log_.queue))), -EBADF);
	for (s = 10; !next.queue && s < 100; s++)
		(void)initlog_tend(&next, at_s(s));
	fault_clear();
	assert_non_null(next.queue);
	assert_in_range(s, 30, 60);
	initlog_stop_helpers(&next);
	queue_free(next.queue);
	assert_int_equal(fds_open(), open_before);
}

/* --- helpers --- */

static void every_sink_gets_a_helper_and_tending_rests(void **state)
{
	(void)state;
	assert_true(mono_is_never(initlog_tend(&log_, at_s(5))));
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		pid_t pid = log_.helper[sink].pid;

		assert_true(pid > 0);
		while (queue_word(log_.queue, sink, 0) != (uint64_t)pid)
			sched_yield();
	}
	assert_false(initlog_child_ended(&log_, getpid(), at_s(5)));
	assert_false(initlog_child_ended(&log_, 0, at_s(5)));
	assert_true(mono_is_never(initlog_tend(&log_, at_s(1000))));
}

static void who_keeps_dying_is_started_ever_later(void **state)
{
	static const int64_t delays_s[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	int64_t now_s = 1000;

	(void)state;
	assert_true(mono_is_never(initlog_tend(&log_, at_s(now_s))));
	for (size_t i = 0; i < sizeof delays_s / sizeof delays_s[0]; i++) {
		pid_t pid = log_.helper[SINK_SYSLOG].pid;

		end_helper(SINK_SYSLOG);
		now_s += 59;
		assert_true(initlog_child_ended(&log_, pid, at_s(now_s)));
		assert_false(initlog_child_ended(&log_, pid, at_s(now_s)));
		assert_int_equal(initlog_tend(&log_, at_s(now_s)).ns, at_s(now_s + delays_s[i]).ns);
		now_s += delays_s[i];
		assert_int_equal(initlog_tend(&log_, (struct mono){ at_s(now_s).ns - 1 }).ns,
			at_s(now_s).ns);
		assert_int_equal(log_.helper[SINK_SYSLOG].pid, 0);
		assert_true(mono_is_never(initlog_tend(&log_, at_s(now_s))));
		assert_true(log_.helper[SINK_SYSLOG].pid > 0);
	}
}

static void who_ran_for_a_minute_is_started_at_once(void **state)
{
	pid_t pid;

	(void)state;
	assert_true(mono_is_never(initlog_tend(&log_, at_s(0))));
	for (int round = 0; round < 3; round++) {
		pid = log_.helper[SINK_CONSOLE].pid;
		end_helper(SINK_CONSOLE);
		assert_true(initlog_child_ended(&log_, pid, at_s(60 * (round + 1))));
		assert_true(mono_is_never(initlog_tend(&log_, at_s(60 * (round + 1)))));
		assert_true(log_.helper[SINK_CONSOLE].pid > 0);
	}
	pid = log_.helper[SINK_CONSOLE].pid;
	end_helper(SINK_CONSOLE);
	assert_true(initlog_child_ended(&log_, pid, at_s(181)));
	assert_int_equal(initlog_tend(&log_, at_s(181)).ns, at_s(182).ns);
}

static void a_refused_fork_is_tried_again_later(void **state)
{
	(void)state;
	fault_name("fork", -EAGAIN);
	assert_int_equal(initlog_tend(&log_, at_s(100)).ns, at_s(101).ns);
	assert_int_equal(initlog_tend(&log_, at_s(100)).ns, at_s(101).ns);
	assert_int_equal(initlog_tend(&log_, at_s(101)).ns, at_s(103).ns);
	assert_int_equal(initlog_tend(&log_, at_s(103)).ns, at_s(107).ns);
	fault_clear();
	fault_name_after("fork", 1, -ENOMEM);
	assert_int_equal(initlog_tend(&log_, at_s(107)).ns, at_s(115).ns);
	assert_true(log_.helper[0].pid > 0);
	assert_int_equal(log_.helper[1].pid, 0);
	fault_clear();
	assert_true(mono_is_never(initlog_tend(&log_, at_s(115))));
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		assert_true(log_.helper[sink].pid > 0);
}

static void stopped_helpers_are_gone_and_forgotten(void **state)
{
	pid_t pid[SINK_COUNT];
	int status;

	(void)state;
	assert_true(mono_is_never(initlog_tend(&log_, at_s(5))));
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		pid[sink] = log_.helper[sink].pid;
	initlog_stop_helpers(&log_);
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		assert_int_equal(waitpid(pid[sink], &status, 0), pid[sink]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_false(initlog_child_ended(&log_, pid[sink], at_s(5)));
	}
	initlog(&log_, LOG_TO_CONSOLE, "the queue is there");
	said(SINK_CONSOLE, "the queue is there");
	assert_true(mono_is_never(initlog_tend(&log_, at_s(5))));
	assert_true(log_.helper[0].pid > 0);
}

static void a_tool_leaves_one_helper_that_knows_its_writer(void **state)
{
	int status;
	pid_t pid = initlog_leave_helper(&log_, SINK_SYSLOG, 7);

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(queue_word(log_.queue, SINK_SYSLOG, 0), getpid());
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(nothing_happens_before_it_is_open),
		CASE(a_line_is_said_to_who_shall_hear_it),
		CASE(a_long_line_is_cut),
		CASE(saying_makes_no_call_that_can_fail_but_to_wake),
		CASE(a_failed_open_leaves_the_log_mute),
		CASE(a_queue_that_could_not_be_made_is_made_later_and_what_was_said_meanwhile_is_counted),
		CASE(the_queue_outlives_the_image),
		CASE(a_queue_that_could_not_be_taken_over_is_taken_over_later),
		CASE(one_that_never_can_be_is_given_up_for_a_new_one),
		CASE(every_sink_gets_a_helper_and_tending_rests),
		CASE(who_keeps_dying_is_started_ever_later),
		CASE(who_ran_for_a_minute_is_started_at_once),
		CASE(a_refused_fork_is_tried_again_later),
		CASE(stopped_helpers_are_gone_and_forgotten),
		CASE(a_tool_leaves_one_helper_that_knows_its_writer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
