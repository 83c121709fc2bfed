/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/load.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(report_open(in), 0);
	in->level.phase = PHASE_LOAD;
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* The loader has started, written these bytes, and ended. */
static void ended(struct init *in, const char *bytes, size_t len, int err)
{
	int before = fds_open();

	assert_int_equal(load_prepare(in), 0);
	assert_int_equal(write(in->load_fd, bytes, len), (ssize_t)len);
	load_ended(in, err);
	assert_int_equal(in->load_fd, -1);
	/* The family's memfd may be new. */
	assert_true(fds_open() <= before + 1);
}

static void the_memfd_is_new_for_each_reading(void **state)
{
	struct init *in = *state;
	int before = fds_open();

	assert_int_equal(load_prepare(in), 0);
	assert_int_equal(fcntl(in->load_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(in->load_fd, "x", 1), 1);
	assert_int_equal(load_prepare(in), 0);
	assert_int_equal(lseek(in->load_fd, 0, SEEK_END), 0);
	assert_int_equal(fds_open(), before + 1);
	fault_name("memfd", -EMFILE);
	assert_int_equal(load_prepare(in), -EMFILE);
	fault_clear();
	assert_int_equal(in->load_fd, -1);
	assert_int_equal(fds_open(), before);
}

static void a_good_table_is_adopted(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_LOADER);
	job_tend(in, mono_now());
	fake_loader_ends(in, "a:2:respawn:x\n", 0);
	chld_handler(in);
	assert_non_null(fake_entry(in, "a"));
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_int_equal(in->load_fd, -1);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void a_refused_table_leaves_the_one_in_use(void **state)
{
	static const struct {
		int err;
		const char *why;
	} cases[] = {
		{ EISDIR, "Is a directory" }, { ENOENT, "No such file or directory" },
		{ -ETIMEDOUT, "reading it takes too long" }, { -EINTR, "its reader died" },
	};
	struct init *in = *state;
	char text[128];

	fake_adopt(in, "old:2:respawn:x\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		in->level.phase = PHASE_LOAD;
		ended(in, "", 0, cases[i].err);
		(void)snprintf(text, sizeof text, "/etc/inittab: %s; the table in use stays", cases[i].why);
		assert_string_equal(fake_said(in, SINK_CONSOLE), text);
		assert_non_null(fake_entry(in, "old"));
		assert_int_equal(in->level.phase, PHASE_STEADY);
	}
}

static void a_refused_table_is_better_than_none(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_LOADER);
	job_tend(in, mono_now());
	fake_loader_ends(in, "~~:S:wait:/sbin/sulogin\n", ENOENT);
	chld_handler(in);
	assert_int_equal(in->family.count, 1);
	assert_null(fake_said(in, SINK_CONSOLE));       /* the loader said it */
	assert_int_equal(in->level.phase, PHASE_STEADY);
}

static void a_damaged_image_is_refused_whatever_the_loader_says(void **state)
{
	struct init *in = *state;
	char garbage[4096];
	unsigned seed = 5;

	fake_adopt(in, "old:2:respawn:x\n");
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof garbage; i++)
			garbage[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
		in->level.phase = PHASE_LOAD;
		ended(in, garbage, seed % sizeof garbage, 0);
		assert_true(fake_has_said(in, SINK_CONSOLE, "the table in use stays"));
		assert_non_null(fake_entry(in, "old"));
		assert_int_equal(in->level.phase, PHASE_STEADY);
	}
}

static void without_any_table_there_is_a_shell_for_root(void **state)
{
	static const int errors[] = { 0, EIO, -ETIMEDOUT };

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct init *in = fake_init_begin();

		in->level.phase = PHASE_LOAD;
		ended(in, "garbage", 7, errors[i]);
		assert_true(fake_has_said(in, SINK_CONSOLE, "/etc/inittab: "));
		assert_int_equal(in->family.count, 1);
		assert_string_equal(in->family.entry[0].id, "~~");
		assert_string_equal(family_process(&in->family, in->family.entry), "/sbin/sulogin");
		assert_int_equal(in->level.phase, PHASE_STEADY);
		fake_init_end(in);
	}
}

static void reading_is_due_again(struct init *in)
{
	assert_int_equal(in->family.count, 0);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_true(fake_has_said(in, SINK_CONSOLE, ", trying again"));
	assert_int_equal(in->load_fd, -1);
	fake_pass_ms(LOAD_RETRY_S * 1000);
	job_tend(in, mono_now());
	assert_true(in->job[JOB_LOADER].pid > 0);
}

static void at_boot_a_failure_of_our_own_is_tried_again_a_few_times(void **state)
{
	struct init *in = *state;

	job_want(in, JOB_LOADER);
	job_tend(in, mono_now());
	for (int i = 0; i < LOAD_RETRIES; i++) {
		fake_loader_ends(in, "a:2:respawn:x\n", 0);
		fault_name("seals", -ENOMEM);
		chld_handler(in);
		fault_clear();
		reading_is_due_again(in);
	}
	fake_loader_ends(in, "a:2:respawn:x\n", 0);
	chld_handler(in);
	assert_non_null(fake_entry(in, "a"));
	assert_int_equal(in->level.phase, PHASE_STEADY);
}

