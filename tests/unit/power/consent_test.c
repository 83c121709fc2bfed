/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "include/paths.h"
#include "lib/utmpfile.h"
#include "power/consent.h"

static const pid_t nobody = 0x3fffffff;         /* above what kernels give */

static void log_in(const char *user, const char *line, pid_t pid, int type)
{
	struct utmp_record record = { .type = (int16_t)type, .pid = pid };

	utmp_set_text(record.user, sizeof record.user, user);
	utmp_set_text(record.line, sizeof record.line, line);
	tree_put_bytes(UTMP_PATH, &record, sizeof record);
}

/* Whose lines are what: tests/system/shutdown_access.py has real ones, which need root. */
static void without_a_list_everybody_may(void **state)
{
	(void)state;
	tree_dir("/etc");
	assert_true(consent_is_given());
}

static void a_list_that_cannot_be_read_lets_nobody(void **state)
{
	(void)state;
	tree_dir(SHUTDOWN_ALLOW_PATH);
	assert_false(consent_is_given());
	fault_name("open", -EACCES);
	assert_false(consent_is_given());
}

static void without_a_utmp_nobody_is_there(void **state)
{
	(void)state;
	tree_put(SHUTDOWN_ALLOW_PATH, "alice\n");
	assert_false(consent_is_given());
}

static bool given(const char *list)
{
	tree_put(SHUTDOWN_ALLOW_PATH, list);
	return consent_is_given();
}

static void who_is_listed_and_at_a_console_may(void **state)
{
	(void)state;
	tree_dir("/dev");
	if (mknod(tree_path("/dev/tty1"), S_IFCHR | 0600, makedev(4, 1)) ||
		mknod(tree_path("/dev/ttyS0"), S_IFCHR | 0600, makedev(4, 64)))
		skip();
	tree_put("/dev/plain", "");
	log_in("alice", "tty1", getpid(), UTMP_USER_PROCESS);
	assert_true(given("alice\n"));
	assert_true(given("alice"));
	assert_true(given("# comment\n\nbob\n alice \t\r\n"));
	assert_false(given("alic\nalicex\n#alice\n"));
	assert_false(given(""));
	log_in("root", "tty1", getpid(), UTMP_USER_PROCESS);
	assert_true(given(""));
	log_in("root", "ttyS0", getpid(), UTMP_USER_PROCESS);
	assert_false(given(""));
	log_in("root", "plain", getpid(), UTMP_USER_PROCESS);
	assert_false(given(""));
	log_in("root", "../dev/tty1", getpid(), UTMP_USER_PROCESS);
	assert_false(given(""));
	log_in("root", "tty1", getpid(), UTMP_DEAD_PROCESS);
	assert_false(given(""));
	log_in("", "tty1", getpid(), UTMP_USER_PROCESS);
	assert_false(given("\n"));
	/* A record that outlived its login. */
	log_in("root", "tty1", nobody, UTMP_USER_PROCESS);
	assert_false(given(""));
	log_in("root", "tty1", 0, UTMP_USER_PROCESS);
	assert_false(given(""));
}

static void more_names_than_32_count_and_more_than_fit_are_refused(void **state)
{
	static char list[70000];

	(void)state;
	tree_dir("/dev");
	if (mknod(tree_path("/dev/tty1"), S_IFCHR | 0600, makedev(4, 1)))
		skip();
	log_in("alice", "tty1", getpid(), UTMP_USER_PROCESS);
	for (int i = 0; i < 100; i++)
		strcat(list, "bob\n");
	strcat(list, "alice\n");
	assert_true(given(list));
	memset(list + strlen(list), '\n', sizeof list - 1 - strlen(list));
	assert_false(given(list));
}

static void the_refusal_waits_for_no_console(void **state)
{
	(void)state;
	tree_dir("/dev");
	consent_tell_refusal();
	assert_false(tree_has(CONSOLE_PATH));
	assert_int_equal(mkfifo(tree_path(CONSOLE_PATH), 0600), 0);
	consent_tell_refusal();
	unlink(tree_path(CONSOLE_PATH));
	tree_put(CONSOLE_PATH, "");
	consent_tell_refusal();
	assert_string_equal(tree_get(CONSOLE_PATH), "\rshutdown: no authorized users logged in.\r\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(without_a_list_everybody_may),
		CASE(a_list_that_cannot_be_read_lets_nobody),
		CASE(without_a_utmp_nobody_is_there),
		CASE(who_is_listed_and_at_a_console_may),
		CASE(more_names_than_32_count_and_more_than_fit_are_refused),
		CASE(the_refusal_waits_for_no_console),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
