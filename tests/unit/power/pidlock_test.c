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
#include <sys/file.h>

#include "include/paths.h"
#include "lib/sys.h"
#include "power/pidlock.h"

/* Another process that does something with the files and says so, then lives until it is killed. */
struct other {
	pid_t pid;
	int fd;
};

static struct other other_begin(int (*act)(void))
{
	struct other other;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	other.pid = fork();
	assert_true(other.pid >= 0);
	if (!other.pid) {
		char result = (char)act();

		if (write(fds[1], &result, 1) == 1)
			pause();
		_exit(9);
	}
	close(fds[1]);
	other.fd = fds[0];
	return other;
}

static int other_result(struct other *other)
{
	signed char result;

	assert_int_equal(read(other->fd, &result, 1), 1);
	return result;
}

/* The signal that ended it. */
static int other_end(struct other *other, int signal)
{
	int status;

	if (signal)
		kill(other->pid, signal);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	close(other->fd);
	return WTERMSIG(status);
}

static int take_and_open(void)
{
	struct pidlock lock;
	int err = pidlock_take(&lock);

	pidlock_set_open(&lock, true);
	return err;
}

static int take_and_close(void)
{
	struct pidlock lock;

	return pidlock_take(&lock);
}

static int sleep_only(void)
{
	return 0;
}

static void one_takes_it_and_drops_it(void **state)
{
	int before = fds_open();
	struct pidlock lock;
	char text[32];

	(void)state;
	tree_dir("/var/run");
	assert_int_equal(pidlock_take(&lock), 0);
	(void)snprintf(text, sizeof text, "%d\n", (int)getpid());
	assert_string_equal(tree_get(SHUTDOWN_PID_PATH), text);
	pidlock_drop(&lock);
	assert_false(tree_has(SHUTDOWN_PID_PATH));
	assert_false(tree_has(SHUTDOWN_LOCK_PATH));
	assert_int_equal(fds_open(), before);
}

static void a_second_one_is_told_and_finds_the_first(void **state)
{
	struct other first;
	struct pidlock lock;
	pid_t owner;

	(void)state;
	tree_dir("/var/run");
	first = other_begin(take_and_open);
	assert_int_equal(other_result(&first), 0);
	assert_int_equal(pidlock_take(&lock), -EBUSY);
	assert_int_equal(pidlock_owner(&owner), 0);
	assert_int_equal(owner, first.pid);
	assert_int_equal(pidlock_signal(SIGUSR1), 0);
	assert_int_equal(other_end(&first, 0), SIGUSR1);
	/* It was ended without a chance to clean up: what it left means nothing. */
	assert_true(tree_has(SHUTDOWN_PID_PATH));
	assert_int_equal(pidlock_owner(&owner), -ESRCH);
	assert_int_equal(pidlock_signal(SIGUSR1), -ESRCH);
	assert_int_equal(pidlock_take(&lock), 0);
	pidlock_drop(&lock);
}

static void the_number_of_a_stranger_is_not_signalled(void **state)
{
	struct other stranger;
	struct pidlock lock;
	char text[32];

	(void)state;
	stranger = other_begin(sleep_only);
	assert_int_equal(other_result(&stranger), 0);
	(void)snprintf(text, sizeof text, "%d\n", (int)stranger.pid);
	tree_put(SHUTDOWN_PID_PATH, text);
	assert_int_equal(pidlock_signal(SIGUSR1), -ESRCH);
	assert_int_equal(pidlock_take(&lock), 0);
	pidlock_drop(&lock);
	assert_int_equal(other_end(&stranger, SIGKILL), SIGKILL);
	tree_put(SHUTDOWN_PID_PATH, "1\n");
	assert_int_equal(pidlock_signal(SIGUSR1), -ESRCH);
}

static void what_has_no_number_is_no_pid_file(void **state)
{
	static const char *const texts[] = { "", "x\n", "0\n", "-5\n" };
	pid_t owner;

	(void)state;
	tree_dir("/var/run");
	assert_int_equal(pidlock_owner(&owner), -ENOENT);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		tree_put(SHUTDOWN_PID_PATH, texts[i]);
		assert_int_equal(pidlock_signal(SIGUSR1), -ENOENT);
	}
	tree_put("/var/run/elsewhere", "1\n");
	unlink(tree_path(SHUTDOWN_PID_PATH));
	tree_link(SHUTDOWN_PID_PATH, "elsewhere");
	assert_int_equal(pidlock_owner(&owner), -ENOENT);
}

