/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/loop.h"
#include "init/report.h"
#include "lib/sys.h"

enum { HELPERS = SINK_COUNT };

static sigset_t mask_before;

/* The clock is the real one: the kernel's timers go by it. */
static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_before), 0);
	fake_clock_set(-1, -1);
	assert_int_equal(loop_open(in), 0);
	fake_adopt(in, "");
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	assert_int_equal(sigprocmask(SIG_SETMASK, &mask_before, NULL), 0);
	return 0;
}

/* So many turns, the waits of all but the last few real: these return at once, as after a SIGSTOP. What was to happen
 * by then has happened, or the sleeps were too short, or did not end. */
static void turns(struct init *in, int count, int real_waits)
{
	fault_name_after("epoll_wait", real_waits, -EINTR);
	for (int i = 0; i < count; i++)
		loop_turn(in);
	fault_clear();
}

static void nothing_left_to_say(struct init *in)
{
	turns(in, 3, 0);                                /* starts the helpers, and whatever the level has to say */
	fake_forget_said(in);
}

static void the_descriptors_are_made_and_not_inherited(void **state)
{
	struct init *in = *state;
	const int fds[] = { in->epoll_fd, in->signal_fd, in->timer_fd, in->report_fd, in->report_child_fd };

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(in->signal_fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(in->timer_fd, F_GETFL) & O_NONBLOCK);
}

static void what_cannot_be_made_is_an_error(void **state)
{
	static const char *const names[] = { "epoll_create", "signalfd", "timerfd", "socketpair" };
	struct init *in = *state;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		fault_name(names[i], -EMFILE);
		assert_int_equal(loop_open(in), -EMFILE);
		fault_clear();
	}
}

static void one_that_is_watched_already_is_no_trouble(void **state)
{
	struct init *in = *state;

	loop_watch(in, in->report_fd, SOURCE_REPORT);   /* as the channel's that was taken over */
	assert_null(fake_said(in, SINK_CONSOLE));
	fake_end(77, CLD_EXITED, 0);
	turns(in, 2, 0);
	assert_int_equal(in->orphans, 0);               /* all is watched: nobody looks before he is told */
}

static void a_descriptor_that_cannot_be_watched_is_said(void **state)
{
	struct init *in = *state;

	loop_watch(in, -1, SOURCE_REPORT);
	assert_true(fake_has_said(in, SINK_CONSOLE, "cannot watch a descriptor: "));
	loop_unwatch(in, -1);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void signals_and_reports_are_served(struct init *in)
{
	assert_int_equal(raise(SIGTSTP), 0);
	turns(in, 1, 1);
	assert_true(in->level.is_halted);
	report_in_child(in, REPORT_CONSOLE, "/dev/here", NULL, 0);
	turns(in, 1, 1);
	assert_string_equal(in->console, "/dev/here");
}

static void what_could_not_be_made_or_watched_is_tried_again_and_looked_at_meanwhile(void **state)
{
	static const char *const names[] = { "epoll_create", "signalfd", "timerfd", "socketpair", "epoll_ctl" };
	struct init *in = *state;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int open_before;

		fake_init_end(in);
		in = *state = fake_init_begin();
		fake_clock_set(-1, -1);
		open_before = fds_open();
		fault_name(names[i], -ENOMEM);
		(void)!loop_open(in);
		fake_adopt(in, "");
		fake_end(77, CLD_EXITED, 0);
		in->mend_at = MONO_NEVER;
		fault_name_after("epoll_wait", 0, -EINTR);      /* one at a time: the other works again */
		loop_turn(in);
		assert_int_equal(in->orphans, 1);               /* though nobody tells */
		assert_true(i == 4 || fds_open() < open_before + 6);
		in->mend_at = (struct mono){ 0 };
		turns(in, 1, 0);
		signals_and_reports_are_served(in);
		open_before = fds_open();
		in->mend_at = (struct mono){ 0 };
		turns(in, 3, 0);
		assert_int_equal(fds_open(), open_before);
	}
}

static void signals_and_reports_end_the_sleep(void **state)
{
	struct init *in = *state;

	signals_and_reports_are_served(in);
}

static void reaping_comes_before_reports(void **state)
{
	struct init *in = *state;

	nothing_left_to_say(in);
	report_log_in_child(in, LOG_TO_CONSOLE, "a report");
	assert_int_equal(raise(SIGCHLD), 0);
	fault_name("wait", -EINVAL);
	loop_turn(in);
	fault_clear();
	assert_non_null(strstr(fake_said(in, SINK_CONSOLE), "cannot wait for children"));
	assert_string_equal(fake_said(in, SINK_CONSOLE), "a report");
}

