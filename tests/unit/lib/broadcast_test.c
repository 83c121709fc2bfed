/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake/sys.h"
#include "fake/terminals.h"
#include "lib/broadcast.h"

enum { LONG_MS = 30000 };

static struct broadcast message;

static void stdin_is(int fd)
{
	assert_int_equal(dup2(fd, 0), 0);
}

static int set_up(void **state)
{
	int null = open("/dev/null", O_RDWR);

	(void)state;
	setenv("TZ", "", 1);
	stdin_is(null);
	close(null);
	message.len_bytes = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	return 0;
}

static void message_is(const char *expected, size_t len)
{
	assert_int_equal(message.len_bytes, len);
	assert_memory_equal(message.bytes, expected, len);
}

/* --- the banner --- */

static void banner_is(const char *user, const char *tty, const char *date)
{
	struct utsname node;
	char expected[400];

	assert_int_equal(uname(&node), 0);
	snprintf(expected, sizeof expected, "\r\nBroadcast message from %s@%s %s(%s):\r\n\r\n", user, node.nodename,
		tty, date);
	message_is(expected, strlen(expected));
}

static void a_banner_names_user_host_terminal_and_date(void **state)
{
	struct terminal terminal;
	char tty[40];

	(void)state;
	broadcast_begin(&message, "somebody", 1700000000);
	banner_is("somebody", "", "Tue Nov 14 22:13:20 2023");
	terminals_open(&terminal, 1);
	snprintf(tty, sizeof tty, "(%s) ", terminal.line);
	stdin_is(terminal.slave);
	setenv("TZ", "CET-1", 1);
	broadcast_begin(&message, "root", 1701385200);
	terminals_close();
	banner_is("root", tty, "Fri Dec  1 00:00:00 2023");
}

static void a_date_that_ctime_has_not_is_a_blank(void **state)
{
	(void)state;
	broadcast_begin(&message, "x", INT64_MAX);
	banner_is("x", "", " ");
	broadcast_begin(&message, "x", 253402300799);
	banner_is("x", "", "Fri Dec 31 23:59:59 9999");
	broadcast_begin(&message, "x", 253402300800);
	banner_is("x", "", " ");
}

static void a_host_without_name_is_unknown(void **state)
{
	static const char expected[] = "\r\nBroadcast message from x@[unknown] (Thu Jan  1 00:00:00 1970):\r\n\r\n";

	(void)state;
	fault_name("uname", -EFAULT);
	broadcast_begin(&message, "x", 0);
	message_is(expected, sizeof expected - 1);
}

static void a_users_name_is_made_harmless_and_cut(void **state)
{
	(void)state;
	broadcast_begin(&message, "a\r\n\33b", 0);
	banner_is("a^M^J^[b", "", "Thu Jan  1 00:00:00 1970");
	broadcast_begin(&message, "0123456789012345678901234567890123456789", 0);
	banner_is("0123456789012345678901234567890", "", "Thu Jan  1 00:00:00 1970");
}

static void the_banner_of_remote_names_nobody(void **state)
{
	static const char expected[] = "\r\nRemote broadcast message (Thu Jan  1 00:00:00 1970):\r\n\r\n";

	(void)state;
	broadcast_begin_remote(&message, 0);
	message_is(expected, sizeof expected - 1);
}

/* --- text --- */

static void shows_bytes(const char *text, size_t len, const char *expected)
{
	message.len_bytes = 0;
	broadcast_add_text(&message, text, len);
	message_is(expected, strlen(expected));
}

static void shows(const char *text, const char *expected)
{
	shows_bytes(text, strlen(text), expected);
}

static void text_and_utf8_stay_as_they_are(void **state)
{
	static const char *const same[] = { "", "plain", "tab\tand\nline\r\n", "\303\200\303\237 \342\202\254 \360\237\230\200",
		"\302\240", "\342\200\215\342\200\247\342\200\257\342\201\245\342\201\252" };

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		shows(same[i], same[i]);
}

static void control_characters_are_shown(void **state)
{
	(void)state;
	shows_bytes("\0\1\33[2J\7\10\13\14\37\177", 12, "^@^A^[[2J^G^H^K^L^_^?");
	shows("\200\233", "^@^[");              /* C1 as single bytes */
	shows("\302\233" "31m", "^[31m");       /* and as UTF-8 */
	shows("\303(\377\355\240\200", "^C(^_^M^@^@");
	shows("\342\202", "^B^B");              /* cut off */
}

static void a_carriage_return_stays_only_before_a_newline(void **state)
{
	(void)state;
	shows("a\rb", "a^Mb");
	shows("a\r\r\nb\r", "a^M\r\nb^M");
}

static void what_turns_the_direction_or_breaks_the_line_is_a_question_mark(void **state)
{
	(void)state;
	shows("a\342\200\256b\342\201\246c\342\200\250d\342\200\251\342\200\252\342\201\251", "a?b?c?d???");
}

static void the_words_of_a_banner_are_marked_wherever_they_are(void **state)
{
	(void)state;
	shows("\r\nBroadcast message from root@host (Thu", "\r\n> Broadcast message from root@host (Thu");
	shows("  broadcast MESSAGE From", "  > broadcast MESSAGE From");
	shows("x\nRemote broadcast message (now)", "x\n> Remote broadcast message (now)");
	shows("Broadcast message fro", "Broadcast message fro");
	shows("\022emote broadcast message, \322EMOTE BROADCAST MESSAGE", "> ^Remote broadcast message, > ^REMOTE BROADCAST MESSAGE");
	shows("\002roadcast message from root", "> ^Broadcast message from root");
}

