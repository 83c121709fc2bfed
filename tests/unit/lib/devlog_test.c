/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/devlog.h"
#include "lib/sys.h"

static struct sockaddr_un address;

static int bind_to(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof address.sun_path, "/tmp/devlog_test.%d", (int)getpid());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	unlink(address.sun_path);
	return 0;
}

static void the_kind_of_the_socket_is_found_out(void **state)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = -1, at = bind_to(types[i]);
		bool is_stream = !i;

		assert_int_equal(devlog_connect(&address, &fd, &is_stream), 0);
		assert_int_equal(is_stream, i);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
		close(at);
	}
}

static void a_failure_touches_nothing_and_leaves_nothing_open(void **state)
{
	int before = fds_open(), at, fd = -7, nth = 0;
	bool is_stream = true;

	(void)state;
	assert_int_equal(devlog_connect(&address, &fd, &is_stream), -ENOENT);
	at = bind_to(SOCK_STREAM);
	for (;;) {
		fault_arm(++nth, -EACCES);
		if (!devlog_connect(&address, &fd, &is_stream))
			break;
		assert_true(fault_fired());
		assert_int_equal(fd, -7);
		assert_int_equal(fds_open(), before + 1);
	}
	assert_int_equal(nth, 5);       /* two sockets, two connections */
	fault_clear();
	close(fd);
	close(at);
	assert_int_equal(devlog_connect(&address, &fd, &is_stream), -ECONNREFUSED);
	assert_int_equal(fds_open(), before);
}

static void head_is(int priority, struct civil at, const char *tag, const char *expected)
{
	char out[DEVLOG_HEAD_MAX];
	size_t len = devlog_head(out, sizeof out, priority, at, tag);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, len);
}

static void the_head_has_priority_time_and_tag(void **state)
{
	static const char longest[] = "0123456789012345678901234567890123456789abcdefghijkl";

	(void)state;
	head_is(13, (struct civil){ 10, 2, 17, 5, 9 }, "wall[7]", "<13>Nov  2 17:05:09 wall[7]: ");
	head_is(191, (struct civil){ 0, 31, 0, 0, 0 }, "", "<191>Jan 31 00:00:00 : ");
	head_is(INT_MIN, (struct civil){ 11, 31, 23, 59, 59 }, longest,
		"<-2147483648>Dec 31 23:59:59 0123456789012345678901234567890123456789abcdefgh: ");
}

static void a_head_without_room_is_cut(void **state)
{
	char out[8] = "#######";

	(void)state;
	assert_int_equal(devlog_head(out, 7, 13, (struct civil){ 10, 2, 17, 5, 9 }, "x"), 6);
	assert_memory_equal(out, "<13>No\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_kind_of_the_socket_is_found_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_touches_nothing_and_leaves_nothing_open, set_up, tear_down),
		cmocka_unit_test(the_head_has_priority_time_and_tag),
		cmocka_unit_test(a_head_without_room_is_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