static void and_so_is_a_reader_that_died_until_it_is_one_too_many(void **state)
{
	struct init *in = *state;

	for (int i = 0; i < LOAD_RETRIES; i++) {
		ended(in, "", 0, -EINTR);
		reading_is_due_again(in);
		in->job[JOB_LOADER].pid = 0;
	}
	ended(in, "", 0, -EINTR);
	assert_true(fake_has_said(in, SINK_CONSOLE, "/etc/inittab: its reader died"));
	assert_string_equal(in->family.entry[0].id, "~~");
	assert_int_equal(in->level.phase, PHASE_STEADY);
}

static void whatever_call_fails_there_is_a_table_or_a_word(void **state)
{
	struct init *in = *state;
	int nth = 0, before;
	bool fired;

	fake_adopt(in, "old:2:respawn:x\n");
	before = fds_open();
	do {
		in->level.phase = PHASE_LOAD;
		assert_int_equal(load_prepare(in), 0);
		in->job[JOB_LOADER].pid = sys_fork();
		fake_loader_ends(in, "old:2:respawn:x\nnew:2:respawn:x\n", 0);
		in->job[JOB_LOADER].pid = 0;
		fault_arm(++nth, -ENOMEM);
		load_ended(in, 0);
		fired = fault_fired();
		assert_non_null(fake_entry(in, "old"));
		assert_int_equal(fake_entry(in, "new") == NULL,
			fake_has_said(in, SINK_CONSOLE, "the table in use stays"));
		assert_int_equal(in->level.phase, PHASE_STEADY);
		assert_int_equal(fds_open(), before);
		fake_adopt(in, "old:2:respawn:x\n");
	} while (fired);
	assert_true(nth > 5);
}

static void a_fallback_that_cannot_be_had_is_said(void **state)
{
	struct init *in = *state;

	fault_name("memfd", -ENOMEM);
	load_fallback(in);
	fault_clear();
	assert_true(fake_has_said(in, SINK_CONSOLE, "no table at all: "));
	assert_int_equal(in->family.count, 0);
	load_fallback(in);
	assert_int_equal(in->family.count, 1);
}

/* --- the real loader --- */

static void load(struct init *in)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	in->level.phase = PHASE_LOAD;
	in->level.is_halted = true;                     /* nothing of the table is to be started here */
	job_want(in, JOB_LOADER);
	do {
		job_tend(in, mono_now());               /* has its deadline of 10 s */
		sys_poll(NULL, 0, 5);
		chld_handler(in);
	} while (in->job[JOB_LOADER].pid);
	report_read(in);
}

static void a_real_inittab_is_read_and_its_faults_are_said(void **state)
{
	struct init *in = *state;

	fake_file("/etc/inittab", "a:2:respawn:/bin/x\nbad line\nid:2:initdefault:\ns:S:wait:y\n", 0644);
	fake_file("/etc/inittab.d/one.tab", "b:2:once:/bin/y\n", 0644);
	fake_file("/proc/cmdline", "quiet init.autocon=1 console=ttyS0,115200\n", 0444);
	load(in);
	assert_string_equal(family_process(&in->family, fake_entry(in, "a")), "/bin/x");
	assert_non_null(fake_entry(in, "b"));
	assert_non_null(fake_entry(in, "S0"));
	assert_true(fake_has_said(in, SINK_CONSOLE, "/etc/inittab[2]: "));
	assert_int_equal(unlink(strcat(strcpy((char[200]){ 0 }, fake_root_dir()), "/etc/inittab")), 0);
	load(in);
	assert_true(fake_has_said(in, SINK_CONSOLE, "the table in use stays"));
	assert_non_null(fake_entry(in, "a"));
}

static void an_inittab_that_is_a_fifo_is_refused(void **state)
{
	struct init *in = *state;
	char path[160];

	fake_adopt(in, "old:2:respawn:x\n");
	fake_file("/etc/other", "", 0644);
	(void)snprintf(path, sizeof path, "%s/etc/inittab", fake_root_dir());
	assert_int_equal(mkfifo(path, 0644), 0);
	load(in);
	assert_true(fake_has_said(in, SINK_CONSOLE, "the table in use stays"));
	assert_non_null(fake_entry(in, "old"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_memfd_is_new_for_each_reading),
		CASE(a_good_table_is_adopted),
		CASE(a_refused_table_leaves_the_one_in_use),
		CASE(a_refused_table_is_better_than_none),
		CASE(a_damaged_image_is_refused_whatever_the_loader_says),
		cmocka_unit_test(without_any_table_there_is_a_shell_for_root),
		CASE(at_boot_a_failure_of_our_own_is_tried_again_a_few_times),
		CASE(and_so_is_a_reader_that_died_until_it_is_one_too_many),
		CASE(whatever_call_fails_there_is_a_table_or_a_word),
		CASE(a_fallback_that_cannot_be_had_is_said),
		CASE(a_real_inittab_is_read_and_its_faults_are_said),
		CASE(an_inittab_that_is_a_fifo_is_refused),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
