/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { MUCH = 1 << 20 };

static int clear(void **state)
{
	(void)state;
	fault_clear();
	return 0;
}

static unsigned char byte_at(size_t at)
{
	return (unsigned char)(at * 31 + at / 251);
}

/* More than a pipe holds, so that both ends see pieces. */
static void a_pipe_takes_and_gives_all_of_it(void **state)
{
	unsigned char *bytes = malloc(MUCH + 1);
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		for (size_t i = 0; i < MUCH; i++)
			bytes[i] = byte_at(i);
		_exit(io_write_all(fds[1], bytes, MUCH) ? 1 : 0);
	}
	close(fds[1]);
	assert_int_equal(io_read_all(fds[0], bytes, MUCH + 1), MUCH);
	for (size_t i = 0; i < MUCH; i++)
		if (bytes[i] != byte_at(i))
			fail_msg("byte %zu", i);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(bytes);
}

static void no_more_is_read_than_was_asked_for(void **state)
{
	char buf[4] = "abc";
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "xyz", 3), 3);
	assert_int_equal(io_read_all(fds[0], buf, 2), 2);
	assert_string_equal(buf, "xyc");
	close(fds[0]);
	close(fds[1]);
}

static void an_interrupted_call_is_made_again(void **state)
{
	char buf[8];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fault_arm(1, -EINTR);
	assert_int_equal(io_write_all(fds[1], "xyz", 3), 0);
	assert_true(fault_fired());
	fault_arm(1, -EINTR);
	assert_int_equal(io_read_all(fds[0], buf, 3), 3);
	assert_true(fault_fired());
	assert_memory_equal(buf, "xyz", 3);
	close(fds[0]);
	close(fds[1]);
}

static void other_errors_are_told(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(io_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(io_read_all(-1, buf, 1), -EBADF);
	assert_int_equal(io_write_all(-1, "x", 0), 0);
	assert_int_equal(io_read_all(-1, buf, 0), 0);
	fault_name("write", -EAGAIN);
	assert_int_equal(io_write_all(1, "x", 1), -EAGAIN);
}

static void a_file_is_read_as_text(void **state)
{
	char path[] = "/tmp/io_test.XXXXXX", buf[16];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	assert_int_equal(io_read_file(path, buf, sizeof buf), 10);
	assert_string_equal(buf, "0123456789");
	assert_int_equal(io_read_file(path, buf, 5), 4);
	assert_string_equal(buf, "0123");
	assert_int_equal(io_read_file(path, buf, 1), 0);
	assert_string_equal(buf, "");
	unlink(path);
	assert_int_equal(io_read_file(path, buf, sizeof buf), -ENOENT);
	assert_int_equal(io_read_file("/", buf, sizeof buf), -EISDIR);
}

static void a_file_that_fails_is_closed(void **state)
{
	int before = fds_open(), nth = 0;
	ssize_t got;
	char buf[16];

	(void)state;
	while (fault_arm(++nth, -EIO), got = io_read_file("/proc/self/comm", buf, sizeof buf),
		fault_fired()) {
		assert_int_equal(got, -EIO);
		assert_int_equal(fds_open(), before);
	}
	assert_int_equal(nth, 4);
	assert_true(got > 0);
	assert_int_equal(fds_open(), before);
}

static void a_place_in_a_file_is_read_without_moving(void **state)
{
	char path[] = "/tmp/io_test.XXXXXX", buf[8] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(io_write_all(fd, "abcdef", 6), 0);
	assert_int_equal(io_read_at(fd, buf, 3, 2), 3);
	assert_memory_equal(buf, "cde", 3);
	assert_int_equal(io_read_at(fd, buf, sizeof buf, 0), 6);
	assert_int_equal(io_read_at(fd, buf, 1, 6), 0);
	assert_int_equal(io_read_all(fd, buf, 1), 0);
	fault_arm(1, -EINTR);
	assert_int_equal(io_read_at(fd, buf, 1, 5), 1);
	assert_true(fault_fired());
	fault_arm(1, -EIO);
	assert_int_equal(io_read_at(fd, buf, 1, 5), -EIO);
	close(fd);
}

static void a_number_is_reserved_whatever_had_it(void **state)
{
	enum { NUMBER = 77 };
	static const char *const calls[] = { "dup2", "set_cloexec" };
	int ends[2];
	char c;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], NUMBER), NUMBER);
	close(ends[1]);
	for (int i = 0; i < 2; i++) {
		io_reserve(NUMBER);
		assert_int_equal(fcntl(NUMBER, F_GETFD), FD_CLOEXEC);
	}
	assert_int_equal(read(ends[0], &c, 1), 0);      /* the writing end is closed */
	close(ends[0]);
	for (int i = 0; i < 2; i++) {
		fault_name(calls[i], -EIO);
		io_reserve(NUMBER);
		fault_clear();
		assert_int_equal(fcntl(NUMBER, F_GETFD), -1);
	}
}

static void the_end_of_a_child_is_waited_for(void **state)
{
	siginfo_t end;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(5);
	fault_arm(1, -EINTR);
	assert_int_equal(io_wait_child(pid, &end), 0);
	assert_true(fault_fired());
	assert_int_equal(end.si_code, CLD_EXITED);
	assert_int_equal(end.si_status, 5);
	assert_int_equal(io_wait_child(pid, &end), -ECHILD);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, clear)
	const struct CMUnitTest tests[] = {
		CASE(a_pipe_takes_and_gives_all_of_it),
		CASE(no_more_is_read_than_was_asked_for),
		CASE(an_interrupted_call_is_made_again),
		CASE(other_errors_are_told),
		CASE(a_place_in_a_file_is_read_without_moving),
		CASE(a_file_is_read_as_text),
		CASE(a_file_that_fails_is_closed),
		CASE(a_number_is_reserved_whatever_had_it),
		CASE(the_end_of_a_child_is_waited_for),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
