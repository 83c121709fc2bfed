/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one image to the next; tests/system/init_upgrade.py has the real inits. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/level.h"
#include "init/report.h"
#include "init/stream.h"
#include "init/takeover.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = *state = fake_init_begin();

	return report_open(in);
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* --- the image that is to be replaced --- */

static void put_image(const char *script, mode_t mode)
{
	fake_file("/sbin/init", script, mode);
}

/* The exit status of the job's child. */
static int look_at_image(struct init *in)
{
	int status;
	pid_t pid;

	fake_processes(0);
	pid = fork();
	if (!pid) {
		takeover_image_in_child(in);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	while (report_read(in))
		;
	fake_processes(FAKE_FIRST_PID);
	return WEXITSTATUS(status);
}

static void an_image_that_says_what_it_is_is_executed_when_nothing_is_under_way(void **state)
{
	static const struct {
		const char *script;
		enum image image;
	} cases[] = {
		{ "#!/bin/sh\necho \"SysV init version: " VERSION "\"\n", IMAGE_OURS },
		{ "#!/bin/sh\necho \"SysV init version: 3.06\"\n", IMAGE_FOREIGN },
	};
	struct init *in = *state;

	for (size_t i = 0; i < 2; i++) {
		level_request(in, 'u', -1);
		assert_true(job_is_busy(in, JOB_IMAGE));
		in->job[JOB_IMAGE] = (struct job){ 0 };
		put_image(cases[i].script, 0755);
		in->level.image = IMAGE_NONE;
		takeover_image_ended(in, look_at_image(in));
		assert_int_equal(in->level.image, cases[i].image);
	}
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void an_image_that_cannot_start_is_never_executed(void **state)
{
	static const struct {
		const char *script;
		mode_t mode;
		const char *said;
	} cases[] = {
		{ NULL, 0, "No such file" },
		{ "#!/bin/sh\necho \"SysV init version: 3.06\"\n", 0644, "ermission denied" },
		{ "no program\n", 0755, "xec format error" },
		{ "#!/bin/sh\necho \"SysV init version: 3.06\"\nexit 1\n", 0755, "/sbin/init: " },
		{ "#!/bin/sh\nkill -9 $$\n", 0755, "killed by a signal" },
		{ "#!/bin/sh\necho systemd 252\n", 0755, "not a System V init" },
		{ "#!/bin/sh\n", 0755, "not a System V init" },
	};
	struct init *in = *state;

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (cases[i].script)
			put_image(cases[i].script, cases[i].mode);
		fake_forget_said(in);
		takeover_image_ended(in, look_at_image(in));
		assert_int_equal(in->level.image, IMAGE_NONE);
		if (!fake_has_said(in, SINK_SYSLOG, cases[i].said))
			fail_msg("'%s' is not said", cases[i].said);
		assert_true(fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"));
	}
	takeover_image_ended(in, -ETIMEDOUT);
	takeover_image_ended(in, -EINTR);
	assert_int_equal(in->level.image, IMAGE_NONE);
}

static void what_another_init_will_cut_is_said(void **state)
{
	struct init *in = *state;
	char tab[512];

	(void)snprintf(tab, sizeof tab, "a:2:once:%0127d\nb:2:once:%0128d\n", 0, 0);
	fake_adopt(in, tab);
	put_image("#!/bin/sh\necho \"SysV init version: 3.06\"\n", 0755);
	(void)look_at_image(in);
	assert_true(fake_has_said(in, SINK_CONSOLE, "1 process fields are longer than the 127 bytes"));
}

static void while_the_machine_boots_nothing_is_looked_at(void **state)
{
	struct init *in = *state;

	for (const char *level = "#*789"; *level; level++) {
		in->level.now = *level;
		takeover_ask(in);
		assert_false(job_is_busy(in, JOB_IMAGE));
	}
}

/* --- the image that comes up --- */

/* A pipe with this in it at the number where the next image looks. */
static void put_stream(const char *text, size_t len)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], text, len), (ssize_t)len);
	if (fds[0] != STREAM_FD) {
		assert_int_equal(dup2(fds[0], STREAM_FD), STREAM_FD);
		close(fds[0]);
	}
	close(fds[1]);
}

