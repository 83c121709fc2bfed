/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fake/record.h"
#include "records/history.h"

enum { LEVEL = 1, BOOT = 2, NEW_TIME = 3, OLD_TIME = 4, LOGIN_PROCESS = 6, USER = 7, DEAD = 8 };

static const char *const fates[] = { [FATE_ENDED] = "ended", [FATE_CRASHED] = "crash", [FATE_DOWN] = "down",
	[FATE_LOGGED_IN] = "on", [FATE_RUNNING] = "running", [FATE_GONE] = "gone", [FATE_UNKNOWN] = "?",
	[FATE_MOMENT] = "moment" };

static struct fake_file file;

static int set_up(void **state)
{
	(void)state;
	memset(&file, 0, sizeof file);
	file.layout = layout_native(false);
	return 0;
}

static void add(int type, const char *line, const char *user, int64_t s)
{
	fake_add(&file, type, 0, line, user, s);
}

static void boot(int64_t s)
{
	add(BOOT, "~", "reboot", s);
}

static void shut_down(int64_t s)
{
	add(LEVEL, "~~", "shutdown", s);
}

static void level(char c, int64_t s)
{
	fake_add(&file, LEVEL, c, "~", "runlevel", s);
}

static bool is_odd(void *context, const struct record *record)
{
	++*(int *)context;
	return record->pid % 2;
}

/* What is told of the records, newest first: "USER LINE FATE[ END]" each, a slash between two. */
static const char *told_as(const struct history_config *config)
{
	static char text[4096];
	struct history *history = history_new(config);

	assert_non_null(history);
	text[0] = '\0';
	for (size_t i = file.len / file.layout->bytes; i--;) {
		struct record record = fake_record(&file, i);
		struct happening what;
		struct text user = record_text(&record, TEXT_USER);
		size_t len = strlen(text);
		int shown = history_take(history, &record, &what);

		assert_true(shown >= 0);
		if (!shown)
			continue;
		snprintf(text + len, sizeof text - len, "%s%.*s %.*s %s", len ? "/" : "", (int)user.len, user.at,
			(int)what.line.len, what.line.at, fates[what.fate]);
		len = strlen(text);
		if (what.fate == FATE_ENDED || what.fate == FATE_CRASHED || what.fate == FATE_DOWN)
			snprintf(text + len, sizeof text - len, " %lld", (long long)what.end_s);
	}
	history_free(history);
	return text;
}

static const char *told(void)
{
	return told_as(&(struct history_config){ 0 });
}

static const char *told_all(void)
{
	return told_as(&(struct history_config){ .with_system = true });
}

static void a_session_ends_with_the_next_record_of_its_line(void **state)
{
	(void)state;
	add(USER, "tty1", "bob", 10);
	add(DEAD, "tty1", "", 20);
	add(DEAD, "tty1", "", 30);
	add(USER, "tty1", "eve", 40);
	add(USER, "tty1", "sue", 50);
	assert_string_equal(told(), "sue tty1 on/eve tty1 ended 50/bob tty1 ended 20");
}

static void lines_do_not_mix(void **state)
{
	(void)state;
	add(USER, "tty1", "bob", 10);
	add(USER, "tty10", "eve", 11);
	add(DEAD, "tty1", "", 20);
	assert_string_equal(told(), "eve tty10 on/bob tty1 ended 20");
}

static void a_crash_or_a_shutdown_ends_all(void **state)
{
	(void)state;
	boot(10);
	add(USER, "tty1", "bob", 20);
	boot(30);
	add(USER, "tty1", "eve", 40);
	shut_down(50);
	boot(60);
	add(USER, "tty1", "sue", 70);
	assert_string_equal(told(), "sue tty1 on/reboot system boot running/eve tty1 down 50/reboot system boot ended 50/"
		"bob tty1 crash 30/reboot system boot crash 30");
}

/* 3.11 has the first of two boots end at the shutdown of the second, or now. */
static void each_boot_has_its_own_end(void **state)
{
	(void)state;
	boot(10);
	boot(20);
	boot(30);
	shut_down(40);
	boot(50);
	boot(60);
	assert_string_equal(told(), "reboot system boot running/reboot system boot crash 60/reboot system boot ended 40/"
		"reboot system boot crash 30/reboot system boot crash 20");
}

