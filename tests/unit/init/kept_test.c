/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/kept.h"
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

/* What a new image finds; its own struct init is empty until then. */
static bool take(struct init *out, int *queue, int *family)
{
	memset(out, 0, sizeof *out);
	out->control.fd = -1;
	return kept_take(out, queue, family);
}

static bool is_passed_on(int fd)
{
	return !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void a_new_image_finds_what_the_old_one_saved(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	int queue, family;

	in->level.previous = '3';
	in->level.wanted = '5';
	in->level.phase = PHASE_TERM;
	in->level.demand = 'B';
	in->level.stop_s = 17;
	in->level.events = LEVEL_SIGNAL_HUP | LEVEL_SIGNAL_POWER_LOW;
	in->level.is_halted = true;
	in->crash_ns[2] = 12345;
	in->boot.level = 'S';
	in->is_console_missing = true;
	strcpy(in->console, "/dev/ttyS3");
	assert_int_equal(environ_set(&in->vars, "INIT_X=y"), 0);
	fake_adopt(in, "a:2:respawn:/bin/true\n");
	assert_int_equal(kept_save(in), 0);

	assert_true(take(next, &queue, &family));
	assert_int_equal(next->level.now, '2');
	assert_int_equal(next->level.previous, '3');
	assert_int_equal(next->level.wanted, '5');
	assert_int_equal(next->level.phase, PHASE_TERM);
	assert_int_equal(next->level.demand, 'B');
	assert_int_equal(next->level.stop_s, 17);
	assert_int_equal(next->level.events, LEVEL_SIGNAL_HUP | LEVEL_SIGNAL_POWER_LOW);
	assert_true(next->level.is_halted && next->level.did_boot && next->is_console_missing);
	assert_true(mono_is_never(next->level.deadline) && mono_is_never(next->level.reread_at));
	assert_int_equal(next->crash_ns[2], 12345);
	assert_int_equal(next->boot.level, 'S');
	assert_string_equal(next->console, "/dev/ttyS3");
	assert_memory_equal(&next->vars, &in->vars, sizeof in->vars);
	assert_int_equal(queue, queue_fd(in->log.queue));
	assert_int_equal(family, in->family.fd);
	free(next);
}

static void what_is_saved_passes_an_exec_and_is_withheld_after_one_that_failed(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:/bin/true\n");
	assert_false(is_passed_on(KEPT_FD));
	assert_int_equal(kept_save(in), 0);
	assert_true(is_passed_on(KEPT_FD) && is_passed_on(in->family.fd) &&
		is_passed_on(queue_fd(in->log.queue)));
	kept_withhold(in);
	assert_false(is_passed_on(KEPT_FD) || is_passed_on(in->family.fd) ||
		is_passed_on(queue_fd(in->log.queue)));
}

static void what_was_taken_does_not_pass_the_next_exec_by_itself(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	int queue, family;

	fake_adopt(in, "a:2:respawn:/bin/true\n");
	assert_int_equal(kept_save(in), 0);
	assert_true(take(next, &queue, &family));
	assert_int_equal(next->kept_fd, KEPT_FD);
	assert_false(is_passed_on(KEPT_FD) || is_passed_on(queue) || is_passed_on(family));
	free(next);
}

static void a_change_of_any_byte_is_noticed(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	struct stat st;
	int queue, family;

	assert_int_equal(kept_save(in), 0);
	assert_int_equal(fstat(KEPT_FD, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		unsigned char byte;

		assert_int_equal(pread(KEPT_FD, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(KEPT_FD, &byte, 1, at), 1);
		if (take(next, &queue, &family))
			fail_msg("byte %ld", (long)at);
		assert_int_equal(queue, -1);
		assert_int_equal(family, -1);
		byte ^= 0x10;
		assert_int_equal(pwrite(KEPT_FD, &byte, 1, at), 1);
	}
	assert_true(take(next, &queue, &family));
	free(next);
}

static void a_torn_state_is_none(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	struct stat st;
	int queue, family;

	assert_int_equal(kept_save(in), 0);
	assert_int_equal(fstat(KEPT_FD, &st), 0);
	for (off_t len = st.st_size - 1; len >= 0; len -= len > 64 ? 61 : 1) {
		assert_int_equal(ftruncate(KEPT_FD, len), 0);
		assert_false(take(next, &queue, &family));
	}
	close(KEPT_FD);
	assert_false(take(next, &queue, &family));
	free(next);
}

static void a_level_that_is_none_is_not_taken(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	int queue, family;

	in->level.now = 'x';
	assert_int_equal(kept_save(in), 0);
	assert_false(take(next, &queue, &family));
	in->level.now = '2';
	in->level.phase = PHASE_NONE;
	assert_int_equal(kept_save(in), 0);
	assert_false(take(next, &queue, &family));
	free(next);
}

static void every_failure_is_an_error(void **state)
{
	struct init *in = *state;
	int nth = 0;

	do {
		fault_arm(++nth, -EIO);
		assert_int_equal(kept_save(in), fault_fired() ? -EIO : 0);
		fault_arm(nth, -EIO);
		(void)!kept_save(in);
	} while (fault_fired());
	assert_true(nth > 1);
	in->kept_fd = -1;
	assert_int_equal(kept_save(in), -EBADF);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_new_image_finds_what_the_old_one_saved),
		CASE(what_is_saved_passes_an_exec_and_is_withheld_after_one_that_failed),
		CASE(what_was_taken_does_not_pass_the_next_exec_by_itself),
		CASE(a_change_of_any_byte_is_noticed),
		CASE(a_torn_state_is_none),
		CASE(a_level_that_is_none_is_not_taken),
		CASE(every_failure_is_an_error),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
