/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps one descriptor of the console: the last close of a stalled line drains for 30 s and makes
 * everyone's open wait for it. A line that got half out is continued where it stopped, unless the
 * device was lost meanwhile. */
#include "initlog/sink.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/sys.h"
#include "lib/text.h"

enum {
	IDENT_MAX = 32,
	LINE_MAX_BYTES = TEXT_GROWTH * QUEUE_TEXT_MAX + IDENT_MAX + sizeof "\r: \r\n",
	NAP_MS = 50,            /* when poll promises what write denies */
	STAND_IN_S = 30,        /* between two looks at whether a better console is back */
};

struct console {
	const struct initlog_config *config;
	int fd;
	int which;              /* of config->console */
	bool poll_lies;         /* it said writable, and write said EAGAIN */
	struct mono look_again;
	uint64_t ordinal;       /* of the record in line */
	size_t len, written;    /* of line; equal: no line is under way */
	char line[LINE_MAX_BYTES];
};

static void sleep_ms(int ms)
{
	struct timespec duration = { ms / 1000, ms % 1000 * 1000000L };

	sys_sleep(&duration);
}

static void console_close(struct console *console)
{
	if (console->fd < 0)
		return;
	sys_tcflush(console->fd, TCOFLUSH);
	sys_close(console->fd);
	console->fd = -1;
	console->written = 0;   /* the flush took what the line began with */
}

static int device_check(int fd, int which)
{
	struct stat st;
	int err = sys_isatty(fd);

	if (!err || which)
		return err;
	/* CONSOLE=/dev/null is a wish. As a stand-in it would swallow what the console should show
	 * later. */
	err = sys_fstat(fd, &st);
	if (err)
		return err;
	return S_ISCHR(st.st_mode) ? 0 : -ENOTTY;
}

static int device_open(const char *path, int which)
{
	int err, fd = sys_open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = device_check(fd, which);
	if (!err)
		return fd;
	sys_close(fd);
	return err;
}

/* The first of the names before number end that opens. */
static int console_open(struct console *console, int end)
{
	const char *const *names = console->config->console;
	int first_err = -ENOENT;

	for (int which = 0; which < end && names[which]; which++) {
		int fd = device_open(names[which], which);

		if (fd >= 0) {
			console_close(console);
			console->fd = fd;
			console->which = which;
			console->poll_lies = false;
			console->look_again = mono_after_s(mono_now(), STAND_IN_S);
			return 0;
		}
		/* It waits for another process's last close: stuck, not absent. */
		if (fd == -EINTR)
			return fd;
		if (!which)
			first_err = fd;
	}
	return first_err;
}

static int console_find(struct console *console)
{
	int count = sizeof console->config->console / sizeof console->config->console[0];
	struct mono now;

	if (console->fd < 0)
		return console_open(console, count);
	now = mono_now();
	if (console->which && !console->written && mono_is_due(console->look_again, now)) {
		console->look_again = mono_after_s(now, STAND_IN_S);
		(void)(console_open(console, console->which) == 0); /* else the stand-in stays */
	}
	return 0;
}

static void line_make(struct console *console, const struct record *record)
{
	char *at = console->line;

	*at++ = '\r';
	for (size_t i = 0; i < IDENT_MAX && console->config->ident[i]; i++)
		*at++ = (char)toupper((unsigned char)console->config->ident[i]);
	*at++ = ':';
	*at++ = ' ';
	at += text_make_harmless(record->text, record->len_bytes, at, TEXT_GROWTH * QUEUE_TEXT_MAX);
	*at++ = '\r';
	*at++ = '\n';
	console->len = (size_t)(at - console->line);
	console->written = 0;
	console->ordinal = record->ordinal;
}

/* 0: try to write. */
static int room_wait(struct console *console, struct mono deadline)
{
	struct pollfd poll = { .fd = console->fd, .events = POLLOUT };
	int left = mono_left_ms(deadline, mono_now());
	int count;

	if (!left)
		return -ETIMEDOUT;
	if (console->poll_lies) {
		sleep_ms(left > NAP_MS ? NAP_MS : left);
		return 0;
	}
	count = sys_poll(&poll, 1, left);
	if (count < 0)
		return count == -EINTR ? 0 : count;
	if (poll.revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EIO;
	console->poll_lies = poll.revents & POLLOUT;    /* until a write shows that it did not */
	return 0;
}

static int line_write(struct console *console, struct mono deadline)
{
	while (console->written < console->len) {
		ssize_t n = sys_write(console->fd, console->line + console->written,
			console->len - console->written);
		int err = 0;

		if (n > 0) {
			console->written += (size_t)n;
			console->poll_lies = false;
		} else if (n == -EAGAIN) {
			err = room_wait(console, deadline);
		} else if (n != -EINTR) {
			err = n ? (int)n : -EIO;
		} else if (mono_is_due(deadline, mono_now())) {
			err = -ETIMEDOUT;
		}
		if (err)
			return err;
	}
	return 0;
}

static void *console_start(const struct initlog_config *config, struct queue *queue)
{
	static struct console console;

	(void)queue;
	console = (struct console){ .config = config, .fd = -1 };
	return &console;
}

static int console_deliver(void *state, const struct record *record, struct mono deadline)
{
	struct console *console = state;
	int err;

	if (console->written == console->len || console->ordinal != record->ordinal)
		line_make(console, record);
	err = console_find(console);
	if (err)
		return err;
	err = line_write(console, deadline);
	if (err && err != -ETIMEDOUT && err != -ENOMEM)
		console_close(console);
	return err;
}

static void console_wait(void *state, struct mono until)
{
	struct console *console = state;
	int left = mono_left_ms(until, mono_now());
	struct pollfd poll = { .fd = console->fd, .events = POLLOUT };

	if (console->fd < 0 || console->poll_lies)
		sleep_ms(left);
	else if (sys_poll(&poll, 1, left) > 0 && poll.revents & (POLLHUP | POLLERR | POLLNVAL))
		console_close(console);
}

const struct sink_ops sink_console_ops = {
	.name = "console",
	.deadline_ms = 1000,
	.open = console_start,
	.deliver = console_deliver,
	.wait = console_wait,
	.says_lost = true,
	.linger_ms = 20,
};
