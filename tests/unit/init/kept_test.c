/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/kept.h"
#include "lib/sys.h"

/* Where things lie in the record: it passes from one version to the next. */
enum { AT_CHECKSUM = 12, AT_CHECKED = 16, AT_QUEUE = 16, AT_PHASE = 28, AT_NOW = 36, AT_PREVIOUS = 37, AT_WANTED = 38,
	AT_DEMAND = 39, AT_BOOT_LEVEL = 40, AT_BOOT_ARG = 41, AT_STOP = 48, AT_CONSOLE = 80, RECORD_MAX = 8192 };

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(kept_open(in), 0);
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* A state in which nothing is what it is at the start. */
static void fill(struct init *in)
{
	in->level = (struct level){ .phase = PHASE_TERM, .now = '3', .previous = 'S', .wanted = '5', .demand = 'B',
		.boot_level = '2', .stop_s = 77, .did_boot = true, .is_halted = true, .said_empty = true,
		.events = LEVEL_SIGNAL_INT | LEVEL_SIGNAL_POWER_LOW };
	in->boot.level = '4';
	strcpy(in->console, "/dev/ttyS9");
	in->is_console_missing = true;
	in->crash_ns[0] = 11;
	in->crash_ns[CRASHES_KEPT - 1] = 33;
	in->level.is_torn = true;
	job_want(in, JOB_POWER);
	job_want(in, JOB_DOOR);
	strcpy(in->vars.var[3], "INIT_X=y");
	in->control.is_closed = true;
	fake_adopt(in, "a:2:once:x\n");
}

/* The image after this one: what it finds, in a struct init of its own. */
static bool take(struct init *out, int *queue, int *family)
{
	memset(out, 0, sizeof *out);
	out->kept_fd = -1;
	control_init(out);
	return kept_take(out, queue, family);
}

static struct init next;

static void what_was_saved_is_taken(void **state)
{
	struct init *in = *state;
	int queue, family;

	fill(in);
	assert_int_equal(kept_save(in), 0);
	assert_true(take(&next, &queue, &family));
	assert_int_equal(queue, queue_fd(in->log.queue));
	assert_int_equal(family, in->family.fd);
	assert_int_equal(next.kept_fd, KEPT_FD);
	in->level.deadline = in->level.reread_at = MONO_NEVER;
	assert_memory_equal(&next.level, &in->level, sizeof next.level);
	assert_int_equal(next.boot.level, '4');
	assert_string_equal(next.console, "/dev/ttyS9");
	assert_true(next.is_console_missing);
	assert_memory_equal(next.crash_ns, in->crash_ns, sizeof next.crash_ns);
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
		assert_int_equal(next.job[kind].is_wanted, kind == JOB_POWER);  /* the door is looked after anyway */
	assert_memory_equal(&next.vars, &in->vars, sizeof next.vars);
	assert_true(next.control.is_closed);
	assert_int_equal(next.control.fd, -1);
}

static void what_another_init_told_is_read_but_for_what_only_we_know(void **state)
{
	static const struct record_flags every[] = { { true, false, false, true }, { false, true, true, false } };
	struct init *in = *state;
	struct record_flags out;
	int fd = dup(KEPT_FD);

	fill(in);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kept_write_in_child(in, &every[i], fd), 0);
		memset(&next, 0, sizeof next);
		assert_true(kept_read_level(&next, fd, &out));
		assert_memory_equal(&out, &every[i], sizeof out);
	}
	in->level.deadline = in->level.reread_at = MONO_NEVER;
	assert_memory_equal(&next.level, &in->level, sizeof next.level);
	assert_int_equal(next.console[0], '\0');
	assert_false(kept_read_level(&next, -1, &out));
	assert_int_equal(ftruncate(fd, 40), 0);
	assert_false(kept_read_level(&next, fd, &out));
	assert_false(job_is_busy(&next, JOB_POWER));
}

static bool passes(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	assert_true(flags >= 0);
	return !(flags & FD_CLOEXEC);
}

