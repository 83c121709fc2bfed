/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/logline.h"

static char folder[40], dev[50], path[60];
static int daemon_fd;

static void daemon_bind(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	daemon_fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	strcpy(at.sun_path, path);
	assert_int_equal(bind(daemon_fd, (struct sockaddr *)&at, sizeof at), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(daemon_fd, 4), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/logline_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(dev, sizeof dev, "%s/dev", folder);
	snprintf(path, sizeof path, "%s/log", dev);
	assert_int_equal(mkdir(dev, 0700), 0);
	fake_root(folder);
	fake_own_pid(77);
	fake_clock_set(0, 1700000000LL * 1000000000);
	setenv("TZ", "CET-1", 1);
	daemon_fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	fake_root(NULL);
	fake_own_pid(0);
	fake_clock_set(-1, -1);
	close(daemon_fd);
	unlink(path);
	rmdir(dev);
	rmdir(folder);
	return 0;
}

static void got(int fd, const char *expected, size_t len)
{
	char text[2048];

	assert_int_equal(recv(fd, text, sizeof text, 0), len);
	assert_memory_equal(text, expected, len);
}

#define HEAD "<13>Nov 14 23:13:20 wall[77]: "

static void a_line_is_that_of_syslog_3(void **state)
{
	int before;

	(void)state;
	daemon_bind(SOCK_DGRAM);
	before = fds_open();
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, "h\303\251llo\n\33"), 0);
	got(daemon_fd, HEAD "h\303\251llo^J^[", sizeof HEAD "h\303\251llo^J^[" - 1);
	assert_int_equal(fds_open(), before);
}

static void a_stream_gets_a_frame_that_ends_in_nul(void **state)
{
	int fd;

	(void)state;
	daemon_bind(SOCK_STREAM);
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, "text"), 0);
	fd = accept(daemon_fd, NULL, NULL);
	got(fd, HEAD "text", sizeof HEAD "text");
	close(fd);
	fault_arm(5, 5);        /* the first send says 5 bytes and swallows them */
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, "text"), 0);
	assert_true(fault_fired());
	fd = accept(daemon_fd, NULL, NULL);
	got(fd, &(HEAD "text")[5], sizeof HEAD "text" - 5);
	close(fd);
}

static void a_long_line_is_cut_before_a_character(void **state)
{
	char text[2000], expected[LOGLINE_FRAME_MAX] = HEAD;
	size_t room = LOGLINE_FRAME_MAX - strlen(HEAD);

	(void)state;
	daemon_bind(SOCK_DGRAM);
	memset(text, 'x', room - 1);
	strcpy(text + room - 1, "\303\244");
	memcpy(expected + strlen(HEAD), text, room - 1);
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, text), 0);
	got(daemon_fd, expected, LOGLINE_FRAME_MAX - 1);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	expected[LOGLINE_FRAME_MAX - 1] = 'x';
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, text), 0);
	got(daemon_fd, expected, LOGLINE_FRAME_MAX);
}

static void nobody_there_is_said_at_once(void **state)
{
	(void)state;
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, "text"), -ENOENT);
	daemon_bind(SOCK_DGRAM);
	close(daemon_fd);
	assert_int_equal(logline_send("wall", LOG_USER | LOG_NOTICE, "text"), -ECONNREFUSED);
}

/* Would it wait, nothing would end this test. */
static void a_stopped_syslogd_is_not_waited_for(void **state)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	(void)state;
	for (int i = 0; i < 2; i++) {
		int lines = 0, err, before;

		daemon_bind(types[i]);
		before = fds_open();
		do
			err = logline_send("wall", LOG_USER | LOG_NOTICE, "text");
		while (!err && ++lines < 100000);
		assert_int_equal(err, -EAGAIN);
		assert_true(lines > 0);
		assert_int_equal(fds_open(), before);
		close(daemon_fd);
		unlink(path);
	}
}

static void every_failure_is_told_and_leaves_nothing_open(void **state)
{
	int nth = 0, before, err;

	(void)state;
	daemon_bind(SOCK_STREAM);
	before = fds_open();
	for (;;) {
		fault_arm(++nth, -EIO);
		err = logline_send("wall", LOG_USER | LOG_NOTICE, "text");
		assert_int_equal(fds_open(), before);
		if (!fault_fired())
			break;
		assert_int_equal(err, -EIO);
	}
	assert_int_equal(err, 0);
	assert_int_equal(nth, 6);       /* two sockets, two connections, a send */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_that_of_syslog_3, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stream_gets_a_frame_that_ends_in_nul, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_line_is_cut_before_a_character, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_there_is_said_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stopped_syslogd_is_not_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_failure_is_told_and_leaves_nothing_open, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
