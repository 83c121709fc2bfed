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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "fake/terminals.h"
#include "lib/audience.h"

enum { COUNT = 4 };
static struct terminal terminal[COUNT];
static struct audience audience;

static int set_up(void **state)
{
	(void)state;
	terminals_open(terminal, COUNT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	terminals_close();
	return 0;
}

static void seat_is(size_t i, const struct terminal *expected)
{
	struct stat st;

	assert_true(i < audience.count);
	assert_string_equal(audience.seat[i].path, expected->path);
	assert_int_equal(fstat(expected->slave, &st), 0);
	assert_int_equal(audience.seat[i].device, st.st_rdev);
}

static void gather(void)
{
	memset(&audience, 0xa5, sizeof audience);
	assert_int_equal(audience_gather(&audience, terminals_utmp()), 0);
}

static void who_is_logged_in_has_a_seat_with_and_without_dev(void **state)
{
	(void)state;
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[0].line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[1].path, "b");
	gather();
	assert_int_equal(audience.count, 2);
	seat_is(0, &terminal[0]);
	seat_is(1, &terminal[1]);
}

static void other_records_have_none(void **state)
{
	(void)state;
	for (int type = -1; type < 12; type++)
		if (type != UTMP_USER_PROCESS)
			utmp_add(type, getpid(), terminal[0].line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[1].line, "");
	gather();
	assert_int_equal(audience.count, 0);
}

static void a_terminal_has_one_seat_however_often_it_is_named(void **state)
{
	(void)state;
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[0].line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[0].path, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[0].line, "b");
	gather();
	assert_int_equal(audience.count, 1);
}

static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

/* The session behind a dead one on the same terminal counts. */
static void a_session_whose_process_is_gone_has_none(void **state)
{
	pid_t dead = dead_pid();

	(void)state;
	utmp_add(UTMP_USER_PROCESS, dead, terminal[0].line, "a");
	utmp_add(UTMP_USER_PROCESS, dead, terminal[1].line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[1].line, "b");
	utmp_add(UTMP_USER_PROCESS, 0, terminal[2].line, "c");
	utmp_add(UTMP_USER_PROCESS, -1, terminal[3].line, "d");
	gather();
	assert_int_equal(audience.count, 3);
	for (size_t i = 0; i < 3; i++)
		seat_is(i, &terminal[i + 1]);
}

static void what_is_no_terminal_below_dev_has_none(void **state)
{
	char line[64];

	(void)state;
	snprintf(line, sizeof line, "../dev/%s", terminal[0].line);
	utmp_add(UTMP_USER_PROCESS, getpid(), line, "a");
	snprintf(line, sizeof line, "/dev/../dev/%s", terminal[0].line);
	utmp_add(UTMP_USER_PROCESS, getpid(), line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), ":0", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "pts", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "null", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "zero", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "tty", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "ptmx", "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), "/etc/passwd", "a");
	gather();
	assert_int_equal(audience.count, 0);
}

/* Without a NUL behind it: the user's name follows in the record. */
static void a_line_that_fills_its_field_ends_there(void **state)
{
	char line[40];

	(void)state;
	snprintf(line, sizeof line, "%0*d", 32 - (int)strlen(terminal[0].line) - 1, 0);
	memset(line, '/', strlen(line));
	memcpy(line, "/dev/", 5);
	while (strlen(line) + strlen(terminal[0].line) < 32)
		strcat(line, "/");
	strcat(line, terminal[0].line);
	assert_int_equal(strlen(line), 32);
	utmp_add(UTMP_USER_PROCESS, getpid(), line, "0123");
	gather();
	assert_int_equal(audience.count, 1);
	assert_string_equal(audience.seat[0].path, line);
}

static void no_utmp_is_an_error_and_no_audience(void **state)
{
	(void)state;
	assert_int_equal(audience_gather(&audience, "/tmp/no such file"), -ENOENT);
	assert_int_equal(audience.count, 0);
	assert_int_equal(audience_gather(&audience, "/dev/null"), -EINVAL);
}

static void a_read_error_keeps_what_was_found(void **state)
{
	(void)state;
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[0].line, "a");
	utmp_add(UTMP_USER_PROCESS, getpid(), terminal[1].line, "a");
	fault_name_after("pread", 2, -EIO);
	assert_int_equal(audience_gather(&audience, terminals_utmp()), -EIO);
	assert_true(fault_fired());
	assert_int_equal(audience.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_logged_in_has_a_seat_with_and_without_dev, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_records_have_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_terminal_has_one_seat_however_often_it_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_session_whose_process_is_gone_has_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_terminal_below_dev_has_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_that_fills_its_field_ends_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_utmp_is_an_error_and_no_audience, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_read_error_keeps_what_was_found, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