static void descriptors_pass_an_exec_only_between_saving_and_taking(void **state)
{
	struct init *in = *state;
	int fds[4], queue, family;

	fake_adopt(in, "a:2:once:x\n");
	assert_int_equal(dup2(0, CONTROL_FD), CONTROL_FD);
	in->control.fd = CONTROL_FD;
	assert_int_equal(sys_set_cloexec(CONTROL_FD, 1), 0);
	fds[0] = KEPT_FD;
	fds[1] = CONTROL_FD;
	fds[2] = in->family.fd;
	fds[3] = queue_fd(in->log.queue);
	for (int i = 0; i < 4; i++)
		assert_false(passes(fds[i]));
	assert_int_equal(kept_save(in), 0);
	for (int i = 0; i < 4; i++)
		assert_true(passes(fds[i]));
	kept_withhold(in);
	for (int i = 0; i < 4; i++)
		assert_false(passes(fds[i]));
	assert_int_equal(kept_save(in), 0);
	in->control.fd = -1;
	assert_true(take(&next, &queue, &family));
	for (int i = 0; i < 4; i++)
		if (fds[i] != CONTROL_FD)               /* no FIFO: not taken over */
			assert_false(passes(fds[i]));
}

static void the_channel_comes_along(void **state)
{
	struct init *in = *state;
	char path[128];
	int fd, queue, family;

	(void)snprintf(path, sizeof path, "%s/fifo", fake_root_dir());
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(dup2(fd, CONTROL_FD), CONTROL_FD);
	in->control.fd = CONTROL_FD;
	assert_int_equal(kept_save(in), 0);
	assert_true(take(&next, &queue, &family));
	assert_int_equal(next.control.fd, CONTROL_FD);
	assert_true(next.control.has_more);
	assert_false(passes(CONTROL_FD));
}

/* --- what cannot be used --- */

static unsigned char record[RECORD_MAX];
static ssize_t record_len;

static void read_record(void)
{
	record_len = pread(KEPT_FD, record, sizeof record, 0);
	assert_true(record_len > AT_CONSOLE && record_len < RECORD_MAX);
}

static void write_record(bool with_checksum)
{
	uint32_t sum = num_hash(record + AT_CHECKED, (size_t)record_len - AT_CHECKED);

	if (with_checksum)
		memcpy(record + AT_CHECKSUM, &sum, sizeof sum);
	assert_int_equal(pwrite(KEPT_FD, record, (size_t)record_len, 0), record_len);
}

static bool can_be_taken(void)
{
	int queue, family;
	bool taken = take(&next, &queue, &family);

	if (!taken) {
		assert_int_equal(queue, -1);
		assert_int_equal(family, -1);
	}
	return taken;
}

static void one_changed_bit_is_noticed(void **state)
{
	struct init *in = *state;

	fill(in);
	assert_int_equal(kept_save(in), 0);
	read_record();
	for (ssize_t at = 0; at < record_len; at++) {
		record[at] ^= (unsigned char)(1 << at % 8);
		write_record(false);
		if (can_be_taken())
			fail_msg("byte %zd was changed and believed", at);
		record[at] ^= (unsigned char)(1 << at % 8);
	}
	write_record(false);
	assert_true(can_be_taken());
}

static void nothing_and_too_little_are_no_state(void **state)
{
	struct init *in = *state;

	assert_false(can_be_taken());                   /* empty */
	assert_int_equal(kept_save(in), 0);
	read_record();
	for (off_t len = record_len - 1; len >= 0; len -= len > 64 ? 61 : 1) {
		assert_int_equal(ftruncate(KEPT_FD, len), 0);
		assert_false(can_be_taken());
	}
	close(KEPT_FD);
	assert_false(can_be_taken());
	assert_int_equal(dup2(open("/dev/zero", O_RDONLY), KEPT_FD), KEPT_FD);
	assert_false(can_be_taken());
}

static void another_version_is_no_state(void **state)
{
	struct init *in = *state;

	for (ssize_t at = 0; at < 12; at += 4) {
		assert_int_equal(kept_save(in), 0);
		read_record();
		record[at]++;
		write_record(true);
		assert_false(can_be_taken());
	}
}

