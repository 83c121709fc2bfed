/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records/lines.h"

static struct lines lines;

/* A process writes the text into a pipe, so many bytes at a time. Its other end. */
static int text_from(const char *text, size_t len, size_t piece)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		for (size_t at = 0; at < len; at += piece)
			if (write(fds[1], text + at, len - at < piece ? len - at : piece) < 0)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	lines_init(&lines, fds[0]);
	return fds[0];
}

static void end(int fd)
{
	close(fd);
	assert_true(wait(NULL) > 0);
}

static void lines_come_with_their_numbers(void **state)
{
	static const char text[] = "one\n\nthree\0x\nfour";
	static const struct {
		const char *text;
		size_t len;
	} wanted[] = { { "one", 3 }, { "", 0 }, { "three\0x", 7 }, { "four", 4 } };

	(void)state;
	for (size_t piece = 1; piece < 8; piece++) {
		int fd = text_from(text, sizeof text - 1, piece);
		const char *line;
		size_t len;

		for (uint64_t i = 0; i < 4; i++) {
			assert_int_equal(lines_next(&lines, &line, &len), 1);
			assert_int_equal(len, wanted[i].len);
			assert_memory_equal(line, wanted[i].text, len);
			assert_int_equal(lines.number, i + 1);
		}
		assert_int_equal(lines_next(&lines, &line, &len), 0);
		assert_int_equal(lines_next(&lines, &line, &len), 0);
		end(fd);
	}
}

static void an_empty_text_has_no_line(void **state)
{
	int fd = text_from("", 0, 1);
	const char *line;
	size_t len;

	(void)state;
	assert_int_equal(lines_next(&lines, &line, &len), 0);
	end(fd);
}

static void a_line_too_long_is_refused(void **state)
{
	static char text[3 * LINES_LENGTH_MAX];
	const char *line;
	size_t len;
	int fd;

	(void)state;
	memset(text, 'x', sizeof text);
	text[0] = '\n';
	text[LINES_LENGTH_MAX + 1] = '\n';
	fd = text_from(text, sizeof text, 4096);
	assert_int_equal(lines_next(&lines, &line, &len), 1);
	assert_int_equal(lines_next(&lines, &line, &len), 1);
	assert_int_equal(len, LINES_LENGTH_MAX);
	assert_int_equal(lines_next(&lines, &line, &len), -EMSGSIZE);
	assert_int_equal(lines.number, 3);
	end(fd);
}

static void a_failure_to_read_is_told(void **state)
{
	const char *line;
	size_t len;

	(void)state;
	lines_init(&lines, -1);
	assert_int_equal(lines_next(&lines, &line, &len), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_with_their_numbers),
		cmocka_unit_test(an_empty_text_has_no_line),
		cmocka_unit_test(a_line_too_long_is_refused),
		cmocka_unit_test(a_failure_to_read_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
