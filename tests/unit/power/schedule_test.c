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
#include "include/paths.h"
#include "power/schedule.h"

#define NS INT64_C(1000000000)

static const struct schedule example = { .level = '6', .moment = { .mono = { 700 * NS } }, .user = "alice", .tty = "pts/1",
	.text = "new kernel \r\n" };

static void print(void *schedule)
{
	schedule_print(stdout, schedule, 123);
}

static void what_is_written_is_read(void **state)
{
	struct schedule wall = { .level = '0', .halt = ORDER_HALT_POWEROFF, .warn_only = true,
		.moment = { .is_wall = true, .wall_s = 12345 }, .user = "root" }, found;

	(void)state;
	tree_dir("/var/run");
	tree_put(SHUTDOWN_SCHEDULE_PATH, "left by another one");
	assert_int_equal(schedule_write(&example), 0);
	assert_int_equal(schedule_read(&found), 0);
	assert_int_equal(found.level, '6');
	assert_int_equal(found.halt, ORDER_HALT_UNSAID);
	assert_false(found.warn_only || found.moment.is_wall);
	assert_int_equal(found.moment.mono.ns, 700 * NS);
	assert_string_equal(found.user, "alice");
	assert_string_equal(found.tty, "pts/1");
	assert_string_equal(found.text, "new kernel \r\n");
	assert_int_equal(schedule_write(&wall), 0);
	assert_int_equal(schedule_read(&found), 0);
	assert_int_equal(found.halt, ORDER_HALT_POWEROFF);
	assert_true(found.warn_only && found.moment.is_wall);
	assert_int_equal(found.moment.wall_s, 12345);
	assert_string_equal(found.tty, "");
	assert_string_equal(found.text, "");
	schedule_remove();
	assert_false(tree_has(SHUTDOWN_SCHEDULE_PATH));
	assert_int_equal(schedule_read(&found), -ENOENT);
}

static void what_is_of_another_form_is_refused(void **state)
{
	static const char *const texts[] = { "", "\n", "level=6\n", "level=6 halt=0 warn=0 clock=0 at=x user=a tty=b\n",
		"level=6 halt=0 warn=0 clock=0 at=1 user=a tty=b" };
	struct schedule found;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		tree_put(SHUTDOWN_SCHEDULE_PATH, texts[i]);
		assert_int_equal(schedule_read(&found), -EINVAL);
	}
}

/* What somebody put there must not overrun or garble anything. */
static void a_long_one_is_cut(void **state)
{
	static char text[100000];
	struct schedule found;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	memcpy(text, "level=6 halt=9 warn=7 clock=3 at=1 user=a tty=b\n", 48);
	tree_put(SHUTDOWN_SCHEDULE_PATH, text);
	assert_int_equal(schedule_read(&found), 0);
	assert_in_range(strlen(found.text), 1000, sizeof found.text - 1);
}

static void a_person_is_told_what_when_and_by_whom(void **state)
{
	struct schedule schedule = example;

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	fake_clock_set(0, 0);
	assert_string_equal(tree_said(1, print, &schedule),
		"reboot scheduled for Thu Jan  1 00:11:40 1970, in 12 minutes, by alice on pts/1 (pid 123)\n"
		"message: new kernel\n");
	schedule = (struct schedule){ .level = '0', .halt = ORDER_HALT_POWEROFF, .moment = { .is_wall = true, .wall_s = 30 },
		.user = "root", .text = "a\033[2Jb\nc \r\n" };
	assert_string_equal(tree_said(1, print, &schedule),
		"power-off scheduled for Thu Jan  1 00:00:30 1970, in 1 minute, by root (pid 123)\n"
		"message: a^[[2Jb^Jc\n");
	schedule = (struct schedule){ .level = 'S', .warn_only = true, .moment = { .is_wall = true, .wall_s = -5 }, .user = "root" };
	assert_string_equal(tree_said(1, print, &schedule),
		"only a warning of runlevel S scheduled for Wed Dec 31 23:59:55 1969, in 0 minutes, by root (pid 123)\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_written_is_read),
		CASE(what_is_of_another_form_is_refused),
		CASE(a_long_one_is_cut),
		CASE(a_person_is_told_what_when_and_by_whom),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
