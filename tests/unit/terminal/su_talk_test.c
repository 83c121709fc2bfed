/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/systool.h"
#include "terminal/su_consoles.h"
#include "terminal/su_line.h"
#include "terminal/su_talk.h"

struct scene {
	int master;
	struct su_console console;
	struct su_line line;
	struct su_talk talk;
	sigset_t old;
};

static int begin(void **state)
{
	static struct scene scene;

	memset(&scene, 0, sizeof scene);
	assert_int_equal(openpty(&scene.master, &scene.console.fd, NULL, NULL, NULL), 0);
	assert_int_equal(sys_set_nonblocking(scene.console.fd), 0);
	assert_int_equal(su_line_begin(&scene.line, &scene.console), 0);
	assert_int_equal(su_line_listen(&scene.line), 0);
	scene.talk = (struct su_talk){ &scene.line, su_signals_take(&scene.old), MONO_NEVER, 0 };
	assert_true(scene.talk.signal_fd >= 0);
	*state = &scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;

	fault_clear();
	fake_clock_set(-1, -1);
	while (su_signals_next(scene->talk.signal_fd))
		;
	sys_sigmask(SIG_SETMASK, &scene->old, NULL);
	sys_close(scene->talk.signal_fd);
	if (scene->master >= 0)
		close(scene->master);
	close(scene->console.fd);
	return 0;
}

static void type(struct scene *scene, const char *keys, size_t len)
{
	assert_int_equal(write(scene->master, keys, len), (ssize_t)len);
}

static void answers(struct scene *scene, const char *keys, size_t len, const char *text)
{
	struct su_answer answer;

	type(scene, keys, len);
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_DONE);
	assert_string_equal(answer.text, text);
	assert_int_equal(answer.len_bytes, strlen(text));
	assert_false(answer.is_too_long);
}

#define KEYS(text) text, sizeof text - 1

static void each_key_does_what_it_says(void **state)
{
	struct scene *scene = *state;

	answers(scene, KEYS("abc\r"), "abc");
	answers(scene, KEYS("abc\n"), "abc");
	answers(scene, KEYS("\r"), "");
	answers(scene, KEYS("ab\bcd\177\177d\r"), "ad");
	answers(scene, KEYS("\b\177\r"), "");
	answers(scene, KEYS("abc\025d\r"), "d");
	answers(scene, KEYS("abc\0"), "abc");
	answers(scene, KEYS("\0\0a\r"), "a");
	answers(scene, KEYS("a\004\004b\r"), "ab");
	answers(scene, KEYS("\003\032\034\021\023\377\r"), "\003\032\034\021\023\377");
}

static void the_keys_that_were_used_are_kept(void **state)
{
	struct scene *scene = *state;

	answers(scene, KEYS("ab\b\025a\r"), "a");
	assert_int_equal(scene->line.erase, '\b');
	assert_int_equal(scene->line.kill, 025);
}

static void the_lines_own_keys_count_where_it_had_any(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;

	scene->line.found.c_cc[VERASE] = '#';
	scene->line.found.c_cc[VKILL] = '@';
	scene->line.found.c_cc[VEOF] = 030;
	answers(scene, KEYS("x@ac#b\r"), "ab");
	type(scene, KEYS("\030"));
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_LEFT);
	scene->line.is_serial = true;
	answers(scene, KEYS("a#b@\030\r"), "a#b@\030");
}

static void control_d_leaves_an_empty_line_alone(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;

	type(scene, KEYS("\004"));
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_LEFT);
	type(scene, KEYS("abc\025\004"));
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_LEFT);
}

static void more_than_fits_is_known_to_be_more(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;
	char keys[SU_ANSWER_BYTES + 1];

	memset(keys, 'k', sizeof keys);
	keys[SU_ANSWER_BYTES - 1] = '\r';
	type(scene, keys, SU_ANSWER_BYTES);
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_DONE);
	assert_int_equal(answer.len_bytes, SU_ANSWER_BYTES - 1);
	assert_false(answer.is_too_long);
	keys[SU_ANSWER_BYTES - 1] = 'k';
	keys[SU_ANSWER_BYTES] = '\r';
	type(scene, keys, sizeof keys);
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_DONE);
	assert_true(answer.is_too_long);
	keys[SU_ANSWER_BYTES] = 025;
	type(scene, keys, sizeof keys);
	answers(scene, KEYS("short\r"), "short");
}

