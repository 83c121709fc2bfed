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
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/loop.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/io.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	in->epoll_fd = sys_epoll_create();
	assert_true(in->epoll_fd >= 0);
	assert_int_equal(report_open(in), 0);
	fake_file("/run/empty", "", 0644);
	fake_file("/proc/self/mountinfo", "", 0644);
	io_reserve(CONTROL_FD);
	control_open(in);
	memset(in->job, 0, sizeof in->job);
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* --- the other end --- */

static char *fifo_path(void)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/run/initctl", fake_root_dir());
	return path;
}

/* A new FIFO under the name, opened as the doorkeeper does. */
static int new_fifo(void)
{
	int fd;

	(void)unlink(fifo_path());
	assert_int_equal(mkfifo(fifo_path(), 0600), 0);
	fd = open(fifo_path(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void take_new(struct init *in)
{
	int fds[2] = { new_fifo(), -1 };

	control_take(in, CONTROL_FOLDER_WATCHED, fds);
}

static bool try_to_put(const void *bytes, size_t len)
{
	int fd = open(fifo_path(), O_WRONLY | O_NONBLOCK);

	if (fd < 0)
		return false;
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	return true;
}

static void put(const void *bytes, size_t len)
{
	assert_true(try_to_put(bytes, len));
}

static struct init_request request(int cmd, char level)
{
	struct init_request it;

	memset(&it, 0, sizeof it);
	it.magic = INIT_MAGIC;
	it.cmd = cmd;
	it.runlevel = level;
	it.sleeptime = 7;
	return it;
}

static void put_request(int cmd, char level)
{
	struct init_request it = request(cmd, level);

	put(&it, sizeof it);
}

/* SETENV requests are counted by the variables that they set: INIT_0 ... */
static void put_variable(int number)
{
	struct init_request it = request(INIT_CMD_SETENV, 0);

	(void)snprintf(it.i.data, sizeof it.i.data, "INIT_%d=x", number);
	put(&it, sizeof it);
}

static int variables(const struct init *in)
{
	int count = 0;

	for (int i = 0; i < ENVIRON_VARS; i++)
		count += in->vars.var[i][0] != '\0';
	return count;
}

static void forget_variables(struct init *in)
{
	memset(&in->vars, 0, sizeof in->vars);
}

/* --- requests --- */

static void each_request_has_its_effect(void **state)
{
	struct init *in = *state;

	take_new(in);
	put_request(INIT_CMD_POWERFAIL, 0);
	put_request(INIT_CMD_POWERFAILNOW, 0);
	put_request(INIT_CMD_POWEROK, 0);
	for (uint32_t event = LEVEL_SIGNAL_POWER_FAIL; event <= LEVEL_SIGNAL_POWER_OK; event <<= 1) {
		control_read(in);
		assert_int_equal(in->level.events, event);
		control_read(in);                       /* the next one waits until this one is served */
		assert_int_equal(in->level.events, event);
		in->level.events = 0;
	}
	put_variable(1);
	control_read(in);
	assert_string_equal(in->vars.var[0], "INIT_1=x");
	put_request(INIT_CMD_RUNLVL, '3');
	control_read(in);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_int_equal(in->level.wanted, '3');
	assert_int_equal(in->level.stop_s, 7);
	assert_false(in->control.has_more);
}

static void what_nobody_implements_is_said(void **state)
{
	static const int cmds[] = { INIT_CMD_START, INIT_CMD_BSD, INIT_CMD_UNSETENV, 8, -1, INT32_MAX };
	struct init *in = *state;

	take_new(in);
	for (size_t i = 0; i < sizeof cmds / sizeof cmds[0]; i++) {
		put_request(cmds[i], '3');
		control_read(in);
		assert_string_equal(fake_said(in, SINK_SYSLOG), "got unimplemented initrequest.");
	}
	assert_int_equal(in->level.phase, PHASE_STEADY);
}

static void variables_that_cannot_be_set_are_said(void **state)
{
	struct init *in = *state;
	struct init_request it = request(INIT_CMD_SETENV, 0);

	take_new(in);
	strcpy(it.i.data, "PATH=/tmp");
	put(&it, sizeof it);
	memset(it.i.data, 'x', sizeof it.i.data);
	put(&it, sizeof it);
	control_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "initctl: not all variables could be set");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "initctl: not all variables could be set");
	assert_int_equal(variables(in), 0);
}

static void sixteen_requests_are_taken_a_turn(void **state)
{
	struct init *in = *state;

	take_new(in);
	in->control.has_more = true;
	for (int i = 0; i < 20; i++)
		put_request(INIT_CMD_UNSETENV, 0);
	control_read(in);
	for (int i = 0; i < CONTROL_REQUESTS_A_TURN; i++)
		assert_non_null(fake_said(in, SINK_SYSLOG));
	assert_null(fake_said(in, SINK_SYSLOG));
	assert_true(in->control.has_more);
	control_read(in);
	for (int i = 16; i < 20; i++)
		assert_non_null(fake_said(in, SINK_SYSLOG));
	assert_false(in->control.has_more);
}

static void requests_wait_in_order_while_a_change_is_under_way(void **state)
{
	struct init *in = *state;

	take_new(in);
	put_request(INIT_CMD_RUNLVL, '3');
	put_request(INIT_CMD_RUNLVL, '4');
	put_variable(1);
	in->control.has_more = true;
	control_read(in);
	assert_int_equal(in->level.wanted, '3');
	assert_int_equal(variables(in), 0);
	assert_true(in->control.has_more);
	control_read(in);
	assert_int_equal(in->level.wanted, '3');
	in->level.phase = PHASE_STEADY;
	in->level.now = '3';
	control_read(in);
	assert_int_equal(in->level.wanted, '4');
	assert_int_equal(variables(in), 0);
	in->level.phase = PHASE_STEADY;
	control_read(in);
	assert_int_equal(variables(in), 1);
}

/* --- garbage --- */

static void garbage_of_any_length_before_a_request_is_skipped(void **state)
{
	struct init *in = *state;
	char bytes[2 * sizeof(struct init_request)];
	struct init_request it = request(INIT_CMD_SETENV, 0);

	take_new(in);
	strcpy(it.i.data, "INIT_A=b");
	for (size_t len = 1; len <= sizeof bytes; len++) {
		int fd = open(fifo_path(), O_WRONLY | O_NONBLOCK);

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(i % 7 ? 'g' : "\x69\x19\x09\x03"[i % 4]);     /* bits of the magic number */
		assert_int_equal(write(fd, bytes, len), (ssize_t)len);
		assert_int_equal(write(fd, &it, sizeof it), sizeof it);
		close(fd);
		for (int turn = 0; turn < 50 && (turn == 0 || in->control.has_more); turn++) {
			in->control.has_more = true;
			control_read(in);
		}
		if (variables(in) != 1)
			fail_msg("the request behind %zu bytes of garbage was lost", len);
		assert_true(fake_has_said(in, SINK_SYSLOG, "got bogus initrequest"));
		forget_variables(in);
	}
}

static void a_request_that_is_torn_is_dropped_and_the_next_one_taken(void **state)
{
	struct init *in = *state;
	struct init_request it = request(INIT_CMD_RUNLVL, '3');

	take_new(in);
	for (size_t len = 1; len < sizeof it; len += 13) {
		put(&it, len);
		control_read(in);
		assert_int_equal(in->control.have_bytes, 0);
		assert_int_equal(in->level.phase, PHASE_STEADY);
		assert_string_equal(fake_said(in, SINK_SYSLOG), "got bogus initrequest");
		put_variable(1);
		control_read(in);
		assert_int_equal(variables(in), 1);
		forget_variables(in);
		assert_null(fake_said(in, SINK_SYSLOG));
	}
}

static void a_torn_request_right_before_another_does_not_swallow_it(void **state)
{
	struct init *in = *state;
	struct init_request torn = request(INIT_CMD_RUNLVL, '3'), whole = request(INIT_CMD_SETENV, 0);

	take_new(in);
	strcpy(whole.i.data, "INIT_A=b");
	for (size_t len = 20; len < sizeof torn; len += 13) {
		int fd = open(fifo_path(), O_WRONLY | O_NONBLOCK);

		/* The head is good and what follows is taken for its data: the bytes of the next one count as well. */
		torn.cmd = INIT_CMD_UNSETENV;
		assert_int_equal(write(fd, &torn, len), (ssize_t)len);
		assert_int_equal(write(fd, &whole, sizeof whole), sizeof whole);
		assert_int_equal(write(fd, &whole, sizeof whole), sizeof whole);
		close(fd);
		in->control.has_more = true;
		while (in->control.has_more)
			control_read(in);
		assert_int_equal(variables(in), 1);
		forget_variables(in);
		fake_forget_said(in);
	}
}

static void garbage_is_said_once_a_turn(void **state)
{
	struct init *in = *state;
	char bytes[4096];

	take_new(in);
	memset(bytes, 'g', sizeof bytes);
	put(bytes, sizeof bytes);
	control_read(in);
	assert_string_equal(fake_said(in, SINK_SYSLOG), "got bogus initrequest");
	assert_null(fake_said(in, SINK_SYSLOG));
}

static void random_bytes_never_change_the_level(void **state)
{
	struct init *in = *state;
	unsigned char bytes[4096];
	unsigned seed = 3;

	take_new(in);
	for (int round = 0; round < 300; round++) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
		put(bytes, 1 + (seed >> 8) % sizeof bytes);
		in->control.has_more = true;
		while (in->control.has_more)
			control_read(in);
		assert_int_equal(in->level.phase, PHASE_STEADY);
		assert_true(in->control.have_bytes < sizeof in->control.buffer);
		fake_forget_said(in);
	}
	put_variable(1);
	control_read(in);
	assert_int_equal(variables(in), 1);
}