static void levels_0_and_6_are_shutdowns(void **state)
{
	(void)state;
	boot(10);
	level('2', 11);
	add(USER, "tty1", "bob", 20);
	level('6', 30);
	boot(40);
	level('2', 41);
	assert_string_equal(told(), "reboot system boot running/bob tty1 down 30/reboot system boot ended 30");
	assert_string_equal(told_all(), "runlevel (to lvl 2) running/reboot system boot running/runlevel (to lvl 6) ended 41/"
		"bob tty1 down 30/runlevel (to lvl 2) ended 30/reboot system boot ended 30");
}

static void the_newest_shutdown_has_no_end(void **state)
{
	(void)state;
	boot(10);
	shut_down(20);
	assert_string_equal(told_all(), "shutdown system down ?/reboot system boot ended 20");
}

static void a_shutdown_ends_with_the_next_boot(void **state)
{
	(void)state;
	shut_down(20);
	boot(30);
	assert_string_equal(told_all(), "reboot system boot running/shutdown system down ended 30");
}

static void changes_of_the_clock_are_moments(void **state)
{
	(void)state;
	add(OLD_TIME, "|", "date", 10);
	add(NEW_TIME, "{", "date", 20);
	assert_string_equal(told_all(), "date new time moment/date old time moment");
	assert_string_equal(told(), "");
}

static void the_type_follows_from_line_and_user(void **state)
{
	(void)state;
	add(LEVEL, "~", "reboot", 10);          /* as old versions wrote it */
	add(0, "tty1", "bob", 20);              /* has a user and a line */
	add(USER, "tty1", "", 30);              /* has none: an end */
	add(LOGIN_PROCESS, "tty2", "LOGIN", 40);
	add(5, "", "getty", 50);
	add(DEAD, "tty3", "eve", 60);           /* dead all the same */
	assert_string_equal(told(), "bob tty1 ended 30/reboot system boot running");
}

static void ftp_and_uucp_lines_lose_their_number(void **state)
{
	(void)state;
	add(USER, "ftp123", "bob", 10);
	add(USER, "ftpd123", "eve", 10);
	add(USER, "uucp7", "sue", 10);
	add(USER, "ftp", "tim", 10);
	add(DEAD, "ftp123", "", 20);
	assert_string_equal(told(), "tim ftp on/sue uucp on/eve ftpd123 on/bob ftp ended 20");
}

static void who_may_be_logged_in_is_asked_for_the_last_alone(void **state)
{
	int asked = 0;
	struct history_config config = { .is_alive = is_odd, .context = &asked };

	(void)state;
	fake_add(&file, USER, 2, "tty1", "bob", 10);
	fake_add(&file, USER, 2, "tty1", "eve", 20);
	fake_add(&file, USER, 3, "tty2", "sue", 20);
	assert_string_equal(told_as(&config), "sue tty2 on/eve tty1 gone/bob tty1 ended 20");
	assert_int_equal(asked, 2);
}

static void of_btmp_each_record_stands_for_itself(void **state)
{
	struct history_config config = { .is_bad = true };

	(void)state;
	boot(5);
	add(LOGIN_PROCESS, "ssh:notty", "root", 10);
	add(DEAD, "ssh:notty", "", 20);
	assert_string_equal(told_as(&config), " ssh:notty ended 20/root ssh:notty ended 10/reboot ~ ended 5");
}

static void a_level_that_is_none_is_shown_as_such(void **state)
{
	(void)state;
	level('\0', 10);
	assert_string_equal(told_all(), "runlevel (to lvl ?) running");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_session_ends_with_the_next_record_of_its_line, set_up),
		cmocka_unit_test_setup(lines_do_not_mix, set_up),
		cmocka_unit_test_setup(a_crash_or_a_shutdown_ends_all, set_up),
		cmocka_unit_test_setup(each_boot_has_its_own_end, set_up),
		cmocka_unit_test_setup(levels_0_and_6_are_shutdowns, set_up),
		cmocka_unit_test_setup(the_newest_shutdown_has_no_end, set_up),
		cmocka_unit_test_setup(a_shutdown_ends_with_the_next_boot, set_up),
		cmocka_unit_test_setup(changes_of_the_clock_are_moments, set_up),
		cmocka_unit_test_setup(the_type_follows_from_line_and_user, set_up),
		cmocka_unit_test_setup(ftp_and_uucp_lines_lose_their_number, set_up),
		cmocka_unit_test_setup(who_may_be_logged_in_is_asked_for_the_last_alone, set_up),
		cmocka_unit_test_setup(of_btmp_each_record_stands_for_itself, set_up),
		cmocka_unit_test_setup(a_level_that_is_none_is_shown_as_such, set_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
