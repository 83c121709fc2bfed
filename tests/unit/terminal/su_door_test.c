/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/su_door.h"

static void who_is_let_in_without_a_password(void **state)
{
	static const struct {
		enum su_secret secret;
		bool plain, forced;
	} rows[] = {
		{ SU_SECRET_SET, false, false }, { SU_SECRET_BLANK, true, true }, { SU_SECRET_LOCKED, false, true },
		{ SU_SECRET_ABSENT, false, true }, { SU_SECRET_UNREADABLE, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct su_house house = { .account = { .secret = rows[i].secret } };

		assert_int_equal(su_door_is_open(&house), rows[i].plain);
		house.is_forced = true;
		assert_int_equal(su_door_is_open(&house), rows[i].forced);
	}
}

/* A door tended by a child; the test is the person. */
static enum su_end tended(enum su_secret secret, bool is_forced, int64_t timeout_s, const char *wait, const char *keys, char *said,
	size_t size)
{
	struct termios before, after;
	int master, slave, status;
	size_t len = 0;
	pid_t pid;

	memset(&before, 0, sizeof before);
	memset(&after, 0, sizeof after);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		static struct su_house house;
		struct su_console console = { .fd = slave, .name = "here" };
		int signal = 0;

		alarm(60);
		house.account.secret = secret;
		house.is_forced = is_forced;
		house.timeout_s = timeout_s;
		house.first_deadline = timeout_s ? mono_after_s(mono_now(), timeout_s) : MONO_NEVER;
		house.signal_fd = su_signals_take(&house.mask);
		_exit((int)su_door_tend(&house, &console, -1, &signal));
	}
	said[0] = '\0';
	while (!strstr(said, wait)) {
		struct pollfd fd = { master, POLLIN, 0 };
		ssize_t got;

		assert_int_equal(poll(&fd, 1, 60000), 1);
		got = read(master, said + len, size - len - 1);
		assert_true(got > 0);
		len += (size_t)got;
		said[len] = '\0';
	}
	assert_int_equal(write(master, keys, strlen(keys)), (ssize_t)strlen(keys));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_memory_equal(&before, &after, sizeof before);
	close(slave);
	close(master);
	return (enum su_end)WEXITSTATUS(status);
}

static void each_way_out_leaves_the_line_as_it_was(void **state)
{
	char said[2000];

	(void)state;
	assert_int_equal(tended(SU_SECRET_SET, false, 0, "continue): ", "\004", said, sizeof said), SU_LEFT);
	assert_non_null(strstr(said, "Give root password for maintenance\r\n\r(or type Control-D to continue): "));
	assert_int_equal(tended(SU_SECRET_BLANK, false, 0, "continue): ", "\004", said, sizeof said), SU_LEFT);
	assert_non_null(strstr(said, "Press enter for maintenance(or type Control-D to continue): "));
	assert_int_equal(tended(SU_SECRET_SET, true, 1, "Timed out.", "", said, sizeof said), SU_TIMED_OUT);
	assert_int_equal(tended(SU_SECRET_LOCKED, false, 0, "continue: ", "\r", said, sizeof said), SU_LOCKED);
	assert_int_equal(tended(SU_SECRET_LOCKED, false, 1, "continue: ", "", said, sizeof said), SU_LOCKED);
	assert_int_equal(tended(SU_SECRET_LOCKED, true, 0, "continue): ", "\004", said, sizeof said), SU_LEFT);
	assert_non_null(strstr(said, "no password is asked for"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_let_in_without_a_password),
		cmocka_unit_test(each_way_out_leaves_the_line_as_it_was),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
