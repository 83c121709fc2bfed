/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/console_writer.h"

#include <errno.h>

#include "lib/systool.h"

enum {
	NAP_MS = 50,            /* when poll promises what write denies, or for a line to move on */
	CLOSE_MS = 10000,
};

void console_writer_make(struct console_writer *console, const char *path, int socket)
{
	*console = (struct console_writer){ .path = path, .socket = socket, .fd = -1 };
}

static int console_open(void *target, uint64_t *device)
{
	struct console_writer *console = target;
	int fd = sys_open(console->path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	err = sys_isatty(fd);
	if (!err)
		err = sys_fstat(fd, &st);
	if (err) {
		sys_close(fd);
		return err;
	}
	*device = (uint64_t)st.st_rdev;
	console->fd = fd;
	console->poll_lies = false;
	return 0;
}

/* A line that moves may send what it has; one that is stopped would keep us, and everybody who opens it. */
static void output_wait(int fd)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
	struct mono limit = mono_after_ms(mono_now(), CLOSE_MS);
	int left = sys_unsent_bytes(fd), still_ms = 0;

	while (left > 0 && still_ms < WRITER_LAST_MS && !mono_is_due(limit, mono_now())) {
		int before = left;

		sys_sleep(&nap);
		left = sys_unsent_bytes(fd);
		still_ms = left < before ? 0 : still_ms + NAP_MS;
	}
	if (left)
		sys_tcflush(fd, TCOFLUSH);
}

static void console_close(void *target)
{
	struct console_writer *console = target;

	output_wait(console->fd);
	sys_close(console->fd);
	console->fd = -1;
}

static int wait_ms(struct console_writer *console, bool *is_over)
{
	int left = console->is_last ? mono_left_ms(console->give_up, mono_now()) : -1;

	*is_over = console->is_last && !left;
	if (console->poll_lies && (left < 0 || left > NAP_MS))
		return NAP_MS;
	return left;
}

/* 0: try to write. */
static int room_wait(struct console_writer *console)
{
	struct pollfd fds[] = {
		{ .fd = console->poll_lies ? -1 : console->fd, .events = POLLOUT },
		{ .fd = console->is_last ? -1 : console->socket },
	};
	bool is_over;
	int count, left = wait_ms(console, &is_over);

	if (is_over)
		return -ETIMEDOUT;
	count = sys_poll(fds, 2, left);
	if (count < 0)
		return count == -EINTR ? 0 : count;
	if (fds[1].revents & (POLLHUP | POLLERR)) {
		console->is_last = true;
		console->give_up = mono_after_ms(mono_now(), WRITER_LAST_MS);
	}
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EIO;
	console->poll_lies = fds[0].revents & POLLOUT;  /* until a write shows that it did not */
	return 0;
}

static int console_write(void *target, const char *bytes, size_t len_bytes, size_t *written)
{
	struct console_writer *console = target;

	while (*written < len_bytes) {
		ssize_t n = sys_write(console->fd, bytes + *written, len_bytes - *written);
		int err = 0;

		if (n > 0) {
			*written += (size_t)n;
			console->poll_lies = false;
		} else if (n == -EAGAIN) {
			err = room_wait(console);
		} else if (n != -EINTR) {
			err = n ? (int)n : -EIO;
		}
		if (err)
			return err;
	}
	return 0;
}

static int console_sync(void *target)
{
	(void)target;
	return 0;       /* draining could take for ever, and means nothing */
}

const struct writer_ops console_writer_ops = {
	.name = "console",
	.open = console_open,
	.write = console_write,
	.sync = console_sync,
	.close = console_close,
};
