/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "fake/sys.h"
#include "process/relay.h"

static char path[] = "/tmp/relay_test.XXXXXX";
static struct logbook book;
static struct relay relay;
static int console[2];

static int begin(void **state)
{
	int fd;

	(void)state;
	fault_clear();
	strcpy(path, "/tmp/relay_test.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || close(fd) || pipe2(console, O_NONBLOCK | O_CLOEXEC) || logbook_begin(&book, path, false))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	relay = (struct relay){ .book = &book, .console = console[1] };
	return 0;
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	logbook_drop(&book);
	if (console[0] >= 0)
		close(console[0]);
	close(console[1]);
	return unlink(path);
}

static const char *logged(void)
{
	static char text[512];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof text - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static const char *shown(void)
{
	static char text[512];
	ssize_t len = read(console[0], text, sizeof text - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static int run(const char *script, int *status)
{
	char *argv[] = { (char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c", (char *)(uintptr_t)script, NULL };
	int code;

	assert_int_equal(relay_run(&relay, argv, &code, status), 0);
	return code;
}

static void both_get_what_a_program_says(void **state)
{
	int status;

	(void)state;
	assert_int_equal(run("echo out; echo err >&2; exit 7", &status), CLD_EXITED);
	assert_int_equal(status, 7);
	assert_string_equal(logged(), "out\nerr\n");
	assert_string_equal(shown(), "out\nerr\n");
	assert_int_equal(run("kill -9 $$", &status), CLD_KILLED);
	assert_int_equal(status, 9);
}

static void marks_are_for_the_console_alone(void **state)
{
	int status;

	(void)state;
	relay.strips = true;
	run("printf 'a\\001b\\002c'", &status);
	assert_string_equal(logged(), "ac");
	assert_string_equal(shown(), "a\1b\2c");
}

static void without_a_reader_the_console_is_given_up_and_the_log_goes_on(void **state)
{
	int status;

	(void)state;
	close(console[0]);
	console[0] = -1;
	run("echo one; sleep 0.1; echo two", &status);
	assert_int_equal(relay.console, -1);
	assert_string_equal(logged(), "one\ntwo\n");
}

static void one_who_is_left_behind_is_not_waited_for(void **state)
{
	int status;

	(void)state;
	assert_int_equal(run("sleep 100000 & echo $!", &status), CLD_EXITED);
	assert_true(atoi(logged()) > 1);
	assert_int_equal(kill(atoi(logged()), SIGKILL), 0);
}

static void a_descriptor_is_copied_to_its_end(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "text", 4), 4);
	close(fds[1]);
	assert_int_equal(relay_copy(&relay, fds[0]), 0);
	assert_string_equal(logged(), "text");
	close(fds[0]);
	assert_int_equal(relay_copy(&relay, -1), -EBADF);
}

static void what_cannot_be_started_leaves_nothing_open(void **state)
{
	char *argv[] = { (char *)(uintptr_t)"true", NULL };
	int code, status, before = fds_open();
	static const char *const calls[] = { "sigmask", "signalfd", "pipe", "fork" };

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		fault_name(calls[i], -EMFILE);
		assert_int_equal(relay_run(&relay, argv, &code, &status), -EMFILE);
		assert_int_equal(fds_open(), before);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(both_get_what_a_program_says),
		CASE(marks_are_for_the_console_alone),
		CASE(without_a_reader_the_console_is_given_up_and_the_log_goes_on),
		CASE(one_who_is_left_behind_is_not_waited_for),
		CASE(a_descriptor_is_copied_to_its_end),
		CASE(what_cannot_be_started_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
