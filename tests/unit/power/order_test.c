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
#include "power/order.h"

enum { WORDS_MAX = 16 };

static struct order order;
static const char *const *words;
static int status;

static void take(void *unused)
{
	char *argv[WORDS_MAX] = { (char *)"/sbin/shutdown" };
	int argc = 1;

	(void)unused;
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	status = order_take(&order, argc, argv);
}

static const char *said;

static int taken(const char *const *given)
{
	words = given;
	said = tree_said(2, take, NULL);
	return status;
}
#define TAKE(...) taken((const char *const[]){ __VA_ARGS__, NULL })

static void the_level_is_that_of_the_last_letter(void **state)
{
	(void)state;
	assert_int_equal(TAKE("now"), 0);
	assert_int_equal(order.level, '1');
	assert_int_equal(TAKE("-r", "now"), 0);
	assert_int_equal(order.level, '6');
	assert_int_equal(TAKE("-h", "now"), 0);
	assert_int_equal(order.level, '0');
	assert_int_equal(TAKE("-hr", "now"), 0);
	assert_int_equal(order.level, '6');
	for (const char *level = "0156aAbBcCsS"; *level; level++) {
		const char text[] = { *level, 'x', '\0' };

		assert_int_equal(TAKE("-i", text, "now"), 0);
		assert_int_equal(order.level, *level);
	}
	assert_int_equal(TAKE("-i", "X", "now"), 1);
	assert_string_equal(said, "shutdown: `X': bad runlevel\n");
	assert_int_equal(TAKE("-i", "", "now"), 1);
	assert_string_equal(said, "shutdown: `': bad runlevel\n");
}

static void a_way_of_halting_goes_with_halting_only(void **state)
{
	(void)state;
	assert_int_equal(TAKE("-hP", "now"), 0);
	assert_int_equal(order.halt, ORDER_HALT_POWEROFF);
	assert_int_equal(TAKE("-hPH", "now"), 0);
	assert_int_equal(order.halt, ORDER_HALT_HALT);
	assert_int_equal(TAKE("-i0", "-P", "now"), 0);
	assert_int_equal(TAKE("-P", "now"), 1);
	assert_int_equal(strncmp(said, "shutdown: -H and -P flags can only be used along with -h flag.\nUsage:\t  shutdown ", 80), 0);
	assert_int_equal(TAKE("-hrH", "now"), 1);
}

static void without_init_there_is_only_down(void **state)
{
	(void)state;
	assert_int_equal(TAKE("-n", "-h", "now"), 0);
	assert_true(order.direct);
	assert_int_equal(TAKE("-n", "-r", "now"), 0);
	assert_int_equal(TAKE("-n", "now"), 1);
	assert_string_equal(said, "shutdown: can use \"-n\" for halt or reboot only.\r\n");
}

static void seconds_are_a_number(void **state)
{
	static const char *const bad[] = { "abc", "-1", "5x", "", "86401", "99999999999999999999" };

	(void)state;
	assert_int_equal(TAKE("now"), 0);
	assert_int_equal(order.stop_s, 3);
	assert_int_equal(TAKE("-t", "0", "now"), 0);
	assert_int_equal(order.stop_s, 0);
	assert_int_equal(TAKE("-t86400", "now"), 0);
	assert_int_equal(order.stop_s, 86400);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[64];

		assert_int_equal(TAKE("-t", bad[i], "now"), 1);
		(void)snprintf(text, sizeof text, "shutdown: -t %s: not a number of seconds\nUsage:", bad[i]);
		assert_int_equal(strncmp(said, text, strlen(text)), 0);
	}
}

static void no_time_or_a_bad_one_is_answered_with_the_usage(void **state)
{
	(void)state;
	assert_int_equal(TAKE("-h"), 1);
	assert_int_equal(strncmp(said, "Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time [warning message]\n", 64), 0);
	assert_int_equal(TAKE("soon"), 1);
	assert_int_equal(strncmp(said, "Usage:", 6), 0);
	assert_int_equal(TAKE("-g", "", "-r"), 1);
	assert_int_equal(TAKE("-Z", "now"), 1);
	assert_int_equal(TAKE("--help", "now"), 1);
}