static void a_storm_of_orphans_takes_turns_with_the_rest(void **state)
{
	struct init *in = *state;

	for (int i = 0; i < 2500; i++)
		fake_end(100 + i, CLD_EXITED, 0);
	assert_int_equal(raise(SIGCHLD), 0);
	turns(in, 1, 1);
	assert_int_equal(in->orphans, 1024);
	report_in_child(in, REPORT_CONSOLE, "/dev/here", NULL, 0);
	turns(in, 1, 1);
	assert_int_equal(in->orphans, 2048);
	assert_string_equal(in->console, "/dev/here");
	turns(in, 1, 1);                                /* does not sleep: there may be more */
	assert_int_equal(in->orphans, 2500);
}

static void a_deadline_ends_the_sleep_and_nothing_before_it(void **state)
{
	struct init *in = *state;
	struct mono started = mono_now();

	nothing_left_to_say(in);
	job_want_at(in, JOB_POWER, mono_after_ms(started, 100));
	turns(in, 2, 1);
	assert_true(in->job[JOB_POWER].pid);
	assert_true(mono_is_due(mono_after_ms(started, 100), mono_now()));
}

static void a_timer_that_cannot_be_set_lets_nothing_oversleep(void **state)
{
	struct init *in = *state;
	struct mono started = mono_now();

	nothing_left_to_say(in);
	close(in->timer_fd);
	job_want_at(in, JOB_POWER, mono_after_ms(started, 100));
	turns(in, 2, 1);
	assert_true(in->job[JOB_POWER].pid);
	assert_true(mono_is_due(mono_after_ms(started, 100), mono_now()));
}

static void the_timer_is_set_only_when_it_changes(void **state)
{
	struct init *in = *state;
	struct itimerspec value;
	int64_t at;

	job_want_at(in, JOB_ASKER, mono_after_s(mono_now(), 100));
	turns(in, 1, 0);
	at = in->job[JOB_ASKER].start_at.ns;
	assert_int_equal(in->timer_at.ns, at);
	memset(&value, 0, sizeof value);
	assert_int_equal(timerfd_settime(in->timer_fd, 0, &value, NULL), 0);
	turns(in, 1, 0);
	assert_int_equal(timerfd_gettime(in->timer_fd, &value), 0);
	assert_int_equal(value.it_value.tv_sec, 0);     /* as we have left it */
	job_want_at(in, JOB_ASKER, mono_after_s(mono_now(), 50));
	turns(in, 1, 0);
	assert_int_equal(timerfd_gettime(in->timer_fd, &value), 0);
	assert_true(value.it_value.tv_sec >= 1 && value.it_value.tv_sec <= 50);
	job_cancel(in, JOB_ASKER);
	turns(in, 1, 0);
	assert_true(mono_is_never(in->timer_at));
	assert_int_equal(timerfd_gettime(in->timer_fd, &value), 0);
	assert_int_equal(value.it_value.tv_sec + value.it_value.tv_nsec, 0);
}

static void an_idle_init_has_no_timer(void **state)
{
	struct init *in = *state;
	struct itimerspec value;

	turns(in, 3, 0);
	assert_true(mono_is_never(in->timer_at));
	assert_int_equal(timerfd_gettime(in->timer_fd, &value), 0);
	assert_int_equal(value.it_value.tv_sec + value.it_value.tv_nsec, 0);
	assert_int_equal(fake_forks(), HELPERS);
}

static void a_wait_that_fails_neither_spins_nor_goes_deaf(void **state)
{
	struct init *in = *state;

	fake_end(77, CLD_EXITED, 0);
	assert_int_equal(raise(SIGHUP), 0);
	report_in_child(in, REPORT_CONSOLE, "/dev/here", NULL, 0);
	fault_name("epoll_wait", -EBADF);
	loop_turn(in);
	assert_int_equal(fake_pauses_ms(), LOOP_DEGRADED_MS);
	assert_int_equal(in->level.events, LEVEL_SIGNAL_HUP);
	assert_string_equal(in->console, "/dev/here");
	assert_int_equal(in->orphans, 1);
	loop_turn(in);
	assert_int_equal(fake_pauses_ms(), 2 * LOOP_DEGRADED_MS);
	fault_clear();
}

static void an_interrupted_wait_is_no_failure(void **state)
{
	struct init *in = *state;

	fault_name("epoll_wait", -EINTR);
	loop_turn(in);
	fault_clear();
	assert_int_equal(fake_pauses_ms(), 0);
}

