/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/console.h"
#include "init/job.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(report_open(in), 0);
	fake_file("/dev/a file", "", 0644);
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* A new pty whose terminal goes by this name; the other side. */
static int terminal(const char *name)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char link[128];

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	(void)snprintf(link, sizeof link, "%s%s", fake_root_dir(), name);
	assert_int_equal(symlink(ptsname(master), link), 0);
	return master;
}

static struct termios settings(int fd)
{
	struct termios line;

	assert_int_equal(tcgetattr(fd, &line), 0);
	return line;
}

static void disturb(int fd)
{
	struct termios line = settings(fd);

	cfmakeraw(&line);
	line.c_cflag = CS7 | PARENB | PARODD | CSTOPB;
	line.c_iflag = IUTF8 | INLCR | INPCK;
	line.c_oflag = OCRNL;
	line.c_lflag = NOFLSH | TOSTOP;
	memset(line.c_cc, 'x', sizeof line.c_cc);
	assert_int_equal(cfsetispeed(&line, B1200), 0);
	assert_int_equal(cfsetospeed(&line, B1200), 0);
	assert_int_equal(tcsetattr(fd, TCSANOW, &line), 0);
}

static void assert_sane(int fd)
{
	static const struct {
		int index;
		cc_t key;
	} keys[] = {
		{ VINTR, 3 }, { VQUIT, 28 }, { VERASE, 127 }, { VKILL, 21 }, { VEOF, 4 }, { VSTART, 17 }, { VSTOP, 19 },
		{ VSUSP, 26 }, { VREPRINT, 18 }, { VWERASE, 23 }, { VLNEXT, 22 }, { VDISCARD, 15 }, { VMIN, 1 },
		{ VTIME, 0 }, { VEOL, 0 }, { VEOL2, 0 },
	};
	struct termios line = settings(fd);

	assert_int_equal(line.c_iflag, IGNPAR | ICRNL | IXON | IXANY | IUTF8);
	assert_int_equal(line.c_oflag, OPOST | ONLCR);
	assert_int_equal(line.c_lflag, ISIG | ICANON | ECHO | ECHOCTL | ECHOE | ECHOKE);
	assert_true(line.c_cflag & HUPCL && line.c_cflag & CLOCAL && line.c_cflag & CREAD);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_int_equal(line.c_cc[keys[i].index], keys[i].key);
}

static void a_sane_line_keeps_speed_size_stop_bits_and_parity(void **state)
{
	int master = terminal("/dev/console"), fd;
	struct termios before, after;

	(void)state;
	fd = open(ptsname(master), O_RDWR | O_NOCTTY);
	disturb(fd);
	before = settings(fd);
	assert_int_equal(console_make_sane(fd), 0);
	assert_sane(fd);
	after = settings(fd);
	assert_int_equal(after.c_cflag & (CBAUD | CSIZE | CSTOPB | PARENB | PARODD),
		before.c_cflag & (CBAUD | CSIZE | CSTOPB | PARENB | PARODD));
	assert_int_equal(cfgetospeed(&after), B1200);
}

static void what_is_no_terminal_has_no_settings(void **state)
{
	int fd = open("/dev/null", O_RDWR), master = terminal("/dev/console"), slave;

	(void)state;
	assert_int_equal(console_make_sane(fd), -ENOTTY);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	fault_name("tcsetattr", -EIO);
	assert_int_equal(console_make_sane(slave), -EIO);
	fault_clear();
}