static void values_that_cannot_be_are_no_state_whatever_the_checksum_says(void **state)
{
	static const struct {
		int at;
		unsigned char value;
	} bad[] = {
		{ AT_PHASE, PHASE_NONE }, { AT_PHASE, PHASE_COUNT }, { AT_PHASE + 3, 0x80 },
		{ AT_NOW, 0 }, { AT_NOW, 'x' }, { AT_WANTED, 0 }, { AT_WANTED, 'N' }, { AT_PREVIOUS, 0 },
		{ AT_PREVIOUS, 'x' }, { AT_DEMAND, 'D' }, { AT_DEMAND, 'a' }, { AT_BOOT_LEVEL, 'x' }, { AT_BOOT_LEVEL, '#' },
		{ AT_BOOT_ARG, 'x' }, { AT_BOOT_ARG, '*' }, { AT_STOP + 7, 0x80 },
	};
	static const struct {
		int at;
		unsigned char value;
	} good[] = {
		{ AT_NOW, '#' }, { AT_NOW, '*' }, { AT_NOW, 'S' }, { AT_PREVIOUS, 'N' }, { AT_DEMAND, 0 }, { AT_DEMAND, 'A' },
		{ AT_BOOT_LEVEL, 0 }, { AT_BOOT_ARG, 0 }, { AT_BOOT_LEVEL, 'S' }, { AT_STOP, 0 },
	};
	struct init *in = *state;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(kept_save(in), 0);
		read_record();
		record[bad[i].at] = bad[i].value;
		write_record(true);
		if (can_be_taken())
			fail_msg("%#x at byte %d was believed", bad[i].value, bad[i].at);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(kept_save(in), 0);
		read_record();
		record[good[i].at] = good[i].value;
		write_record(true);
		assert_true(can_be_taken());
	}
	memset(record + AT_CONSOLE, 'x', CONSOLE_NAME_MAX);
	write_record(true);
	assert_false(can_be_taken());
}

static void descriptors_that_are_not_open_are_none(void **state)
{
	static const int32_t bad[] = { -1, 99, INT32_MAX, INT32_MIN };
	struct init *in = *state;
	int queue, family;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(kept_save(in), 0);
		read_record();
		for (int at = 0; at < 3; at++)
			memcpy(record + AT_QUEUE + 4 * at, &bad[i], sizeof bad[i]);
		write_record(true);
		assert_true(take(&next, &queue, &family));
		assert_int_equal(queue, -1);
		assert_int_equal(family, -1);
		assert_int_equal(next.control.fd, -1);
	}
}

static void whatever_call_fails_it_is_told_and_nothing_is_left_open(void **state)
{
	struct init *in = *state;
	int before, nth = 0;
	bool fired;

	before = fds_open();
	do {
		fault_arm(++nth, -EMFILE);
		close(KEPT_FD);
		assert_int_equal(kept_open(in) != 0, nth <= 3);         /* memfd, dup2, close-on-exec */
		fired = fault_fired();
		assert_true(fds_open() <= before);
	} while (fired);
	for (nth = 1, fired = true; fired; nth++) {
		int err;

		fault_arm(nth, -EIO);
		err = kept_save(in);
		fired = fault_fired();
		assert_int_equal(err, fired ? -EIO : 0);
	}
	in->kept_fd = -1;
	assert_int_equal(kept_save(in), -EBADF);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_was_saved_is_taken),
		CASE(what_another_init_told_is_read_but_for_what_only_we_know),
		CASE(descriptors_pass_an_exec_only_between_saving_and_taking),
		CASE(the_channel_comes_along),
		CASE(one_changed_bit_is_noticed),
		CASE(nothing_and_too_little_are_no_state),
		CASE(another_version_is_no_state),
		CASE(values_that_cannot_be_are_no_state_whatever_the_checksum_says),
		CASE(descriptors_that_are_not_open_are_none),
		CASE(whatever_call_fails_it_is_told_and_nothing_is_left_open),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
