/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/terminals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct {
	struct terminal *of;
	int count, utmp;
	char path[64];
} all;

static void terminal_open(struct terminal *out)
{
	struct termios raw;

	out->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(out->master >= 0);
	assert_int_equal(grantpt(out->master), 0);
	assert_int_equal(unlockpt(out->master), 0);
	assert_int_equal(ptsname_r(out->master, out->name, sizeof out->name), 0);
	out->path = out->name;
	out->line = out->name + strlen("/dev/");
	out->slave = open(out->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(out->slave >= 0);
	assert_int_equal(tcgetattr(out->slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(out->slave, TCSANOW, &raw), 0);
}

void terminals_open(struct terminal *out, int count)
{
	all.of = out;
	snprintf(all.path, sizeof all.path, "/tmp/terminals.%d", (int)getpid());
	all.utmp = open(all.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(all.utmp >= 0);
	for (all.count = 0; all.count < count; all.count++)
		terminal_open(&out[all.count]);
}

void terminals_close(void)
{
	for (int i = 0; i < all.count; i++) {
		close(all.of[i].slave);
		close(all.of[i].master);
	}
	all.count = 0;
	close(all.utmp);
	unlink(all.path);
}

void terminal_stop(const struct terminal *terminal)
{
	assert_int_equal(tcflow(terminal->slave, TCOOFF), 0);
}

void terminal_go_on(const struct terminal *terminal)
{
	assert_int_equal(tcflow(terminal->slave, TCOON), 0);
}

size_t terminal_read(const struct terminal *terminal, char *out, size_t size_bytes)
{
	struct pollfd poll_one = { .fd = terminal->master, .events = POLLIN };
	size_t len = 0;

	while (len < size_bytes && poll(&poll_one, 1, 20000) == 1) {
		ssize_t n = read(terminal->master, out + len, size_bytes - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

int terminal_is_silent(const struct terminal *terminal)
{
	char byte;

	return read(terminal->master, &byte, 1) < 0;
}

const char *terminals_utmp(void)
{
	return all.path;
}

void utmp_add(int type, pid_t pid, const char *line, const char *user)
{
	struct utmp_record record = { .type = (int16_t)type, .pid = pid };

	utmp_set_text(record.line, sizeof record.line, line);
	utmp_set_text(record.user, sizeof record.user, user);
	assert_int_equal(write(all.utmp, &record, sizeof record), sizeof record);
}

void utmp_add_all(const struct terminal *terminals, int count)
{
	for (int i = 0; i < count; i++)
		utmp_add(UTMP_USER_PROCESS, getpid(), terminals[i].line, "somebody");
}