#define TEXT "-RL3\n-PL2\n-WR1\nRECg\nLEV23\nFL RU\nFL XD\nPID40000\nEXS0\nAC respawn\nCMDx\nEOR\n" \
	"RECh\nLEV23\nFL RU\nPID49999\nEXS0\nAC respawn\nCMDx\nEOR\n"

/* Runs the reader of the state as the job does, and takes what it told. */
static void read_state(struct init *in)
{
	int status;
	pid_t pid;

	fake_processes(0);
	pid = fork();
	if (!pid) {
		takeover_state_in_child(in);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_processes(FAKE_FIRST_PID);
	(void)!sys_fork();                              /* the getty */
	while (report_read(in))
		;
	takeover_state_ended(in, WEXITSTATUS(status));
}

static void a_text_is_taken_over(void **state)
{
	struct init *in = *state;

	in->inherited[0] = (char[]){ "INIT_HALT=x" };
	in->inherited[1] = (char[]){ "HOME=/" };
	put_stream("12567362" TEXT "END\n", strlen("12567362" TEXT "END\n"));
	assert_true(takeover_is_due(in));
	assert_int_equal(in->takeover.stream_fd, STREAM_FD);
	assert_true(fcntl(STREAM_FD, F_GETFD) & FD_CLOEXEC);
	assert_string_equal(in->vars.var[0], "INIT_HALT=x");
	assert_string_equal(in->inherited[0], "HOME=/");
	level_take_over(in);
	assert_false(level_takes_requests(in));
	level_signal(in, LEVEL_SIGNAL_INT);             /* meanwhile */
	read_state(in);
	assert_int_equal(in->level.now, '3');
	assert_int_equal(in->level.previous, '2');
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_int_equal(in->level.events, LEVEL_SIGNAL_INT);
	assert_false(in->level.is_torn);
	assert_int_equal(fake_entry(in, "g")->pid, 40000);
	assert_int_equal(fake_entry(in, "h")->pid, 0);  /* none of our children */
	assert_true(fake_has_said(in, SINK_SYSLOG, "Id \"h\": pid 49999 has ended unseen"));
	assert_int_equal(fcntl(STREAM_FD, F_GETFD), FD_CLOEXEC);        /* reserved */
	assert_int_equal(in->takeover.stream_fd, -1);
	assert_true(in->reap_has_more);
}

static void a_torn_text_is_taken_as_far_as_it_goes_and_nothing_runs_twice(void **state)
{
	struct init *in = *state;

	put_stream("12567362" TEXT, strlen("12567362" TEXT));
	assert_true(takeover_is_due(in));
	level_take_over(in);
	read_state(in);
	assert_true(in->level.is_torn);
	assert_true(fake_has_said(in, SINK_CONSOLE, "incomplete, 2 entries are known"));
	(void)fake_turns(in);
	fake_loader_ends(in, "g:23:respawn:x\nl3:3:wait:rc\non:3:once:x\nk:3:respawn:x\nl2:2:wait:rc\n", 0);
	(void)fake_turns(in);
	assert_false(in->level.is_torn);
	assert_int_equal(fake_entry(in, "g")->pid, 40000);
	assert_int_equal(fake_entry(in, "l3")->pid, 0);
	assert_int_equal(fake_entry(in, "on")->pid, 0);
	assert_true(fake_entry(in, "k")->pid > 0);
	level_request(in, '2', -1);
	(void)fake_turns(in);
	fake_loader_ends(in, "g:23:respawn:x\nl2:2:wait:rc\n", 0);
	(void)fake_turns(in);
	for (int step = 0; step < 2; step++) {          /* "k", which does not end: TERM, KILL */
		fake_pass_ms(60000);
		(void)fake_turns(in);
	}
	assert_int_equal(in->level.now, '2');
	assert_true(fake_entry(in, "l2")->pid > 0);     /* the next level is entered as any */
}

static void without_a_text_nothing_is_taken_over_but_by_children(void **state)
{
	static const char *const bad[] = { "", "1", "1256736", "12567363-RL2\n", "xxxxxxxxxxxx" };
	struct init *in = *state;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put_stream(bad[i], strlen(bad[i]));
		assert_false(takeover_is_due(in));
		assert_int_equal(in->takeover.stream_fd, -1);
	}
	assert_int_equal(dup2(open("/dev/zero", O_RDONLY), STREAM_FD), STREAM_FD);
	assert_false(takeover_is_due(in));
	(void)!sys_fork();
	assert_true(takeover_is_due(in));
	assert_int_equal(in->takeover.stream_fd, -1);
}

