/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/sink.h"
#include "lib/sys.h"

enum { SOON_MS = 100, LONG_MS = 20000 };

static const struct sink_ops *const ops = &sink_console_ops;
static char folder[] = "/tmp/sink_console_test.XXXXXX";
static char console_path[64], tty0_path[64];
static struct initlog_config config;
static void *console;
static int master, slave, open_before;
static uint64_t ordinal;
static struct record record;

/* --- a console that the test holds the other end of --- */

static void terminal_open(const char *path)
{
	struct termios raw;
	char name[64];

	memset(&raw, 0, sizeof raw);
	cfmakeraw(&raw);
	raw.c_cflag |= CREAD | CS8;
	assert_int_equal(openpty(&master, &slave, name, &raw, NULL), 0);
	unlink(path);
	assert_int_equal(symlink(name, path), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
}

static void terminal_close(void)
{
	close(master);
	close(slave);
	master = slave = -1;
}

static void read_now(char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(master, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
}

static void shown(const char *expected)
{
	char text[4096];

	read_now(text, sizeof text);
	assert_string_equal(text, expected);
}

static char seen[1 << 18];      /* of what fill() and lines put in */
static size_t seen_len;

static void see(size_t at_most)
{
	ssize_t n;

	assert_true(seen_len + at_most < sizeof seen);
	n = read(master, seen + seen_len, at_most);
	seen_len += n > 0 ? (size_t)n : 0;
	seen[seen_len] = '\0';
}

/* Until nothing more goes in, for now: the kernel makes room as it moves bytes from buffer to
 * buffer. Dots, since nothing in them looks like a line of ours. */
static void fill(void)
{
	int fd = open(console_path, O_WRONLY | O_NOCTTY | O_NONBLOCK);

	while (write(fd, "................", 16) > 0 || write(fd, ".", 1) > 0)
		;
	close(fd);
}

static int deliver_in(const char *text, int ms)
{
	record.ordinal = ++ordinal;
	record.len_bytes = strlen(text);
	memcpy(record.text, text, record.len_bytes + 1);
	return ops->deliver(console, &record, mono_after_ms(mono_now(), ms));
}

static int deliver(const char *text)
{
	return deliver_in(text, LONG_MS);
}

static void get_stuck(const char *text, int ms)
{
	do
		fill();
	while (!deliver_in(text, ms));
}

static int deliver_again(int ms)
{
	return ops->deliver(console, &record, mono_after_ms(mono_now(), ms));
}

static bool waits_for(int ms)
{
	struct mono end = mono_after_ms(mono_now(), ms);

	ops->wait(console, end);
	return mono_is_due(end, mono_now());
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(console_path, sizeof console_path, "%s/console", folder);
	snprintf(tty0_path, sizeof tty0_path, "%s/tty0", folder);
	config = (struct initlog_config){ .ident = "init", .console = { console_path } };
	open_before = fds_open();
	terminal_open(console_path);
	seen_len = 0;
	console = ops->open(&config, NULL);
	return 0;
}

/* The sink has one descriptor or none; the lowest number above the terminal's. */
static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	fake_clock_set(-1, -1);
	for (int fd = 3; fd < 64 && fds_open() > open_before; fd++)
		close(fd);
	unlink(console_path);
	unlink(tty0_path);
	rmdir(folder);
	memcpy(strrchr(folder, '.'), ".XXXXXX", 8);
	return 0;
}

/* --- lines --- */

static void a_line_has_the_form_of_the_reference(void **state)
{
	(void)state;
	assert_int_equal(deliver("Entering runlevel: 2"), 0);
	shown("\rINIT: Entering runlevel: 2\r\n");
	assert_int_equal(deliver(""), 0);
	assert_int_equal(deliver("\33c\1\303\244\233"), 0);
	shown("\rINIT: \r\n\rINIT: ^[c^A\303\244?\r\n");
}

static void the_longest_line_fits_in_its_harmless_form(void **state)
{
	char text[QUEUE_TEXT_MAX + 1], expected[2 * QUEUE_TEXT_MAX + 20] = "\rINIT: ";

	(void)state;
	memset(text, 1, QUEUE_TEXT_MAX);
	text[QUEUE_TEXT_MAX] = '\0';
	for (int i = 0; i < QUEUE_TEXT_MAX; i++)
		strcat(expected, "^A");
	strcat(expected, "\r\n");
	assert_int_equal(deliver(text), 0);
	shown(expected);
}

static void one_descriptor_is_kept(void **state)
{
	int open_now;

	(void)state;
	assert_int_equal(deliver("one"), 0);
	open_now = fds_open();
	assert_int_equal(open_now, open_before + 3);
	fault_name("open", -EIO);
	for (int i = 0; i < 10; i++)
		assert_int_equal(deliver("another"), 0);
	assert_false(fault_fired());
	assert_int_equal(fds_open(), open_now);
}

static void the_console_does_not_become_the_controlling_terminal(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		setsid();
		if (deliver("hello"))
			_exit(1);
		_exit(open("/dev/tty", O_RDWR) >= 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- a console that takes nothing --- */

static void a_full_console_costs_the_deadline_and_gets_the_line_later(void **state)
{
	struct mono begin;

	(void)state;
	get_stuck("stuck", SOON_MS);
	begin = mono_now();
	assert_int_equal(deliver_again(SOON_MS), -ETIMEDOUT);
	assert_true(mono_is_due(mono_after_ms(begin, SOON_MS), mono_now()));
	do
		see(4096);
	while (deliver_again(1) == -ETIMEDOUT);
	while (seen[seen_len - 1] != '\n')
		see(4096);
	assert_string_equal(strrchr(seen, '.') + 1, "\rINIT: stuck\r\n");
}

/* Lets the console take so few bytes each time that lines go out in pieces. */
static void a_line_in_pieces_is_whole_in_the_end(void **state)
{
	enum { LINES = 40, LINE_BYTES = sizeof "\rINIT: a line\r\n" - 1 };
	struct mono end = mono_after_ms(mono_now(), LONG_MS);
	const char *at = "";

	(void)state;
	get_stuck("a line", 1);
	for (int line = 0, reads = 0; line < LINES;) {
		see((size_t)(++reads % 7) * 13);
		if (deliver_again(1))
			continue;
		line++;
		record.ordinal = ++ordinal;
	}
	while (strlen(at) != LINES * LINE_BYTES && !mono_is_due(end, mono_now())) {
		see(4096);
		at = strrchr(seen, '.') + 1;
	}
	for (int line = 0; line < LINES; line++, at += LINE_BYTES)
		assert_memory_equal(at, "\rINIT: a line\r\n", LINE_BYTES);
}

/* The first write says 5 bytes and swallows them, then nothing more goes in. */
static void get_cut_off(const char *text)
{
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	fault_arm(1, 5);
	assert_int_equal(deliver_in(text, 10), -ETIMEDOUT);
	assert_true(fault_fired());
}

static void a_line_that_went_out_in_part_is_continued(void **state)
{
	(void)state;
	assert_int_equal(deliver("before"), 0);
	get_cut_off("continued");
	assert_int_equal(deliver_again(10), -ETIMEDOUT);
	assert_int_equal(tcflow(slave, TCOON), 0);
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: before\r\n: continued\r\n");
}

static void a_stopped_console_is_served_as_soon_as_it_goes_on(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(deliver("before"), 0);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	assert_int_equal(deliver_in("held", SOON_MS), -ETIMEDOUT);
	assert_true(waits_for(SOON_MS));
	pid = fork();
	if (!pid) {
		nanosleep(&(struct timespec){ 0, SOON_MS * 1000000 }, NULL);
		_exit(tcflow(slave, TCOON) != 0);
	}
	assert_false(waits_for(LONG_MS));
	assert_int_equal(deliver_again(LONG_MS), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	shown("\rINIT: before\r\n\rINIT: held\r\n");
}

/* As under TIOCCONS: the terminal is writable, who reads in its place takes nothing. */
static void a_poll_that_promises_too_much_does_not_make_a_busy_loop(void **state)
{
	(void)state;
	fault_name("write", -EAGAIN);
	assert_int_equal(deliver_in("refused", 500), -ETIMEDOUT);
	assert_in_range(fault_calls(), 5, 40);
	assert_true(waits_for(SOON_MS));
	fault_clear();
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: refused\r\n");
	assert_false(waits_for(LONG_MS));
}

static void an_interrupted_write_is_tried_again_until_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(deliver("before"), 0);
	fault_name("write", -EINTR);
	assert_int_equal(deliver_in("interrupted", 20), -ETIMEDOUT);
	fault_clear();
	fault_arm(1, -EINTR);
	assert_int_equal(deliver_again(LONG_MS), 0);
	assert_true(fault_fired());
	shown("\rINIT: before\r\n\rINIT: interrupted\r\n");
}

/* --- a console that goes and comes --- */

static void a_missing_console_gets_the_line_when_it_is_there(void **state)
{
	terminal_close();
	(void)state;
	unlink(console_path);
	assert_int_equal(deliver("early"), -ENOENT);
	assert_true(waits_for(SOON_MS));
	assert_int_equal(deliver_again(LONG_MS), -ENOENT);
	terminal_open(console_path);
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: early\r\n");
}

static void a_hung_up_console_is_opened_again_and_the_line_begun_anew(void **state)
{
	(void)state;
	assert_int_equal(deliver("before"), 0);
	get_cut_off("cut in two");
	terminal_close();
	assert_int_equal(deliver_again(LONG_MS), -EIO);
	assert_int_equal(fds_open(), open_before);
	assert_true(waits_for(SOON_MS));
	assert_true(deliver_again(LONG_MS) < 0);
	terminal_open(console_path);
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: cut in two\r\n");
}

static void a_hang_up_ends_the_wait_and_the_descriptor(void **state)
{
	(void)state;
	assert_int_equal(deliver("before"), 0);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	assert_int_equal(deliver_in("held", 10), -ETIMEDOUT);
	terminal_close();
	assert_false(waits_for(LONG_MS));
	assert_int_equal(fds_open(), open_before);
}

static void a_revoked_console_works_at_the_next_try(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(deliver("before"), 0);
	assert_int_equal(ioctl(slave, TIOCVHANGUP), 0);
	close(slave);
	slave = open(console_path, O_RDWR | O_NOCTTY);
	assert_int_equal(deliver("after"), -EIO);
	assert_int_equal(deliver_again(LONG_MS), 0);
}

/* Else the last close of a stalled line takes half a minute. */
static void what_lies_unsent_is_dropped_before_a_close(void **state)
{
	(void)state;
	assert_int_equal(deliver("unsent"), 0);
	terminal_close();
	fault_name("tcflush", -EIO);
	assert_int_equal(deliver("never"), -EIO);
	assert_true(fault_fired());
	assert_int_equal(fds_open(), open_before);
}

static void a_lack_of_memory_drops_nothing(void **state)
{
	(void)state;
	assert_int_equal(deliver("unsent"), 0);
	fault_name("write", -ENOMEM);
	assert_int_equal(deliver("later"), -ENOMEM);
	fault_clear();
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: unsent\r\n\rINIT: later\r\n");
}

/* --- more than one name --- */

static void a_stand_in_serves_until_the_console_is_back(void **state)
{
	int stand_in;

	(void)state;
	terminal_close();
	unlink(console_path);
	config.console[1] = tty0_path;
	terminal_open(tty0_path);
	stand_in = master;
	fake_clock_set(1000000000, 0);
	assert_int_equal(deliver("on tty0"), 0);
	shown("\rINIT: on tty0\r\n");
	terminal_open(console_path);
	fake_clock_advance_ms(29000);
	assert_int_equal(deliver("not yet looked"), 0);
	fake_clock_advance_ms(2000);
	assert_int_equal(deliver("on the console"), 0);
	shown("\rINIT: on the console\r\n");
	master = stand_in;
}

static void a_stand_in_goes_on_while_the_console_stays_away(void **state)
{
	(void)state;
	terminal_close();
	unlink(console_path);
	config.console[1] = tty0_path;
	terminal_open(tty0_path);
	fake_clock_set(1000000000, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(deliver("still"), 0);
		shown("\rINIT: still\r\n");
		fake_clock_advance_ms(31000);
	}
	assert_int_equal(fds_open(), open_before + 3);
}

/* Its open waits for another process's last close, and is cut off at the deadline. */
static void a_console_that_does_not_open_in_time_has_no_stand_in(void **state)
{
	int stand_in;

	(void)state;
	config.console[1] = tty0_path;
	terminal_open(tty0_path);
	stand_in = master;
	fault_arm(1, -EINTR);
	assert_int_equal(deliver("patience"), -EINTR);
	assert_true(fault_fired());
	terminal_open(console_path);
	assert_int_equal(deliver_again(LONG_MS), 0);
	shown("\rINIT: patience\r\n");
	master = stand_in;
}

static void dev_null_is_a_console_only_when_it_is_named_first(void **state)
{
	(void)state;
	terminal_close();
	unlink(console_path);
	config.console[1] = tty0_path;
	config.console[2] = "/dev/null";
	assert_int_equal(deliver("kept"), -ENOENT);
	config.console[0] = "/dev/null";
	assert_int_equal(deliver_again(LONG_MS), 0);
}

static void what_is_no_character_device_is_no_console(void **state)
{
	char text[8];
	int fd;

	(void)state;
	terminal_close();
	unlink(console_path);
	assert_int_equal(mkfifo(console_path, 0600), 0);
	fd = open(console_path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(deliver("not for a FIFO"), -ENOTTY);
	assert_int_equal(read(fd, text, sizeof text), 0);
	close(fd);
	unlink(console_path);
	fd = open(console_path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(deliver_again(LONG_MS), -ENOTTY);
	assert_int_equal(read(fd, text, sizeof text), 0);
	close(fd);
	assert_int_equal(fds_open(), open_before);
}

static void every_failure_is_survived_and_leaves_nothing_open(void **state)
{
	int nth = 0, err;

	(void)state;
	do {
		console = ops->open(&config, NULL);
		fault_arm(++nth, -ENODEV);
		err = deliver("as often as it takes");
		assert_true(err ? fds_open() == open_before + 2 : fds_open() == open_before + 3);
		ops->wait(console, mono_now());
		if (err)
			assert_int_equal(deliver_again(LONG_MS), 0);
		shown("\rINIT: as often as it takes\r\n");
		for (int fd = 3; fd < 64 && fds_open() > open_before + 2; fd++)
			if (fd != master && fd != slave)
				close(fd);
	} while (fault_fired());
	assert_int_equal(nth, 5);       /* open, isatty, write and poll can fail */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_line_has_the_form_of_the_reference),
		CASE(the_longest_line_fits_in_its_harmless_form),
		CASE(one_descriptor_is_kept),
		CASE(the_console_does_not_become_the_controlling_terminal),
		CASE(a_full_console_costs_the_deadline_and_gets_the_line_later),
		CASE(a_line_in_pieces_is_whole_in_the_end),
		CASE(a_line_that_went_out_in_part_is_continued),
		CASE(a_stopped_console_is_served_as_soon_as_it_goes_on),
		CASE(a_poll_that_promises_too_much_does_not_make_a_busy_loop),
		CASE(an_interrupted_write_is_tried_again_until_the_deadline),
		CASE(a_missing_console_gets_the_line_when_it_is_there),
		CASE(a_hung_up_console_is_opened_again_and_the_line_begun_anew),
		CASE(a_hang_up_ends_the_wait_and_the_descriptor),
		CASE(a_revoked_console_works_at_the_next_try),
		CASE(what_lies_unsent_is_dropped_before_a_close),
		CASE(a_lack_of_memory_drops_nothing),
		CASE(a_stand_in_serves_until_the_console_is_back),
		CASE(a_stand_in_goes_on_while_the_console_stays_away),
		CASE(a_console_that_does_not_open_in_time_has_no_stand_in),
		CASE(dev_null_is_a_console_only_when_it_is_named_first),
		CASE(what_is_no_character_device_is_no_console),
		CASE(every_failure_is_survived_and_leaves_nothing_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
