/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay with real pseudo terminals for consoles; the kernel's console stays where it is, the test writes to the
 * terminal that it would be redirected to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/bootrelay.h"

static char dir[] = "/tmp/bootrelay_test.XXXXXX";
static char log_path[64], cmdline_path[64], old_path[64];
/* None of the usual consoles is to be touched by a test. */
static const char *const no_names[] = { NULL };
static struct bootcons_places places = { .consoles = "/nonexistent", .active = "/nonexistent", .custom = no_names };
static struct bootrelay relay;
static struct bootrelay_config config;
static int master;
static char console_name[64];
static sigset_t mask_before;

static int dir_make(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(log_path, sizeof log_path, "%s/log", dir);
	(void)snprintf(old_path, sizeof old_path, "%s/log.old", dir);
	(void)snprintf(cmdline_path, sizeof cmdline_path, "%s/cmdline", dir);
	places.cmdline = cmdline_path;
	return 0;
}

static int dir_remove(void **state)
{
	(void)state;
	unlink(cmdline_path);
	unlink(log_path);
	unlink(old_path);
	return rmdir(dir);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int begin(void **state)
{
	struct termios raw;
	char text[160];
	int slave;

	(void)state;
	unlink(log_path);
	unlink(old_path);
	sigprocmask(SIG_SETMASK, NULL, &mask_before);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, console_name, sizeof console_name))
		return -1;
	slave = open(console_name, O_RDWR | O_NOCTTY);
	tcgetattr(slave, &raw);
	raw.c_oflag = 0;
	tcsetattr(slave, TCSANOW, &raw);
	close(slave);
	(void)snprintf(text, sizeof text, "console=nonexistent console=%s console=%s\n", console_name + 5, console_name + 5);
	put(cmdline_path, text);
	config = (struct bootrelay_config){ .log = log_path, .create = true, .places = &places };
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(master);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