/* text: what the message is then. */
static const struct row {
	const char *words[8];
	const char *text;
	int64_t minutes;
	char level;
} rows[] = {
	{ { "now" }, "", 0, '1' },
	{ { "5", "bye", "now" }, "bye now \r\n", 5, '1' },
	{ { "now", "-r" }, "", 0, '6' },
	{ { "5", "-r", "bye" }, "bye \r\n", 5, '6' },
	{ { "5", "-r", "bye", "-h", "-c" }, "bye -h -c \r\n", 5, '6' },
	{ { "--", "5", "-r" }, "-r \r\n", 5, '1' },
	{ { "5", "--", "-r" }, "-r \r\n", 5, '1' },
	{ { "-g", "5", "bye", "-r" }, "bye -r \r\n", 5, '1' },
	{ { "bye", "-g5", "-r" }, "bye \r\n", 5, '6' },
	{ { "bye", "-g5", "-r", "all" }, "bye all \r\n", 5, '6' },
	{ { "5", "" }, " \r\n", 5, '1' },
	{ { "5", "a\nb" }, "a\nb \r\n", 5, '1' },
};

static void words_behind_the_time_are_the_message(void **state)
{
	(void)state;
	unsetenv("POSIXLY_CORRECT");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(taken(rows[i].words), 0);
		assert_string_equal(order.text, rows[i].text);
		assert_int_equal(order.when.minutes, rows[i].minutes);
		assert_int_equal(order.level, rows[i].level);
	}
	setenv("POSIXLY_CORRECT", "1", 1);
	assert_int_equal(TAKE("now", "-r"), 0);
	assert_string_equal(order.text, "-r \r\n");
	assert_int_equal(order.level, '1');
	unsetenv("POSIXLY_CORRECT");
}

static void all_words_of_a_cancel_are_its_message(void **state)
{
	(void)state;
	assert_int_equal(TAKE("-c", "never", "mind"), 0);
	assert_true(order.cancel);
	assert_string_equal(order.text, "never mind \r\n");
	assert_int_equal(TAKE("now", "-c"), 0);
	assert_true(order.cancel);
	assert_string_equal(order.text, "now \r\n");
	assert_int_equal(TAKE("-c"), 0);
	assert_string_equal(order.text, "");
	assert_int_equal(TAKE("-nc"), 0);
}

static void a_message_that_is_cut_is_told(void **state)
{
	static char word[1000];

	(void)state;
	memset(word, 'w', sizeof word - 1);
	assert_int_equal(TAKE("5", word, word), 0);
	assert_string_equal(said, "");
	assert_int_equal(strlen(order.text), 2 * sizeof word + 2);
	assert_int_equal(TAKE("5", word, word, word), 0);
	assert_int_equal(strncmp(said, "shutdown: the message is too long, it ends before: www", 54), 0);
	assert_int_equal(strlen(order.text), 2 * sizeof word + 2);
}

static void each_other_letter_is_taken(void **state)
{
	(void)state;
	assert_int_equal(TAKE("-akfFyqh", "now"), 0);
	assert_true(order.ask_consent && order.warn_only && order.fast_boot && order.force_fsck);
	assert_int_equal(order.marks, COUNTDOWN_FEW);
	assert_int_equal(TAKE("-qQ", "now"), 0);
	assert_int_equal(order.marks, COUNTDOWN_NONE);
	assert_int_equal(TAKE("-Qq", "now"), 0);
	assert_int_equal(order.marks, COUNTDOWN_FEW);
}

static void each_level_is_named(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(order_aim('0', buf), "for system halt");
	assert_string_equal(order_aim('6', buf), "for reboot");
	assert_string_equal(order_aim('1', buf), "to maintenance mode");
	assert_string_equal(order_aim('S', buf), "to runlevel S");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(the_level_is_that_of_the_last_letter),
		CASE(a_way_of_halting_goes_with_halting_only),
		CASE(without_init_there_is_only_down),
		CASE(seconds_are_a_number),
		CASE(no_time_or_a_bad_one_is_answered_with_the_usage),
		CASE(words_behind_the_time_are_the_message),
		CASE(all_words_of_a_cancel_are_its_message),
		CASE(a_message_that_is_cut_is_told),
		CASE(each_other_letter_is_taken),
		CASE(each_level_is_named),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
