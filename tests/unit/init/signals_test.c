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
#include <sys/signalfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/reap.h"
#include "init/signals.h"
#include "init/survive.h"
#include "lib/sys.h"

/* A pipe in the place of the signalfd: any number can come, and comes to nobody. */
struct place {
	struct init *in;
	int pipe_fd;
};

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	int fds[2];

	assert_non_null(p);
	p->in = fake_init_begin();
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	p->in->signal_fd = fds[0];
	p->pipe_fd = fds[1];
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;

	fake_init_end(p->in);
	free(p);
	return 0;
}

static void comes(const struct place *p, int number)
{
	struct signalfd_siginfo info = { .ssi_signo = (uint32_t)number };

	assert_int_equal(write(p->pipe_fd, &info, sizeof info), sizeof info);
}

static void each_level_signal_is_noted(void **state)
{
	static const struct {
		int number;
		uint32_t events;
	} cases[] = {
		{ SIGHUP, LEVEL_SIGNAL_HUP }, { SIGINT, LEVEL_SIGNAL_INT }, { SIGWINCH, LEVEL_SIGNAL_WINCH },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		p->in->level.events = 0;
		comes(p, cases[i].number);
		signals_read(p->in);
		assert_int_equal(p->in->level.events, cases[i].events);
	}
}

static void a_childs_end_is_left_to_reaping(void **state)
{
	struct place *p = *state;
	struct signalfd_siginfo info = { .ssi_signo = SIGCHLD, .ssi_pid = 4711 };

	p->in->children_fd = p->pipe_fd;
	p->in->family.running = REAP_CROWD + 1;
	assert_int_equal(write(p->pipe_fd, &info, sizeof info), sizeof info);
	signals_read(p->in);
	p->in->children_fd = -1;
	p->in->family.running = 0;
	assert_true(p->in->reap_has_more);
	assert_true(p->in->is_in_run);
	assert_int_equal(p->in->last_reaped, 4710);
}

static void power_trouble_has_the_status_read(void **state)
{
	struct place *p = *state;

	comes(p, SIGPWR);
	signals_read(p->in);
	assert_true(p->in->job[JOB_POWER].is_wanted);
	assert_int_equal(p->in->level.events, 0);
}

static void the_channel_is_closed_and_opened(void **state)
{
	struct place *p = *state;

	comes(p, SIGUSR2);
	signals_read(p->in);
	assert_true(p->in->control.is_closed);
	assert_false(job_is_busy(p->in, JOB_DOOR));
	comes(p, SIGUSR1);
	signals_read(p->in);
	assert_false(p->in->control.is_closed);
	assert_true(p->in->job[JOB_DOOR].is_wanted);
}

static void starting_is_stopped_and_continued(void **state)
{
	struct place *p = *state;

	comes(p, SIGTSTP);
	signals_read(p->in);
	assert_true(p->in->level.is_halted);
	comes(p, SIGCONT);
	signals_read(p->in);
	assert_false(p->in->level.is_halted);
}

static void container_managers_are_obeyed(void **state)
{
	static const char *const flags[] = { "-hH", "-hP", "-r", "-r" };
	struct place *p = *state;

	for (int i = 0; i < 4; i++) {
		memset(p->in->job, 0, sizeof p->in->job);
		p->in->shutdown_flags = NULL;
		comes(p, 37 + i);                       /* RTMIN+3 ... RTMIN+6 */
		signals_read(p->in);
		assert_string_equal(p->in->shutdown_flags, flags[i]);
		assert_true(p->in->job[JOB_SHUTDOWN].is_wanted);
	}
	assert_int_equal(SIGRTMIN, 34);                 /* what the numbers are counted from */
}

static void every_other_signal_is_nothing(void **state)
{
	static const int used[] = { SIGCHLD, SIGHUP, SIGINT, SIGWINCH, SIGPWR, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT,
		37, 38, 39, 40 };
	struct place *p = *state;
	struct init before;
	int others = 0;

	for (int number = -1; number <= 70; number++) {
		bool is_used = false;

		for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
			is_used |= used[i] == number;
		if (is_used)
			continue;
		memcpy(&before, p->in, sizeof before);
		comes(p, number);
		signals_read(p->in);
		assert_memory_equal(&before, p->in, sizeof before);
		others++;
	}
	assert_int_equal(others, 72 - 13);
	assert_null(fake_said(p->in, SINK_SYSLOG));
}

static void at_most_32_are_taken_a_turn(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 32; i++)
		comes(p, SIGURG);
	comes(p, SIGHUP);
	signals_read(p->in);
	assert_int_equal(p->in->level.events, 0);
	signals_read(p->in);
	assert_int_equal(p->in->level.events, LEVEL_SIGNAL_HUP);
}

static void no_signal_and_a_failing_read_are_nothing(void **state)
{
	static const int errors[] = { -EAGAIN, -EINTR, -EBADF, -EIO };
	struct place *p = *state;
	struct init before;

	memcpy(&before, p->in, sizeof before);
	signals_read(p->in);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		comes(p, SIGHUP);
		fault_name("read", errors[i]);
		signals_read(p->in);
		fault_clear();
	}
	assert_memory_equal(&before, p->in, sizeof before);
	signals_read(p->in);
	assert_int_equal(p->in->level.events, LEVEL_SIGNAL_HUP);
}

static void all_are_blocked_but_those_of_a_fault(void **state)
{
	sigset_t taken, blocked, old;

	(void)state;
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &old), 0);
	signals_block(&taken);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, &blocked), 0);
	for (int number = 1; number <= SIGRTMAX; number++) {
		bool is_fatal = false;

		for (const int *fatal = survive_fatal; *fatal; fatal++)
			is_fatal |= *fatal == number;
		if (is_fatal || number == SIGKILL || number == SIGSTOP)
			assert_false(sigismember(&blocked, number));
		else if (number < 32 || number >= 34)   /* the two between are libc's own */
			assert_true(sigismember(&blocked, number));
		if (is_fatal)
			assert_false(sigismember(&taken, number));
	}
}

static void real_signals_come_through_a_signalfd(void **state)
{
	struct place *p = *state;
	sigset_t taken, old;

	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &old), 0);
	signals_block(&taken);
	p->in->signal_fd = sys_signalfd(&taken, SFD_NONBLOCK | SFD_CLOEXEC);
	assert_true(p->in->signal_fd >= 0);
	assert_int_equal(raise(SIGHUP), 0);             /* to this process alone, and blocked */
	assert_int_equal(raise(SIGRTMIN + 4), 0);
	signals_read(p->in);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_int_equal(p->in->level.events, LEVEL_SIGNAL_HUP);
	assert_string_equal(p->in->shutdown_flags, "-hP");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_level_signal_is_noted),
		CASE(a_childs_end_is_left_to_reaping),
		CASE(power_trouble_has_the_status_read),
		CASE(the_channel_is_closed_and_opened),
		CASE(starting_is_stopped_and_continued),
		CASE(container_managers_are_obeyed),
		CASE(every_other_signal_is_nothing),
		CASE(at_most_32_are_taken_a_turn),
		CASE(no_signal_and_a_failing_read_are_nothing),
		CASE(all_are_blocked_but_those_of_a_fault),
		CASE(real_signals_come_through_a_signalfd),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
