/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/sys.h"
#include "terminal/su_account.h"
#include "terminal/su_consoles.h"
#include "terminal/su_line.h"
#include "terminal/su_shell.h"

/* What a child has to do with the other end of a terminal; its exit status is what the test judges. */
struct place {
	int master, slave;
};

static int run(int (*work)(const struct place *), char *said, size_t size)
{
	struct place place;
	size_t len = 0;
	ssize_t got;
	int status;
	pid_t pid;

	assert_int_equal(openpty(&place.master, &place.slave, NULL, NULL, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(place.master);
		alarm(60);
		_exit(work(&place));
	}
	close(place.slave);
	/* A terminal that nobody has open any more gives an error. */
	while (len + 1 < size && (got = read(place.master, said + len, size - len - 1)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(place.master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int takes_it_as_a_group_leader(const struct place *place)
{
	if (setpgid(0, 0))
		return 1;
	su_shell_take_session(place->slave);
	return getsid(0) != getpid() || tcgetpgrp(place->slave) != getpid();
}

static int takes_it_as_a_session_leader(const struct place *place)
{
	setsid();
	if (su_shell_needs_child(place->slave))
		return 2;
	su_shell_take_session(place->slave);
	return getsid(0) != getpid() || tcgetpgrp(place->slave) != getpid();
}

static int leaves_it_where_it_is_in_the_foreground(const struct place *place)
{
	pid_t leader = setsid(), child;
	int status;

	if (ioctl(place->slave, TIOCSCTTY, 0))
		return 1;
	child = fork();
	if (!child) {
		su_shell_take_session(place->slave);
		_exit(getsid(0) != leader || tcgetpgrp(place->slave) != leader);
	}
	return waitpid(child, &status, 0) != child || status != 0;
}

static int needs_a_child_when_it_has_another_terminal(const struct place *place)
{
	int master, other;

	setsid();
	if (openpty(&master, &other, NULL, NULL, NULL) || ioctl(other, TIOCSCTTY, 0))
		return 1;
	return !su_shell_needs_child(place->slave) || su_shell_needs_child(other);
}

static void the_console_becomes_the_terminal_of_whoever_asks(void **state)
{
	char said[100];

	(void)state;
	assert_int_equal(run(takes_it_as_a_group_leader, said, sizeof said), 0);
	assert_int_equal(run(takes_it_as_a_session_leader, said, sizeof said), 0);
	assert_int_equal(run(leaves_it_where_it_is_in_the_foreground, said, sizeof said), 0);
	assert_int_equal(run(needs_a_child_when_it_has_another_terminal, said, sizeof said), 0);
}

static int becomes(const struct place *place, const char *shell, const char *sushell, const char *home, bool is_login)
{
	struct su_console console = { .fd = place->slave };
	struct su_account account = { 0 };
	struct su_line line;
	sigset_t mask;

	sigemptyset(&mask);
	clearenv();
	setenv("SHLVL", "7", 1);
	if (sushell)
		setenv("SUSHELL", sushell, 1);
	strcpy(account.shell, shell);
	strcpy(account.home, home);
	if (su_line_begin(&line, &console))
		return 100;
	su_shell_execute(&account, &line, &mask, is_login, -1);
	return 101;
}

static int becomes_env(const struct place *place)
{
	return becomes(place, "/usr/bin/env", NULL, "/tmp", false);
}

static int becomes_env_by_login(const struct place *place)
{
	return becomes(place, "/bin/false", "/usr/bin/env", "/nowhere", true);
}

static void the_environment_is_roots(void **state)
{
	char said[4000];

	(void)state;
	assert_int_equal(run(becomes_env, said, sizeof said), 0);
	assert_non_null(strstr(said, "HOME=/tmp\r\n"));
	assert_non_null(strstr(said, "LOGNAME=root\r\n"));
	assert_non_null(strstr(said, "USER=root\r\n"));
	assert_non_null(strstr(said, "SHLVL=0\r\n"));
	assert_non_null(strstr(said, "TERM=linux\r\n"));
	assert_non_null(strstr(said, "SHELL=/usr/bin/env\r\n"));
	assert_int_equal(run(becomes_env_by_login, said, sizeof said), 0);
	assert_non_null(strstr(said, "SHLVL=7\r\n"));
	assert_non_null(strstr(said, "HOME=/\r\n"));
}

static int finds_none(const struct place *place)
{
	fake_root("/nowhere");
	return becomes(place, "/bin/a", NULL, "/", false);
}

static void no_shell_is_said_and_returned_from(void **state)
{
	char said[4000];

	(void)state;
	assert_int_equal(run(finds_none, said, sizeof said), 101);
	assert_non_null(strstr(said, "sulogin: change of working directory failed: No such file or directory\r\n\r"));
	assert_non_null(strstr(said, "/bin/a: No such file or directory\r\n\r/bin/sh: No such file or directory\r\n\r"
		"/bin/sash: No such file or directory\r\n\rsulogin: can not execute su shell.\r\n\r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_console_becomes_the_terminal_of_whoever_asks),
		cmocka_unit_test(the_environment_is_roots),
		cmocka_unit_test(no_shell_is_said_and_returned_from),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