static void what_was_typed_before_is_gone_and_what_was_said_is_not(void **state)
{
	int master = terminal("/dev/console"), fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct pollfd typed = { .fd = fd, .events = POLLIN }, said = { .fd = master, .events = POLLIN };
	char line[64];

	(void)state;
	assert_int_equal(write(master, "typed\n", 6), 6);
	assert_int_equal(poll(&typed, 1, 10000), 1);
	assert_int_equal(write(fd, "said", 4), 4);
	assert_int_equal(console_make_sane(fd), 0);
	assert_int_equal(read(fd, line, sizeof line), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(poll(&said, 1, 10000), 1);
	assert_true(read(master, line, sizeof line) > 0);
}

static void the_console_is_opened_for_a_child_to_wait_on(void **state)
{
	struct init *in = *state;
	int master = terminal("/dev/console"), fd = -1, sid;

	(void)master;
	assert_int_equal(console_open_in_child(in, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ioctl(fd, TIOCGSID, &sid), -1);        /* nobody's controlling terminal */
	strcpy(in->console, "/dev/missing");
	fd = -7;
	assert_int_equal(console_open_in_child(in, &fd), -ENOENT);
	assert_int_equal(fd, -7);
}

static void whatever_call_fails_the_open_leaves_nothing_behind(void **state)
{
	struct init *in = *state;
	int master = terminal("/dev/console"), before = fds_open(), nth = 0, fd, err;
	bool fired;

	(void)master;
	do {
		fault_arm(++nth, -EIO);
		err = console_open_in_child(in, &fd);
		fired = fault_fired();
		if (!err)
			close(fd);
		else
			assert_int_equal(err, -EIO);
		assert_int_equal(fds_open(), before);
	} while (fired);
	assert_int_equal(err, 0);
	assert_int_equal(nth, 3);
}

static void a_descriptor_becomes_the_standard_ones(void **state)
{
	int pipe_fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (!pid) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		console_as_stdio_in_child(fd);
		for (int std = 0; std < 3; std++)
			if (fcntl(std, F_GETFD) != 0 || (fcntl(std, F_GETFL) & O_ACCMODE) != O_RDWR)
				_exit(10 + std);
		if (fcntl(fd, F_GETFD) >= 0)
			_exit(20);
		close(0);                               /* the lowest is one of the three */
		fd = open("/dev/zero", O_RDWR);
		console_as_stdio_in_child(fd);
		_exit(fcntl(0, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0 ? 0 : 30);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- the setter --- */

/* Runs the real one until its end is reaped. */
static void set_console(struct init *in)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	in->level.phase = PHASE_STEADY;
	job_want(in, JOB_CONSOLE);
	do {
		job_tend(in, mono_now());               /* has its deadline of 5 s */
		sys_poll(NULL, 0, 5);
		report_read(in);
		chld_handler(in);
	} while (in->job[JOB_CONSOLE].pid);
	assert_false(fake_has_said(in, SINK_CONSOLE, "giving it up"));
}

static void the_console_that_is_wished_for_is_found_and_set(void **state)
{
	struct init *in = *state;
	int wished = terminal("/dev/ttyS0"), other = terminal("/dev/console"), slave;

	disturb(slave = open(ptsname(wished), O_RDWR | O_NOCTTY));
	disturb(open(ptsname(other), O_RDWR | O_NOCTTY));
	strcpy(in->console, "/dev/ttyS0");
	set_console(in);
	assert_string_equal(in->console, "/dev/ttyS0");
	assert_sane(slave);
	slave = open(ptsname(other), O_RDWR | O_NOCTTY);
	assert_false(settings(slave).c_lflag & ICANON);
}

static void the_next_one_is_taken_when_it_is_missing(void **state)
{
	struct init *in = *state;

	(void)terminal("/dev/console");
	strcpy(in->console, "/dev/ttyS0");
	set_console(in);
	assert_string_equal(in->console, "/dev/console");
}

static void a_terminal_is_better_than_what_merely_opens(void **state)
{
	struct init *in = *state;
	int before;

	fake_file("/dev/ttyS0", "", 0644);
	fake_file("/dev/console", "", 0644);
	(void)terminal("/dev/tty0");
	strcpy(in->console, "/dev/ttyS0");
	before = fds_open();
	set_console(in);
	assert_string_equal(in->console, "/dev/tty0");
	assert_int_equal(fds_open(), before);           /* the keyboard's and the pipe that came along */
}

static void what_merely_opens_is_better_than_nothing(void **state)
{
	struct init *in = *state;

	fake_file("/dev/console", "", 0644);
	strcpy(in->console, "/dev/ttyS0");
	set_console(in);
	assert_string_equal(in->console, "/dev/console");
}

static void without_any_the_wish_stands(void **state)
{
	struct init *in = *state;

	strcpy(in->console, "/dev/ttyS0");
	set_console(in);
	assert_string_equal(in->console, "/dev/ttyS0");
}

static void whatever_call_of_the_setter_fails_it_ends_in_time(void **state)
{
	struct init *in = *state;
	int before = fds_open() + 2;

	(void)terminal("/dev/console");
	(void)terminal("/dev/tty0");
	for (int nth = 2; nth <= 20; nth++) {           /* the first is the fork */
		fault_arm(nth, -EIO);
		set_console(in);
		fault_clear();
		assert_int_equal(fds_open(), before);
		assert_true(!strcmp(in->console, "/dev/console") || !strcmp(in->console, "/dev/tty0"));
	}
}

/* --- the asker --- */

/* Reads what the asker says until this is in it. */
static void expect(int master, const char *text)
{
	struct pollfd ready = { .fd = master, .events = POLLIN };
	char said[256];
	size_t used = 0;

	memset(said, 0, sizeof said);
	while (!strstr(said, text)) {
		ssize_t got;

		assert_int_equal(poll(&ready, 1, 10000), 1);
		got = read(master, said + used, sizeof said - 1 - used);
		assert_true(got > 0);
		used += (size_t)got;
	}
}

static int ask(struct init *in)
{
	int master = terminal("/dev/console");

	fake_processes(0);
	fake_clock_set(-1, -1);
	in->level.phase = PHASE_LOAD;                   /* the answer is looked at here, not acted upon */
	job_want(in, JOB_ASKER);
	job_tend(in, mono_now());
	return master;
}

static void wait_for_the_asker(struct init *in)
{
	for (int i = 0; in->job[JOB_ASKER].pid && i < 2000; i++) {
		chld_handler(in);
		sys_poll(NULL, 0, 5);
	}
	assert_int_equal(in->job[JOB_ASKER].pid, 0);
}

static char answered_with(struct init *in, int master, const char *line)
{
	siginfo_t unused;

	expect(master, "Enter runlevel: ");
	assert_int_equal(write(master, line, strlen(line)), (ssize_t)strlen(line));
	/* Its end would have the answer used up: the report is read while it is still a zombie. */
	assert_int_equal(waitid(P_PID, (id_t)in->job[JOB_ASKER].pid, &unused, WEXITED | WNOWAIT), 0);
	report_read(in);
	return in->level.answered;
}

static void a_level_is_asked_for_on_the_console(void **state)
{
	struct init *in = *state;

	assert_int_equal(answered_with(in, ask(in), "3\n"), '3');
}

static void a_small_s_is_level_s(void **state)
{
	struct init *in = *state;

	assert_int_equal(answered_with(in, ask(in), "s\n"), 'S');
}

static void the_question_is_asked_until_there_is_an_answer(void **state)
{
	struct init *in = *state;
	int master = ask(in);

	expect(master, "Enter runlevel: ");
	assert_int_equal(write(master, "x\n", 2), 2);
	expect(master, "Enter runlevel: ");
	assert_int_equal(write(master, "\n", 1), 1);
	assert_int_equal(answered_with(in, master, "5\n"), '5');
}

static void a_console_that_ends_is_no_answer(void **state)
{
	struct init *in = *state;
	int master = ask(in);

	expect(master, "Enter runlevel: ");
	in->level.phase = PHASE_ASK;
	in->level.now = in->level.wanted = '#';
	in->level.did_boot = true;
	assert_int_equal(write(master, "\004", 1), 1);  /* ^D */
	wait_for_the_asker(in);
	assert_true(fake_has_said(in, SINK_SYSLOG, "nobody answers which runlevel to enter"));
}

static void without_a_console_nobody_is_asked(void **state)
{
	struct init *in = *state;

	fake_processes(0);
	in->level.phase = PHASE_ASK;
	in->level.now = in->level.wanted = '#';
	job_want(in, JOB_ASKER);
	job_tend(in, mono_now());
	wait_for_the_asker(in);
	assert_true(fake_has_said(in, SINK_SYSLOG, "nobody answers which runlevel to enter"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_sane_line_keeps_speed_size_stop_bits_and_parity),
		CASE(what_is_no_terminal_has_no_settings),
		CASE(what_was_typed_before_is_gone_and_what_was_said_is_not),
		CASE(the_console_is_opened_for_a_child_to_wait_on),
		CASE(whatever_call_fails_the_open_leaves_nothing_behind),
		CASE(a_descriptor_becomes_the_standard_ones),
		CASE(the_console_that_is_wished_for_is_found_and_set),
		CASE(the_next_one_is_taken_when_it_is_missing),
		CASE(a_terminal_is_better_than_what_merely_opens),
		CASE(what_merely_opens_is_better_than_nothing),
		CASE(without_any_the_wish_stands),
		CASE(whatever_call_of_the_setter_fails_it_ends_in_time),
		CASE(a_level_is_asked_for_on_the_console),
		CASE(a_small_s_is_level_s),
		CASE(the_question_is_asked_until_there_is_an_answer),
		CASE(a_console_that_ends_is_no_answer),
		CASE(without_a_console_nobody_is_asked),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