static const char *content(const char *path)
{
	static char text[1 << 21];
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return "none";
	while ((got = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *shown(void)
{
	static char text[1 << 17];
	size_t len = 0;
	ssize_t got;

	while ((got = read(master, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return text;
}

static void say(const char *text)
{
	assert_int_equal(write(relay.redirect.slave, text, strlen(text)), strlen(text));
}

/* Runs and ends it, as a signal to end that is there already makes it. Its clock stands still: no limit of the end cuts
 * short what a busy machine is slow to do. */
static void run_to_the_end(void)
{
	kill(getpid(), SIGTERM);
	bootrelay_run(&relay);
	fake_clock_set(1000000000, 1764000000000000000);
	bootrelay_end(&relay);
	fake_clock_set(-1, -1);
}

static void what_is_written_reaches_console_and_log(void **state)
{
	(void)state;
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	say("hello\nunfinished");
	run_to_the_end();
	assert_string_equal(shown(), "hello\nunfinished");
	assert_non_null(strstr(content(log_path), ": hello\n"));
	assert_non_null(strstr(content(log_path), ": unfinished\n"));
	assert_true(waitpid(-1, NULL, WNOHANG) < 0);
}

static void a_console_that_is_named_twice_is_written_once(void **state)
{
	char text[160];

	(void)state;
	/* The same device by another name: only its number tells. */
	(void)snprintf(text, sizeof text, "console=%s console=pts/../%s\n", console_name + 5, console_name + 5);
	put(cmdline_path, text);
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	assert_int_equal(relay.consoles, 2);
	say("once\n");
	run_to_the_end();
	assert_string_equal(shown(), "once\n");
}

static void without_a_console_nothing_begins(void **state)
{
	int before = fds_open();

	(void)state;
	put(cmdline_path, "console=null console=nonexistent\n");
	assert_int_equal(bootrelay_begin(&relay, &config), -ENODEV);
	assert_non_null(strstr(relay.notes, "bootlogd: /dev/nonexistent: No such file"));
	assert_non_null(strstr(relay.notes, "bootlogd: cannot deduce real console device"));
	assert_int_equal(fds_open(), before);
}

static void a_redirection_that_is_refused_ends_the_start(void **state)
{
	int before = fds_open();

	(void)state;
	fault_name("redirect_console", -EBUSY);
	assert_int_equal(bootrelay_begin(&relay, &config), -EBUSY);
	fault_clear();
	assert_non_null(strstr(relay.notes, ", TIOCCONS): Device or resource busy\n"));
	assert_int_equal(fds_open(), before);
}

static void a_log_that_cannot_be_written_is_said_on_the_console(void **state)
{
	(void)state;
	config.log = "/dev/null";
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	say("hello\n");
	run_to_the_end();
	assert_non_null(strstr(shown(), "bootlogd: /dev/null: 32 bytes of the log are lost\n"));
}

/* In early boot that is how it is. */
static void a_log_that_is_not_there_yet_is_not_worth_a_word(void **state)
{
	(void)state;
	config.create = false;
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	say("hello\n");
	while (relay.log.err != -ENOENT) {
		kill(getpid(), SIGTERM);
		bootrelay_run(&relay);
	}
	put(log_path, "");
	run_to_the_end();
	assert_string_equal(shown(), "hello\n");
	assert_non_null(strstr(content(log_path), ": hello\n"));
}

static void without_proc_it_is_mounted_for_the_look(void **state)
{
	(void)state;
	fake_forget_mounted();
	fault_name_once("stat", 0, -ENOENT);
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	fault_clear();
	run_to_the_end();
	assert_string_equal(fake_mounted(), "+/proc-/proc");
}

static void a_hang_up_opens_the_log_anew(void **state)
{
	(void)state;
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	say("before\n");
	while (!strstr(content(log_path), "before")) {
		kill(getpid(), SIGTERM);
		bootrelay_run(&relay);
	}
	assert_int_equal(rename(log_path, old_path), 0);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGTERM);
	bootrelay_run(&relay);
	say("after\n");
	run_to_the_end();
	assert_non_null(strstr(content(log_path), ": after\n"));
	assert_null(strstr(content(old_path), "after"));
}

/* Somebody looks at the console all the time. */
static void *look(void *context)
{
	const int *until = context;
	struct pollfd fds[2] = { { .fd = master, .events = POLLIN }, { .fd = *until, .events = POLLIN } };
	char text[4096];

	while (poll(fds, 2, -1) > 0 && !fds[1].revents)
		(void)!read(master, text, sizeof text);
	return NULL;
}

static void more_than_memory_holds_is_said_where_it_is_missing(void **state)
{
	static char line[101];
	pthread_t looker;
	int until[2];

	(void)state;
	config.create = false;
	assert_int_equal(bootrelay_begin(&relay, &config), 0);
	memset(line, 'x', 99);
	line[99] = '\n';
	for (int i = 0; i < 20000; i++) {
		say(line);
		if (i % 32)
			continue;
		kill(getpid(), SIGTERM);
		bootrelay_run(&relay);
		(void)shown();
	}
	assert_string_equal(content(log_path), "none");
	put(log_path, "");
	assert_int_equal(pipe(until), 0);
	assert_int_equal(pthread_create(&looker, NULL, look, &until[0]), 0);
	run_to_the_end();
	close(until[1]);
	pthread_join(looker, NULL);
	close(until[0]);
	assert_non_null(strstr(content(log_path), " bytes lost here\n"));
	assert_true(strlen(content(log_path)) >= RELAY_LOG_BYTES - 2 * sizeof line);
	assert_true(strlen(content(log_path)) <= RELAY_LOG_BYTES + 2 * sizeof line);
}

static void the_start_leaves_nothing_whatever_fails(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		int err;

		/* In the writers too; a start may also do without what failed. */
		fault_arm(++nth, -EIO);
		err = bootrelay_begin(&relay, &config);
		fault_arm_always(0, 0);
		if (!err)
			run_to_the_end();
		else
			assert_true(relay.notes_len > 0);
		assert_int_equal(fds_open(), before);
	} while (nth < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_reaches_console_and_log, begin, end),
		cmocka_unit_test_setup_teardown(a_console_that_is_named_twice_is_written_once, begin, end),
		cmocka_unit_test_setup_teardown(without_a_console_nothing_begins, begin, end),
		cmocka_unit_test_setup_teardown(a_redirection_that_is_refused_ends_the_start, begin, end),
		cmocka_unit_test_setup_teardown(a_log_that_cannot_be_written_is_said_on_the_console, begin, end),
		cmocka_unit_test_setup_teardown(a_log_that_is_not_there_yet_is_not_worth_a_word, begin, end),
		cmocka_unit_test_setup_teardown(without_proc_it_is_mounted_for_the_look, begin, end),
		cmocka_unit_test_setup_teardown(a_hang_up_opens_the_log_anew, begin, end),
		cmocka_unit_test_setup_teardown(more_than_memory_holds_is_said_where_it_is_missing, begin, end),
		cmocka_unit_test_setup_teardown(the_start_leaves_nothing_whatever_fails, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