/* An empty pipe whose writer lives would hold up who reads it. */
static void a_silent_pipe_is_not_waited_for(void **state)
{
	struct init *in = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	if (fds[0] != STREAM_FD)
		assert_int_equal(dup2(fds[0], STREAM_FD), STREAM_FD);
	assert_false(takeover_is_due(in));
}

static void the_level_that_was_shown_serves_where_none_is_told(void **state)
{
	struct init *in = *state;

	for (int known = 1; known >= 0; known--) {
		fake_file("/var/run/runlevel", known ? "5" : "", 0644);
		level_take_over(in);
		in->takeover.stream_fd = -1;
		in->family.count = 0;
		read_state(in);
		assert_int_equal(in->level.now, known ? '5' : '2');
		assert_true(in->level.is_torn);
		assert_int_equal(fake_has_said(in, SINK_CONSOLE, "the level is not known"), !known);
		fake_forget_said(in);
		if (known) {
			end(state);
			begin(state);
			in = *state;
		}
	}
}

static void a_reader_that_dies_costs_the_entries_and_not_the_machine(void **state)
{
	struct init *in = *state;

	level_take_over(in);
	takeover_state_ended(in, -EINTR);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_int_equal(in->level.now, '2');
	assert_true(in->level.is_torn && in->level.did_boot);
	assert_true(fake_has_said(in, SINK_CONSOLE, "state of the init before: not known"));
	takeover_state_ended(in, 0);                    /* one that comes late */
	assert_int_equal(in->level.phase, PHASE_LOAD);
}

static void a_writer_that_stops_is_not_waited_for_without_end(void **state)
{
	struct init *in = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], TEXT, strlen(TEXT)), (ssize_t)strlen(TEXT));
	in->takeover.stream_fd = fds[0];
	level_take_over(in);
	fake_clock_set(-1, -1);
	read_state(in);                                 /* 7 s of real time: it is a child's wait */
	assert_true(in->level.is_torn);
	assert_int_equal(fake_entry(in, "g")->pid, 40000);
	assert_true(fake_has_said(in, SINK_CONSOLE, "does not come to its end"));
	close(fds[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(an_image_that_says_what_it_is_is_executed_when_nothing_is_under_way),
		CASE(an_image_that_cannot_start_is_never_executed),
		CASE(what_another_init_will_cut_is_said),
		CASE(while_the_machine_boots_nothing_is_looked_at),
		CASE(a_text_is_taken_over),
		CASE(a_torn_text_is_taken_as_far_as_it_goes_and_nothing_runs_twice),
		CASE(without_a_text_nothing_is_taken_over_but_by_children),
		CASE(a_silent_pipe_is_not_waited_for),
		CASE(the_level_that_was_shown_serves_where_none_is_told),
		CASE(a_reader_that_dies_costs_the_entries_and_not_the_machine),
		CASE(a_writer_that_stops_is_not_waited_for_without_end),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
