/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/sys.h"
#include "terminal/su_watch.h"

enum { FIRST = 40000, LINES = 3 };

struct scene {
	struct su_house house;
	struct su_watched watched;
	int master[LINES];
	sigset_t old;
};

/* Children that do not exist: what they are told is noted, what becomes of them is made up. */
static int begin(void **state)
{
	static struct scene scene;

	memset(&scene, 0, sizeof scene);
	sigprocmask(SIG_SETMASK, NULL, &scene.old);
	scene.house.first_deadline = MONO_NEVER;
	scene.house.signal_fd = su_signals_take(&scene.house.mask);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(openpty(&scene.master[i], &scene.house.consoles.at[i].fd, NULL, NULL, NULL), 0);
	scene.house.consoles.count = LINES;
	fake_processes(FIRST);
	*state = &scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;

	fault_clear();
	fake_processes(0);
	for (int i = 0; i < LINES; i++) {
		close(scene->master[i]);
		close(scene->house.consoles.at[i].fd);
	}
	sys_close(scene->house.signal_fd);
	sigprocmask(SIG_SETMASK, &scene->old, NULL);
	return 0;
}

/* Runs it with the ends that were made up; the bell rings for them beforehand. */
static void watch(struct scene *scene)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	raise(SIGCHLD);
	su_watch(&scene->house, &scene->watched);
}

static void nobody_but_its_own_living_children_is_signalled(void)
{
	const struct fake_kill *kill;
	int kills = fake_kills(&kill);

	for (int i = 0; i < kills; i++) {
		assert_true(kill[i].pid >= FIRST);
		assert_true(kill[i].pid < FIRST + fake_forks());
	}
}

static void what_the_doors_say_is_what_comes_of_it(void **state)
{
	static const struct {
		enum su_end ends[LINES], what;
	} rows[] = {
		{ { SU_LEFT, SU_HUNG_UP, SU_TIMED_OUT }, SU_LEFT },
		{ { SU_HUNG_UP, SU_HUNG_UP, SU_HUNG_UP }, SU_HUNG_UP },
		{ { SU_HUNG_UP, SU_TIMED_OUT, SU_HUNG_UP }, SU_TIMED_OUT },
		{ { SU_TIMED_OUT, SU_LOCKED, SU_HUNG_UP }, SU_LOCKED },
		{ { SU_NO_SHELL, SU_NO_SHELL, SU_HUNG_UP }, SU_HUNG_UP },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fake_processes(FIRST);
		for (int child = 0; child < LINES; child++)
			fake_end(FIRST + child, CLD_EXITED, (int)rows[i].ends[child]);
		watch(scene);
		assert_int_equal(scene->watched.end, rows[i].what);
		assert_false(scene->watched.has_shell);
		nobody_but_its_own_living_children_is_signalled();
	}
}

/* A failed fork gave a pid of -1 that was signalled later: everybody. */
static void a_fork_that_fails_is_no_pid(void **state)
{
	struct scene *scene = *state;
	const struct fake_kill *kill;

	fault_name_after("fork", 1, -EAGAIN);
	fake_end(FIRST, CLD_EXITED, SU_LEFT);
	watch(scene);
	assert_int_equal(fake_forks(), 1);
	assert_int_equal(scene->watched.end, SU_LEFT);
	assert_int_equal(fake_kills(&kill), 0);
}

static void orphans_that_end_are_nobodys_doors(void **state)
{
	struct scene *scene = *state;
	const struct fake_kill *kill;

	fake_end(7, CLD_EXITED, SU_LEFT);
	fake_end(8, CLD_KILLED, SIGKILL);
	for (int child = 0; child < LINES; child++)
		fake_end(FIRST + child, CLD_EXITED, SU_HUNG_UP);
	watch(scene);
	assert_int_equal(scene->watched.end, SU_HUNG_UP);
	assert_int_equal(fake_kills(&kill), 0);
}

static void a_pipe_that_cannot_be_had_costs_its_console_only(void **state)
{
	struct scene *scene = *state;
	int before = fds_open();

	fault_name_after("pipe", 2, -EMFILE);
	fake_end(FIRST, CLD_EXITED, SU_TIMED_OUT);
	fake_end(FIRST + 1, CLD_KILLED, SIGKILL);
	watch(scene);
	assert_int_equal(fake_forks(), 2);
	assert_int_equal(scene->watched.end, SU_TIMED_OUT);
	assert_int_equal(fds_open(), before);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_the_doors_say_is_what_comes_of_it),
		CASE(a_fork_that_fails_is_no_pid),
		CASE(orphans_that_end_are_nobodys_doors),
		CASE(a_pipe_that_cannot_be_had_costs_its_console_only),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
