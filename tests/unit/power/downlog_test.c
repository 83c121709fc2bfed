/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "power/downlog.h"

enum { LONG_S = 30 };

static char folder[40], dev[50], path[60];
static char **arguments, **environment;
static struct downlog down;
static int daemon_fd;

static void daemon_start(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct timeval limit = { LONG_S, 0 };

	daemon_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(at.sun_path, path);
	assert_int_equal(setsockopt(daemon_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	assert_int_equal(bind(daemon_fd, (struct sockaddr *)&at, sizeof at), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/downlog_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(dev, sizeof dev, "%s/dev", folder);
	snprintf(path, sizeof path, "%s/log", dev);
	assert_int_equal(mkdir(dev, 0700), 0);
	fake_root(folder);
	daemon_fd = -1;
	down = (struct downlog){ .way = DOWNLOG_UNUSED };
	setenv("TZ", "XXX-5", 1);
	downlog_init(&down, arguments, environment);
	setenv("TZ", "changed", 1);     /* its own copy counts */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	fake_root(NULL);
	/* It would end when its writer has; or on this, where it waits. */
	if (down.helper) {
		assert_int_equal(kill(down.helper, SIGTERM), 0);
		assert_int_equal(waitpid(down.helper, NULL, 0), down.helper);
	}
	queue_free(down.log.queue);
	if (daemon_fd >= 0)
		close(daemon_fd);
	unlink(path);
	rmdir(dev);
	rmdir(folder);
	return 0;
}

/* What comes next, without its time. */
static void got(const char *text)
{
	char line[512], expected[256];
	ssize_t len = recv(daemon_fd, line, sizeof line - 1, 0);

	assert_true(len > 19);
	line[len] = '\0';
	snprintf(expected, sizeof expected, " shutdown[%d]: %s", (int)getpid(), text);
	assert_memory_equal(line, "<13>", 4);
	assert_string_equal(line + 19, expected);
}

static void nothing_is_made_before_there_is_something_to_say(void **state)
{
	(void)state;
	assert_int_equal(down.helper, 0);
	assert_null(down.log.queue);
}

static void lines_go_by_one_process_in_order(void **state)
{
	pid_t helper;

	(void)state;
	/* Nobody is there to take them yet. */
	downlog_say(&down, "shutting down for system halt");
	helper = down.helper;
	assert_true(helper > 0);
	downlog_say(&down, "100% \n failed");
	assert_int_equal(down.helper, helper);
	daemon_start();
	got("shutting down for system halt");
	got("100% ^J failed");
}

static void without_a_queue_or_a_process_lines_are_sent_at_once(void **state)
{
	static const char *const missing[] = { "memfd", "fork" };

	daemon_start();
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
		fault_name(missing[i], -EAGAIN);
		downlog_say(&down, "alone");
		assert_int_equal(down.way, DOWNLOG_ALONE);
		got("alone");
		fault_clear();
		downlog_say(&down, "and again");
		got("and again");
		assert_int_equal(down.helper, 0);
		tear_down(state);
		set_up(state);
		daemon_start();
	}
}

int main(int argc, char **argv, char **envp)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_made_before_there_is_something_to_say),
		CASE(lines_go_by_one_process_in_order),
		CASE(without_a_queue_or_a_process_lines_are_sent_at_once),
	};
#undef CASE

	(void)argc;
	arguments = argv;
	environment = envp;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