/* --- one channel after another --- */

static void the_channel_is_descriptor_10_and_not_inherited(void **state)
{
	struct init *in = *state;
	int before = fds_open();

	take_new(in);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_int_equal(fcntl(CONTROL_FD, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fds_open(), before);           /* the number was reserved */
	take_new(in);
	assert_int_equal(in->control.fd, CONTROL_FD);
	control_read(in);
	assert_int_equal(fds_open(), before);
}

static void what_waits_in_the_old_channel_comes_before_the_new(void **state)
{
	struct init *in = *state;
	int before = fds_open();

	take_new(in);
	put_variable(1);
	put_variable(2);
	take_new(in);
	put_variable(3);
	assert_true(in->control.has_more);
	control_read(in);
	assert_string_equal(in->vars.var[0], "INIT_1=x");
	assert_string_equal(in->vars.var[1], "INIT_2=x");
	assert_string_equal(in->vars.var[2], "INIT_3=x");
	assert_false(in->control.has_more);
	assert_int_equal(fds_open(), before);
}

static void channels_that_change_while_requests_wait_lose_none(void **state)
{
	struct init *in = *state;
	int before = fds_open();

	in->level.phase = PHASE_TERM;
	for (int i = 1; i <= 4; i++) {
		take_new(in);
		put_variable(i);
		control_read(in);
	}
	assert_int_equal(variables(in), 0);
	in->level.phase = PHASE_STEADY;
	while (in->control.has_more)
		control_read(in);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(in->vars.var[i - 1][5], '0' + i);
	assert_int_equal(fds_open(), before);
}

static void channels_beyond_number_cost_the_oldest_requests_and_say_so(void **state)
{
	struct init *in = *state;
	int before = fds_open();

	in->level.phase = PHASE_TERM;
	for (int i = 0; i < 50; i++) {
		take_new(in);
		put_variable(1);
		assert_true(fds_open() <= before + 8);
	}
	assert_true(fake_has_said(in, SINK_SYSLOG, "requests lost"));
	in->level.phase = PHASE_STEADY;
	while (in->control.has_more)
		control_read(in);
	assert_int_equal(fds_open(), before);
}

static void the_same_channel_is_not_taken_twice(void **state)
{
	struct init *in = *state;
	int fds[2], before;

	take_new(in);
	before = fds_open();
	for (int i = 0; i < 3; i++) {
		fds[0] = open(fifo_path(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
		fds[1] = -1;
		control_take(in, CONTROL_FOLDER_WATCHED, fds);
	}
	assert_int_equal(fds_open(), before);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_false(in->control.has_more);
}

static void usr1_opens_the_same_channel_anew_and_loses_nothing(void **state)
{
	struct init *in = *state;
	int fds[2], before = fds_open();

	take_new(in);
	in->level.phase = PHASE_LOAD;
	put_variable(1);
	control_reopen(in);
	assert_true(in->job[JOB_DOOR].is_wanted);
	fds[0] = open(fifo_path(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	fds[1] = -1;
	control_take(in, CONTROL_FOLDER_WATCHED, fds);
	put_variable(2);
	in->level.phase = PHASE_STEADY;
	while (in->control.has_more)
		control_read(in);
	assert_int_equal(variables(in), 2);
	assert_int_equal(fds_open(), before);
}

static void usr2_closes_the_channel_when_it_is_read_out(void **state)
{
	struct init *in = *state;
	int fds[2] = { new_fifo(), open("/dev/null", O_RDONLY) }, before = fds_open() - 2;

	control_take(in, CONTROL_FOLDER_WATCHED, fds);
	put_variable(1);
	job_want(in, JOB_DOOR);
	control_close(in);
	assert_int_equal(in->control.fd, -1);
	assert_false(job_is_busy(in, JOB_DOOR));
	control_read(in);
	assert_int_equal(variables(in), 1);
	assert_int_equal(fds_open(), before);
	assert_int_equal(open(fifo_path(), O_WRONLY | O_NONBLOCK), -1);
	assert_int_equal(errno, ENXIO);
	control_check(in);
	assert_false(job_is_busy(in, JOB_DOOR));
	fds[0] = new_fifo();                            /* a doorkeeper who was on his way */
	fds[1] = open("/dev/null", O_RDONLY);
	control_take(in, CONTROL_FOLDER_WATCHED, fds);
	assert_int_equal(fds_open(), before);
	control_door_ended(in, 0);
	assert_false(job_is_busy(in, JOB_DOOR));
	control_reopen(in);
	assert_true(job_is_busy(in, JOB_DOOR));
	take_new(in);
	put_variable(2);
	control_read(in);
	assert_int_equal(variables(in), 2);
}

static void whatever_call_fails_no_descriptor_is_lost(void **state)
{
	(void)state;
	for (int nth = 1, fired = 1; fired; nth++) {
		struct init_request it = request(INIT_CMD_SETENV, 0);
		struct init *in;
		void *fresh;
		int before;

		begin(&fresh);
		in = fresh;
		before = fds_open();
		take_new(in);
		put_variable(1);
		fault_arm(nth, -EMFILE);
		take_new(in);
		(void)try_to_put(&it, sizeof it);       /* nobody may have taken it */
		control_read(in);
		control_read(in);
		fired = fault_fired();
		control_read(in);
		control_close(in);
		in->control.has_more = true;
		while (in->control.has_more)
			control_read(in);
		if (fds_open() > before)
			fail_msg("call %d: %d descriptors too many", nth, fds_open() - before);
		fake_init_end(in);
		assert_true(nth < 100);
	}
}

static void a_new_image_takes_over_only_a_fifo(void **state)
{
	struct init *in = *state;
	int fd = new_fifo();

	control_init(in);
	control_take_over(in, -1, false);
	assert_int_equal(in->control.fd, -1);
	assert_int_equal(dup2(open("/dev/null", O_RDWR), CONTROL_FD), CONTROL_FD);
	control_take_over(in, CONTROL_FD, false);
	assert_int_equal(in->control.fd, -1);
	assert_int_equal(dup2(fd, CONTROL_FD), CONTROL_FD);
	put_variable(1);
	control_take_over(in, CONTROL_FD, false);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_int_equal(fcntl(CONTROL_FD, F_GETFD), FD_CLOEXEC);
	assert_true(in->control.has_more);
	control_open(in);
	assert_true(in->job[JOB_DOOR].is_wanted);
	control_read(in);
	assert_int_equal(variables(in), 1);
}

/* Where the image before could not have the number. */
static void a_channel_at_another_number_is_taken_over_and_moved(void **state)
{
	struct init *in = *state;
	int fd, before;

	for (int fails = 0; fails < 2; fails++) {
		int first = new_fifo();

		fd = fcntl(first, F_DUPFD, 40);
		assert_int_equal(close(first), 0);
		io_reserve(CONTROL_FD);
		forget_variables(in);
		put_variable(1);
		before = fds_open();
		control_init(in);
		if (fails)
			fault_name_once("dup2", 0, -ENOMEM);
		control_take_over(in, fd, false);
		fault_clear();
		assert_int_equal(in->control.fd, fails ? fd : CONTROL_FD);
		assert_int_equal(fcntl(in->control.fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fds_open(), before - !fails);  /* in the reserved one's place */
		control_open(in);
		assert_int_not_equal(fcntl(CONTROL_FD, F_GETFD), -1);
		control_read(in);
		assert_int_equal(variables(in), 1);
		sys_close(in->control.fd);
		sys_close(in->control.folder_fd);
	}
}

static void a_channel_that_was_closed_stays_so_in_a_new_image(void **state)
{
	struct init *in = *state;

	control_init(in);
	control_take_over(in, -1, true);
	control_open(in);
	assert_false(job_is_busy(in, JOB_DOOR));
}

/* --- the doorkeeper --- */

/* Runs the real one until its end is reaped. */
static void open_door(struct init *in)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	job_want(in, JOB_DOOR);
	do {
		job_tend(in, mono_now());               /* has its deadline of 10 s */
		sys_poll(NULL, 0, 5);
		chld_handler(in);
	} while (in->job[JOB_DOOR].pid);
	report_read(in);
}

static void the_doorkeeper_makes_the_fifo_and_watches_its_name(void **state)
{
	struct init *in = *state;
	struct stat st;

	open_door(in);
	assert_int_equal(stat(fifo_path(), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_true(in->control.mounts_fd >= 0);
	assert_true(in->control.has_watch);
	assert_false(job_is_busy(in, JOB_DOOR));        /* no polling */
	put_variable(1);
	control_read(in);
	assert_int_equal(variables(in), 1);
	assert_int_equal(unlink(fifo_path()), 0);
	control_folder_changed(in);
	assert_true(job_is_busy(in, JOB_DOOR));
	open_door(in);
	put_variable(2);
	in->control.has_more = true;
	control_read(in);
	control_read(in);
	assert_int_equal(variables(in), 2);
}

static void what_is_no_fifo_is_said_and_looked_at_again(void **state)
{
	struct init *in = *state;
	char link[160];

	fake_file("/run/initctl", "a file", 0644);
	open_door(in);
	assert_true(fake_has_said(in, SINK_CONSOLE, "/run/initctl is not a fifo"));
	assert_int_equal(in->control.fd, -1);
	assert_true(in->job[JOB_DOOR].is_wanted);
	assert_int_equal(mono_left_ms(in->job[JOB_DOOR].start_at, mono_now()) / 1001, 4);       /* in 5 s */
	in->job[JOB_DOOR].is_wanted = false;
	assert_int_equal(unlink(fifo_path()), 0);
	(void)snprintf(link, sizeof link, "%s/run/elsewhere", fake_root_dir());
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_int_equal(symlink(link, fifo_path()), 0);
	open_door(in);
	assert_int_equal(in->control.fd, -1);           /* a link is not followed */
	assert_true(in->job[JOB_DOOR].is_wanted);
}

static void without_watches_the_name_is_looked_at_every_five_seconds(void **state)
{
	struct init *in = *state;
	char mounts[160];

	(void)snprintf(mounts, sizeof mounts, "%s/proc/self/mountinfo", fake_root_dir());
	assert_int_equal(unlink(mounts), 0);
	open_door(in);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_int_equal(in->control.mounts_fd, -1);
	assert_true(in->job[JOB_DOOR].is_wanted);
	in->job[JOB_DOOR].is_wanted = false;
	fake_file("/proc/self/mountinfo", "", 0644);
	open_door(in);
	assert_false(in->job[JOB_DOOR].is_wanted);
	fault_name("inotify_add", -ENOSPC);
	open_door(in);
	assert_false(in->control.has_watch);
	assert_true(in->control.mounts_fd >= 0);
	assert_true(in->job[JOB_DOOR].is_wanted);
}

/* As where /run is a folder of a root that is read-only, until a script mounts something there. */
static void where_no_fifo_can_be_made_a_mount_makes_him_look_again(void **state)
{
	struct init *in = *state;

	fault_name("mkfifo", -EROFS);
	open_door(in);
	fault_clear();
	assert_int_equal(in->control.fd, -1);
	assert_true(in->control.mounts_fd >= 0);
	in->job[JOB_DOOR].is_wanted = false;
	control_check(in);
	open_door(in);
	assert_int_equal(in->control.fd, CONTROL_FD);
	assert_false(job_is_busy(in, JOB_DOOR));
}

static void whatever_call_of_the_doorkeeper_fails_he_comes_again_until_all_is_well(void **state)
{
	struct init *in = *state;

	for (int nth = 1; nth <= 12; nth++) {
		fault_arm(nth + 1, -EIO);               /* the first is the fork */
		in->job[JOB_DOOR].is_wanted = false;
		open_door(in);
		fault_clear();
		if (in->control.fd < 0 || !in->control.has_watch || in->control.mounts_fd < 0)
			assert_true(job_is_busy(in, JOB_DOOR));
	}
	in->job[JOB_DOOR].is_wanted = false;
	open_door(in);
	assert_false(job_is_busy(in, JOB_DOOR));
	assert_int_equal(in->control.fd, CONTROL_FD);
}

static void changes_of_other_names_are_of_no_interest(void **state)
{
	struct init *in = *state;

	open_door(in);
	control_folder_changed(in);                     /* that the FIFO itself was made */
	job_cancel(in, JOB_DOOR);
	fake_file("/run/utmp", "", 0644);
	fake_file("/run/initctl2", "", 0644);
	control_folder_changed(in);
	assert_false(job_is_busy(in, JOB_DOOR));
	control_folder_changed(in);                     /* nothing to read: says nothing */
	assert_false(job_is_busy(in, JOB_DOOR));
}

static void the_name_is_looked_at_once_a_second_at_most(void **state)
{
	struct init *in = *state;

	for (int i = 0; i < 100; i++)
		control_check(in);
	assert_int_equal(in->job[JOB_DOOR].start_at.ns - mono_now().ns, INT64_C(1000000000));
	fake_pass_ms(999);
	control_check(in);
	assert_int_equal(in->job[JOB_DOOR].start_at.ns - mono_now().ns, 1000000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_request_has_its_effect),
		CASE(what_nobody_implements_is_said),
		CASE(variables_that_cannot_be_set_are_said),
		CASE(sixteen_requests_are_taken_a_turn),
		CASE(requests_wait_in_order_while_a_change_is_under_way),
		CASE(garbage_of_any_length_before_a_request_is_skipped),
		CASE(a_request_that_is_torn_is_dropped_and_the_next_one_taken),
		CASE(a_torn_request_right_before_another_does_not_swallow_it),
		CASE(garbage_is_said_once_a_turn),
		CASE(random_bytes_never_change_the_level),
		CASE(the_channel_is_descriptor_10_and_not_inherited),
		CASE(what_waits_in_the_old_channel_comes_before_the_new),
		CASE(channels_that_change_while_requests_wait_lose_none),
		CASE(channels_beyond_number_cost_the_oldest_requests_and_say_so),
		CASE(the_same_channel_is_not_taken_twice),
		CASE(usr1_opens_the_same_channel_anew_and_loses_nothing),
		CASE(usr2_closes_the_channel_when_it_is_read_out),
		cmocka_unit_test(whatever_call_fails_no_descriptor_is_lost),
		CASE(a_new_image_takes_over_only_a_fifo),
		CASE(a_channel_at_another_number_is_taken_over_and_moved),
		CASE(a_channel_that_was_closed_stays_so_in_a_new_image),
		CASE(the_doorkeeper_makes_the_fifo_and_watches_its_name),
		CASE(what_is_no_fifo_is_said_and_looked_at_again),
		CASE(without_watches_the_name_is_looked_at_every_five_seconds),
		CASE(where_no_fifo_can_be_made_a_mount_makes_him_look_again),
		CASE(whatever_call_of_the_doorkeeper_fails_he_comes_again_until_all_is_well),
		CASE(changes_of_other_names_are_of_no_interest),
		CASE(the_name_is_looked_at_once_a_second_at_most),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