static void once_it_is_too_late_nobody_is_signalled(void **state)
{
	struct other first;

	(void)state;
	tree_dir("/var/run");
	first = other_begin(take_and_close);
	assert_int_equal(other_result(&first), 0);
	assert_int_equal(pidlock_signal(SIGUSR1), -EINPROGRESS);
	assert_int_equal(other_end(&first, SIGKILL), SIGKILL);
}

static int lock_to_read(void)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open(tree_path(SHUTDOWN_PID_PATH), O_RDONLY);

	return fcntl(fd, F_SETLK, &lock) || flock(fd, LOCK_SH);
}

/* Which any user can have on a file that was left behind. */
static void a_reader_s_lock_stops_nobody_and_is_no_owner(void **state)
{
	struct other reader;
	struct pidlock lock;

	(void)state;
	tree_put(SHUTDOWN_PID_PATH, "77\n");
	reader = other_begin(lock_to_read);
	assert_int_equal(other_result(&reader), 0);
	assert_int_equal(pidlock_signal(SIGUSR1), -ESRCH);
	assert_int_equal(pidlock_take(&lock), 0);
	pidlock_drop(&lock);
	assert_int_equal(other_end(&reader, SIGKILL), SIGKILL);
}

static void a_link_in_the_place_is_not_followed(void **state)
{
	struct pidlock lock;

	(void)state;
	tree_put("/etc/passwd", "root\n");
	tree_dir("/var/run");
	tree_link(SHUTDOWN_PID_PATH, tree_path("/etc/passwd"));
	assert_int_equal(pidlock_take(&lock), 0);
	pidlock_drop(&lock);
	assert_string_equal(tree_get("/etc/passwd"), "root\n");
	tree_link(SHUTDOWN_LOCK_PATH, tree_path("/etc/passwd"));
	assert_int_equal(pidlock_take(&lock), -ELOOP);
	assert_string_equal(tree_get("/etc/passwd"), "root\n");
}

/* Over and over, while the winners go and leave their files, or take them away. */
static void of_many_at_once_exactly_one_wins(void **state)
{
	enum { ROUNDS = 50, STARTERS = 8 };

	(void)state;
	tree_dir("/var/run");
	for (int round = 0; round < ROUNDS; round++) {
		struct other others[STARTERS];
		int winners = 0;

		for (int i = 0; i < STARTERS; i++)
			others[i] = other_begin(take_and_open);
		for (int i = 0; i < STARTERS; i++) {
			int result = other_result(&others[i]);

			assert_true(!result || result == -EBUSY);
			winners += !result;
		}
		assert_int_equal(winners, 1);
		for (int i = 0; i < STARTERS; i++)
			(void)other_end(&others[i], SIGKILL);
		if (round % 2) {
			unlink(tree_path(SHUTDOWN_PID_PATH));
			unlink(tree_path(SHUTDOWN_LOCK_PATH));
		}
	}
}

static int take_and_drop_often(void)
{
	for (int round = 0; round < 300; round++) {
		struct pidlock lock;
		int err = pidlock_take(&lock), fd;

		if (err == -EBUSY)
			continue;
		if (err)
			return -err;
		/* Only one is in here at any time. */
		fd = open(tree_path("/var/run/inside"), O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			return 100;
		close(fd);
		unlink(tree_path("/var/run/inside"));
		pidlock_drop(&lock);
	}
	return 0;
}

static void those_who_come_while_one_goes_do_not_both_win(void **state)
{
	struct other others[4];

	(void)state;
	tree_dir("/var/run");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		others[i] = other_begin(take_and_drop_often);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_int_equal(other_result(&others[i]), 0);
		(void)other_end(&others[i], SIGKILL);
	}
}

static void each_failing_call_leaves_nothing_open(void **state)
{
	int before = fds_open(), nth = 0;
	struct pidlock lock;
	bool fired;

	(void)state;
	tree_dir("/var/run");
	do {
		int err;

		fault_arm(++nth, -EIO);
		err = pidlock_take(&lock);
		fired = fault_fired();
		assert_true(!err || fired);
		pidlock_drop(&lock);
		assert_int_equal(fds_open(), before);
	} while (fired);
	assert_true(nth > 6);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(one_takes_it_and_drops_it),
		CASE(a_second_one_is_told_and_finds_the_first),
		CASE(the_number_of_a_stranger_is_not_signalled),
		CASE(what_has_no_number_is_no_pid_file),
		CASE(once_it_is_too_late_nobody_is_signalled),
		CASE(a_reader_s_lock_stops_nobody_and_is_no_owner),
		CASE(a_link_in_the_place_is_not_followed),
		CASE(of_many_at_once_exactly_one_wins),
		CASE(those_who_come_while_one_goes_do_not_both_win),
		CASE(each_failing_call_leaves_nothing_open),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