static void our_own_words_are_not_touched(void **state)
{
	(void)state;
	broadcast_add_own(&message, "\rThe system\33\r\n");
	message_is("\rThe system\33\r\n", 14);
}

static void a_full_message_is_cut_before_a_character(void **state)
{
	static char text[BROADCAST_MAX + 8];

	(void)state;
	memset(text, 'x', sizeof text);
	broadcast_add_text(&message, text, BROADCAST_MAX - 1);
	broadcast_add_text(&message, "\303\244", 2);
	assert_int_equal(message.len_bytes, BROADCAST_MAX - 1);
	broadcast_add_own(&message, "ab");
	assert_int_equal(message.len_bytes, BROADCAST_MAX - 1);
	broadcast_add_text(&message, "yz", 2);
	assert_int_equal(message.len_bytes, BROADCAST_MAX);
	assert_int_equal(message.bytes[BROADCAST_MAX - 1], 'y');
}

static void the_longest_text_has_room_in_its_longest_form(void **state)
{
	static char text[BROADCAST_TEXT_MAX];

	(void)state;
	broadcast_begin(&message, "0123456789012345678901234567890", 1700000000);
	memset(text, 1, sizeof text);
	broadcast_add_text(&message, text, sizeof text);
	assert_true(message.len_bytes > 2 * sizeof text);
	assert_memory_equal(message.bytes + message.len_bytes - 2, "^A", 2);
}

/* --- sending --- */

static void it_arrives_and_the_wait_ends(void **state)
{
	struct terminal terminal;
	char found[8];
	pid_t pid = 0;

	(void)state;
	terminals_open(&terminal, 1);
	utmp_add_all(&terminal, 1);
	broadcast_add_own(&message, "words\r\n");
	assert_int_equal(broadcast_start(&message, terminals_utmp(), &pid), 0);
	assert_true(pid > 0);
	assert_int_equal(broadcast_wait(pid, LONG_MS), 0);
	assert_int_equal(terminal_read(&terminal, found, 7), 7);
	assert_memory_equal(found, "words\r\n", 7);
	assert_int_equal(broadcast_wait(pid, LONG_MS), 0);      /* once more: it has ended */
	terminals_close();
}

static void a_wait_has_its_limit(void **state)
{
	struct terminal terminal;
	pid_t pid;

	(void)state;
	terminals_open(&terminal, 1);
	utmp_add_all(&terminal, 1);
	terminal_stop(&terminal);
	broadcast_add_own(&message, "words");
	assert_int_equal(broadcast_start(&message, terminals_utmp(), &pid), 0);
	assert_int_equal(broadcast_wait(pid, 100), -ETIMEDOUT);
	assert_int_equal(broadcast_wait(pid, LONG_MS), 0);
	terminals_close();
}

static void ignored_children_are_waited_for_too(void **state)
{
	struct terminal terminal;
	char found[8];
	pid_t pid;

	(void)state;
	terminals_open(&terminal, 1);
	utmp_add_all(&terminal, 1);
	signal(SIGCHLD, SIG_IGN);
	broadcast_add_own(&message, "words");
	assert_int_equal(broadcast_start(&message, terminals_utmp(), &pid), 0);
	assert_int_equal(broadcast_wait(pid, LONG_MS), 0);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(terminal_read(&terminal, found, 5), 5);
	terminals_close();
}

/* Stopped, so that the deliverer is there to be looked at. */
static void the_deliverer_has_nothing_of_the_caller(void **state)
{
	struct terminal terminal;
	int ends[2];
	char byte;
	pid_t pid;

	(void)state;
	terminals_open(&terminal, 1);
	utmp_add_all(&terminal, 1);
	terminal_stop(&terminal);
	assert_int_equal(pipe(ends), 0);
	signal(SIGTERM, SIG_IGN);
	broadcast_add_own(&message, "words");
	assert_int_equal(broadcast_start(&message, terminals_utmp(), &pid), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);   /* nobody else has the other end */
	assert_int_equal(getsid(pid), pid);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(broadcast_wait(pid, LONG_MS), 0);
	signal(SIGTERM, SIG_DFL);
	close(ends[0]);
	terminals_close();
}

static void without_a_process_it_is_delivered_here(void **state)
{
	struct terminal terminal;
	char found[8];
	pid_t pid = 7;

	(void)state;
	terminals_open(&terminal, 1);
	utmp_add_all(&terminal, 1);
	broadcast_add_own(&message, "words");
	fault_name("fork", -EAGAIN);
	assert_int_equal(broadcast_start(&message, terminals_utmp(), &pid), 0);
	assert_true(fault_fired());
	assert_int_equal(pid, 0);
	assert_int_equal(broadcast_wait(pid, 0), 0);
	assert_int_equal(terminal_read(&terminal, found, 5), 5);
	fault_name("fork", -EAGAIN);
	assert_int_equal(broadcast_start(&message, "/tmp/no such file", &pid), -ENOENT);
	fault_clear();
	terminals_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_banner_names_user_host_terminal_and_date, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_date_that_ctime_has_not_is_a_blank, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_host_without_name_is_unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_users_name_is_made_harmless_and_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_banner_of_remote_names_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_and_utf8_stay_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(control_characters_are_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_carriage_return_stays_only_before_a_newline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_turns_the_direction_or_breaks_the_line_is_a_question_mark, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_words_of_a_banner_are_marked_wherever_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_own_words_are_not_touched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_message_is_cut_before_a_character, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_longest_text_has_room_in_its_longest_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_arrives_and_the_wait_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wait_has_its_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ignored_children_are_waited_for_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_deliverer_has_nothing_of_the_caller, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_process_it_is_delivered_here, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
