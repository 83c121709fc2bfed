/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/console_writer.h"

static int master, fds[2];
static char path[64];
static struct console_writer console;

static int begin(void **state)
{
	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, path, sizeof path))
		return -1;
	console_writer_make(&console, path, -1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return -1;
	console.socket = fds[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	fake_clock_set(-1, -1);
	close(master);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int write_text(const char *text, size_t *written)
{
	*written = 0;
	return console_writer_ops.write(&console, text, strlen(text), written);
}

static void bytes_reach_the_terminal(void **state)
{
	uint64_t device = 0;
	size_t written;
	char got[16];
	struct stat st;

	(void)state;
	assert_int_equal(console_writer_ops.open(&console, &device), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(device, st.st_rdev);
	assert_int_equal(write_text("hello", &written), 0);
	assert_int_equal(written, 5);
	assert_int_equal(read(master, got, sizeof got), 5);
	assert_int_equal(console_writer_ops.sync(&console), 0);
	console_writer_ops.close(&console);
}

static void what_is_no_terminal_is_refused(void **state)
{
	uint64_t device = 5;

	(void)state;
	console.path = "/dev/null";
	assert_int_equal(console_writer_ops.open(&console, &device), -ENOTTY);
	console.path = "/nonexistent";
	assert_int_equal(console_writer_ops.open(&console, &device), -ENOENT);
	assert_int_equal(device, 5);
	assert_int_equal(console.fd, -1);
}

/* Fills the terminal until it takes no more; the end of the other side is then noticed, and its last half second given. */
static void a_stopped_terminal_is_given_up_when_the_other_end_is_gone(void **state)
{
	static char many[65536];
	uint64_t device;
	size_t written = 0;

	(void)state;
	memset(many, 'x', sizeof many);
	assert_int_equal(console_writer_ops.open(&console, &device), 0);
	close(fds[0]);
	fds[0] = -1;
	assert_int_equal(console_writer_ops.write(&console, many, sizeof many, &written), -ETIMEDOUT);
	assert_true(written > 0 && written < sizeof many);
	assert_true(console.is_last);
	console_writer_ops.close(&console);
}

static void a_terminal_that_hung_up_is_told(void **state)
{
	uint64_t device;
	size_t written;

	(void)state;
	assert_int_equal(console_writer_ops.open(&console, &device), 0);
	close(master);
	master = -1;
	assert_int_equal(write_text("x", &written), -EIO);
	console_writer_ops.close(&console);
}

static void a_poll_that_promises_too_much_is_not_believed_for_ever(void **state)
{
	uint64_t device;
	size_t written;

	(void)state;
	assert_int_equal(console_writer_ops.open(&console, &device), 0);
	close(fds[0]);
	fds[0] = -1;
	fault_name("write", -EAGAIN);
	assert_int_equal(write_text("x", &written), -ETIMEDOUT);
	assert_true(fault_calls() < 200);
	fault_clear();
	console_writer_ops.close(&console);
}

static void a_line_that_moves_no_more_is_flushed_before_the_close(void **state)
{
	uint64_t device;

	(void)state;
	fake_no_pauses();
	assert_int_equal(console_writer_ops.open(&console, &device), 0);
	fault_name("unsent_bytes", 12);
	console_writer_ops.close(&console);
	assert_true(fake_pauses_ms() >= WRITER_LAST_MS && fake_pauses_ms() <= 2 * WRITER_LAST_MS);
	fault_clear();
	fake_processes(0);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		uint64_t device;

		fault_arm(++nth, -EIO);
		if (!console_writer_ops.open(&console, &device))
			console_writer_ops.close(&console);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_reach_the_terminal, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_terminal_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_stopped_terminal_is_given_up_when_the_other_end_is_gone, begin, end),
		cmocka_unit_test_setup_teardown(a_terminal_that_hung_up_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_poll_that_promises_too_much_is_not_believed_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(a_line_that_moves_no_more_is_flushed_before_the_close, begin, end),
		cmocka_unit_test_setup_teardown(every_failure_leaves_nothing_open, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
