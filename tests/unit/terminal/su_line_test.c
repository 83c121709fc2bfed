/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/systool.h"
#include "terminal/su_consoles.h"
#include "terminal/su_line.h"

struct pty {
	int master;
	struct su_console console;
};

static int begin(void **state)
{
	static struct pty pty;

	memset(&pty, 0, sizeof pty);
	assert_int_equal(openpty(&pty.master, &pty.console.fd, NULL, NULL, NULL), 0);
	*state = &pty;
	return 0;
}

static int end(void **state)
{
	struct pty *pty = *state;

	fault_clear();
	close(pty->master);
	close(pty->console.fd);
	return 0;
}

static struct su_line line_of(tcflag_t iflag, tcflag_t oflag, tcflag_t cflag, tcflag_t lflag, bool is_serial)
{
	struct su_line line = { .fd = -1, .is_serial = is_serial, .erase = '\b', .kill = 'U' & 037 };

	line.found.c_iflag = iflag;
	line.found.c_oflag = oflag;
	line.found.c_cflag = cflag;
	line.found.c_lflag = lflag;
	return line;
}

static void listening_takes_every_byte_as_it_comes(void **state)
{
	struct termios value;
	struct su_line line = line_of(IXON | IXOFF | ICRNL | ISTRIP | IUCLC, 0, CS8, ICANON | ECHO | ISIG | IEXTEN | TOSTOP, false);

	(void)state;
	su_line_listening(&line, &value);
	assert_false(value.c_lflag & (ICANON | ECHO | ISIG | IEXTEN | TOSTOP));
	assert_false(value.c_iflag & (IXON | IXOFF | IXANY | ICRNL | INLCR | IGNCR | ISTRIP | IUCLC | BRKINT | PARMRK));
	assert_true(value.c_iflag & IGNBRK);
	assert_true((value.c_oflag & OPOST) && (value.c_oflag & ONLCR));
	assert_int_equal(value.c_cc[VMIN], 1);
	assert_int_equal(value.c_cc[VTIME], 0);
}

static void a_serial_wire_is_kept_but_for_a_speed_of_zero(void **state)
{
	const tcflag_t wire = CS7 | PARENB | PARODD | CSTOPB | CRTSCTS | CLOCAL;
	struct su_line line = line_of(0, 0, wire, 0, true);
	void (*const both[])(const struct su_line *, struct termios *) = { su_line_listening, su_line_shell };

	(void)state;
	cfsetispeed(&line.found, B19200);
	cfsetospeed(&line.found, B19200);
	for (int i = 0; i < 2; i++) {
		struct termios value;

		both[i](&line, &value);
		assert_int_equal(value.c_cflag & (wire | CSIZE), wire);
		assert_true(value.c_cflag & CREAD);
		assert_int_equal(cfgetospeed(&value), B19200);
	}
	cfsetispeed(&line.found, B0);
	cfsetospeed(&line.found, B0);
	for (int i = 0; i < 2; i++) {
		struct termios value;

		both[i](&line, &value);
		assert_int_equal(cfgetospeed(&value), B9600);
		assert_int_equal(cfgetispeed(&value), B9600);
	}
}

static void the_shells_serial_line_has_all_that_a_person_needs(void **state)
{
	struct su_line line = line_of(0, 0, CS8, 0, true);
	struct termios value;

	(void)state;
	su_line_shell(&line, &value);
	assert_int_equal(value.c_lflag & (ICANON | ISIG | ECHO | ECHOE | ECHOK | ECHOKE), ICANON | ISIG | ECHO | ECHOE | ECHOK | ECHOKE);
	assert_int_equal(value.c_iflag & (ICRNL | IXON | IXOFF), ICRNL | IXON | IXOFF);
	assert_int_equal(value.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
	assert_int_equal(value.c_cc[VINTR], 3);
	assert_int_equal(value.c_cc[VQUIT], 034);
	assert_int_equal(value.c_cc[VEOF], 4);
	assert_int_equal(value.c_cc[VSUSP], 032);
	assert_int_equal(value.c_cc[VERASE], '\b');
	assert_int_equal(value.c_cc[VKILL], 025);
	assert_int_equal(value.c_cc[VEOL], 0);
}

static void another_line_keeps_what_it_has_and_gets_what_is_missing(void **state)
{
	struct su_line line = line_of(ICRNL | IUTF8, OPOST | ONLCR, CS8 | CREAD, ICANON | ISIG | ECHO | ECHOE | ECHOK | IEXTEN, false);
	struct termios value;

	(void)state;
	line.found.c_cc[VINTR] = 3;
	line.found.c_cc[VQUIT] = 034;
	line.found.c_cc[VERASE] = '#';
	line.found.c_cc[VKILL] = '@';
	line.found.c_cc[VEOF] = 030;
	line.found.c_cc[VSUSP] = 032;
	su_line_shell(&line, &value);
	assert_memory_equal(&value, &line.found, sizeof value);
	line.found.c_lflag = 0;
	line.found.c_iflag = INLCR | IGNCR;
	line.found.c_oflag = 0;
	line.found.c_cc[VEOF] = 1;                      /* of a raw line: VMIN on some machines */
	line.found.c_cc[VINTR] = 0;
	su_line_shell(&line, &value);
	assert_true(value.c_lflag & ICANON && value.c_lflag & ECHO && value.c_lflag & ISIG);
	assert_true(value.c_iflag & ICRNL && !(value.c_iflag & (INLCR | IGNCR)));
	assert_true(value.c_oflag & ONLCR);
	assert_int_equal(value.c_cc[VEOF], 4);
	assert_int_equal(value.c_cc[VINTR], 3);
	assert_int_equal(value.c_cc[VERASE], '#');
}

static void leaving_brings_the_line_back_and_drops_what_nobody_takes(void **state)
{
	struct pty *pty = *state;
	struct su_line line = { 0 };
	struct termios now = { 0 };

	assert_int_equal(su_line_begin(&line, &pty->console), 0);
	assert_false(line.is_serial);
	assert_int_equal(su_line_listen(&line), 0);
	assert_int_equal(sys_tcgetattr(line.fd, &now), 0);
	assert_false(now.c_lflag & (ICANON | ECHO));
	su_line_leave(&line);
	assert_int_equal(sys_tcgetattr(line.fd, &now), 0);
	assert_memory_equal(&now, &line.found, sizeof now);
}

static void a_shared_description_waits_again_afterwards(void **state)
{
	struct pty *pty = *state;
	struct su_line line;

	pty->console.is_shared = true;
	assert_int_equal(sys_set_nonblocking(pty->console.fd), 0);
	assert_int_equal(su_line_begin(&line, &pty->console), 0);
	su_line_restore(&line);
	assert_false(fcntl(pty->console.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(sys_set_nonblocking(pty->console.fd), 0);
	su_line_for_shell(&line);
	assert_false(fcntl(pty->console.fd, F_GETFL) & O_NONBLOCK);
}

static void what_is_no_terminal_is_refused(void **state)
{
	struct su_console none = { .fd = -1 };
	struct su_line line;

	(void)state;
	assert_true(su_line_begin(&line, &none) < 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(listening_takes_every_byte_as_it_comes),
		CASE(a_serial_wire_is_kept_but_for_a_speed_of_zero),
		CASE(the_shells_serial_line_has_all_that_a_person_needs),
		CASE(another_line_keeps_what_it_has_and_gets_what_is_missing),
		CASE(leaving_brings_the_line_back_and_drops_what_nobody_takes),
		CASE(a_shared_description_waits_again_afterwards),
		CASE(what_is_no_terminal_is_refused),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