static void one_that_is_interrupted_over_and_over_is(void **state)
{
	struct init *in = *state;

	assert_int_equal(raise(SIGTSTP), 0);
	fault_name("epoll_wait", -EINTR);
	for (int i = 0; i < 100; i++)
		loop_turn(in);
	assert_int_equal(fake_pauses_ms(), 0);
	loop_turn(in);
	fault_clear();
	assert_int_equal(fake_pauses_ms(), LOOP_DEGRADED_MS);
	assert_true(in->level.is_halted);
}

/* --- the control channel --- */

static const char *fifo_path(void)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/initctl", fake_root_dir());
	return path;
}

static void open_channel(struct init *in)
{
	int fds[2] = { -1, -1 };

	control_open(in);
	job_cancel(in, JOB_DOOR);
	assert_int_equal(mkfifo(fifo_path(), 0600), 0);
	fds[0] = open(fifo_path(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	control_take(in, CONTROL_FOLDER_WATCHED, fds);
}

static void put_request(int cmd)
{
	struct init_request request = { .magic = INIT_MAGIC, .cmd = cmd };
	int fd = open(fifo_path(), O_WRONLY | O_NONBLOCK);

	assert_int_equal(write(fd, &request, sizeof request), sizeof request);
	close(fd);
}

static void a_request_ends_the_sleep(void **state)
{
	struct init *in = *state;

	open_channel(in);
	nothing_left_to_say(in);
	for (int i = 0; i < 3; i++) {
		put_request(INIT_CMD_UNSETENV);
		turns(in, 1, 1);
		assert_string_equal(fake_said(in, SINK_SYSLOG), "got unimplemented initrequest.");
	}
}

static void requests_that_have_to_wait_cost_no_turns_and_are_not_forgotten(void **state)
{
	struct init *in = *state;
	struct mono started;

	open_channel(in);
	nothing_left_to_say(in);
	in->level.phase = PHASE_TERM;
	for (int i = 0; i < 40; i++)
		put_request(INIT_CMD_UNSETENV);
	started = mono_now();
	job_want_at(in, JOB_POWER, mono_after_ms(started, 100));
	turns(in, 3, 2);                                /* they are noticed; then it sleeps all the same */
	assert_true(in->job[JOB_POWER].pid);
	assert_true(mono_is_due(mono_after_ms(started, 100), mono_now()));
	assert_null(fake_said(in, SINK_SYSLOG));
	in->level.phase = PHASE_STEADY;
	turns(in, 3, 3);                                /* 16 each, without a sleep */
	for (int i = 0; i < 40; i++)
		assert_string_equal(fake_said(in, SINK_SYSLOG), "got unimplemented initrequest.");
	assert_null(fake_said(in, SINK_SYSLOG));
	assert_false(in->control.has_more);
}

static void the_mount_table_is_always_readable_and_wakes_nobody(void **state)
{
	struct init *in = *state;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), count = 1;
	struct epoll_event event;

	assert_true(fd >= 0);
	loop_watch(in, fd, SOURCE_MOUNTS);
	for (int i = 0; count && i < 100; i++)          /* others may mount something */
		count = sys_epoll_wait(in->epoll_fd, &event, 1, 20);
	assert_int_equal(count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_descriptors_are_made_and_not_inherited),
		CASE(what_cannot_be_made_is_an_error),
		CASE(one_that_is_watched_already_is_no_trouble),
		CASE(a_descriptor_that_cannot_be_watched_is_said),
		CASE(what_could_not_be_made_or_watched_is_tried_again_and_looked_at_meanwhile),
		CASE(signals_and_reports_end_the_sleep),
		CASE(reaping_comes_before_reports),
		CASE(a_storm_of_orphans_takes_turns_with_the_rest),
		CASE(a_deadline_ends_the_sleep_and_nothing_before_it),
		CASE(a_timer_that_cannot_be_set_lets_nothing_oversleep),
		CASE(the_timer_is_set_only_when_it_changes),
		CASE(an_idle_init_has_no_timer),
		CASE(a_wait_that_fails_neither_spins_nor_goes_deaf),
		CASE(an_interrupted_wait_is_no_failure),
		CASE(one_that_is_interrupted_over_and_over_is),
		CASE(a_request_ends_the_sleep),
		CASE(requests_that_have_to_wait_cost_no_turns_and_are_not_forgotten),
		CASE(the_mount_table_is_always_readable_and_wakes_nobody),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