static void the_deadline_ends_every_kind_of_waiting(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;
	static char much[1 << 20];              /* more than a terminal holds */

	scene->talk.deadline = mono_after_ms(mono_now(), 20);
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_TIMED_OUT);
	scene->talk.deadline = mono_after_ms(mono_now(), 20);
	assert_int_equal(su_talk_pause(&scene->talk, 3600000), SU_TIMED_OUT);
	memset(much, 'm', sizeof much - 1);
	scene->talk.deadline = mono_after_ms(mono_now(), 20);
	assert_int_equal(su_talk_say(&scene->talk, much), SU_TIMED_OUT);
	scene->talk.deadline = MONO_NEVER;
	assert_int_equal(su_talk_pause(&scene->talk, 1), SU_DONE);
}

static void a_hang_up_ends_it(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;

	close(scene->master);
	scene->master = -1;
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_HUNG_UP);
	assert_int_equal(su_talk_say(&scene->talk, "x"), SU_HUNG_UP);
	assert_int_equal(su_talk_pause(&scene->talk, 3600000), SU_HUNG_UP);
}

/* It would be the end of the machine. */
static void process_1_is_not_asked_to_end(void **state)
{
	sigset_t old, now;
	int fd;

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &old);
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, NULL);
	fake_own_pid(1);
	fd = su_signals_take(&now);
	fake_own_pid(0);
	assert_true(fd >= 0);
	sigprocmask(SIG_SETMASK, &old, &now);
	assert_false(sigismember(&now, SIGTERM) || sigismember(&now, SIGHUP));
	assert_true(sigismember(&now, SIGINT));
	sys_close(fd);
}

static void signals_of_keys_are_dropped_and_others_end_it(void **state)
{
	static const int of_keys[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTOU }, of_end[] = { SIGTERM, SIGUSR1, SIGUSR2 };
	struct scene *scene = *state;
	struct su_answer answer;

	for (size_t i = 0; i < sizeof of_keys / sizeof of_keys[0]; i++)
		raise(of_keys[i]);
	answers(scene, KEYS("abc\r"), "abc");
	for (size_t i = 0; i < sizeof of_end / sizeof of_end[0]; i++) {
		raise(of_end[i]);
		assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_SIGNALLED);
		assert_int_equal(scene->talk.signal, of_end[i]);
	}
	raise(SIGHUP);
	assert_int_equal(su_talk_pause(&scene->talk, 3600000), SU_HUNG_UP);
	assert_int_equal(su_signals_next(scene->talk.signal_fd), 0);
}

static void no_error_makes_it_spin_or_let_in(void **state)
{
	static const char *const calls[] = { "read", "write", "poll" };
	struct scene *scene = *state;
	struct su_answer answer;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		type(scene, KEYS("abc\r"));
		fault_name(calls[i], -EIO);
		if (!strcmp(calls[i], "write"))
			assert_int_equal(su_talk_say(&scene->talk, "x"), SU_HUNG_UP);
		else
			assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_HUNG_UP);
		fault_clear();
	}
}

/* Somebody has made the line canonical under us: Control-D then gives an end of file. */
static void an_end_of_file_leaves(void **state)
{
	struct scene *scene = *state;
	struct su_answer answer;

	assert_int_equal(sys_tcsetattr(scene->console.fd, &scene->line.found), 0);
	type(scene, KEYS("\004"));
	assert_int_equal(su_talk_ask(&scene->talk, &answer), SU_LEFT);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_key_does_what_it_says),
		CASE(the_keys_that_were_used_are_kept),
		CASE(the_lines_own_keys_count_where_it_had_any),
		CASE(control_d_leaves_an_empty_line_alone),
		CASE(more_than_fits_is_known_to_be_more),
		CASE(the_deadline_ends_every_kind_of_waiting),
		CASE(a_hang_up_ends_it),
		CASE(signals_of_keys_are_dropped_and_others_end_it),
		CASE(process_1_is_not_asked_to_end),
		CASE(no_error_makes_it_spin_or_let_in),
		CASE(an_end_of_file_leaves),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
