/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/initctl.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { RETRY_MS = 50, PIPE_ATOMIC = 4096 };

static_assert(sizeof(struct init_request) == 384 && offsetof(struct init_request, i) == 16,
	"initctl wire format");
static_assert(INITCTL_REQUESTS_MAX * sizeof(struct init_request) <= PIPE_ATOMIC, "one write, all or nothing");
static_assert(INITCTL_WAIT_MS + 2 * RETRY_MS <= 3000, "the last try ends within 3 s");

/* Opening what is no FIFO may wait (a tty) or do something (a watchdog): look before. */
static int fifo_open(const char *path, int *out)
{
	struct stat st;
	int fd, err = sys_stat(path, &st);

	if (err)
		return err;
	if (!S_ISFIFO(st.st_mode))
		return -EINVAL;
	fd = sys_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && !S_ISFIFO(st.st_mode))
		err = -EINVAL;
	if (err)
		sys_close(fd);
	else
		*out = fd;
	return err;
}

/* -EAGAIN: full for as long as the wait. */
static int write_at_once(int fd, const void *bytes, size_t len_bytes, int wait_ms)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t wrote = sys_write(fd, bytes, len_bytes);

	/* Nobody gains from a failed poll: the second write finds out all the same. */
	if (wrote == -EAGAIN && sys_poll(&room, 1, wait_ms) != 0)
		wrote = sys_write(fd, bytes, len_bytes);
	if (wrote < 0)
		return (int)wrote;
	return wrote == (ssize_t)len_bytes ? 0 : -EIO;
}

/* Opened anew for each try: init may have replaced the FIFO by another one of this name. */
static int send_try(const char *fifo, const void *bytes, size_t len_bytes)
{
	int fd, err = fifo_open(fifo, &fd);

	if (!err) {
		err = write_at_once(fd, bytes, len_bytes, RETRY_MS);
		sys_close(fd);
	}
	return err;
}

static bool is_worth_waiting(int err)
{
	/* No reader yet, or no more; no room. */
	return err == -ENXIO || err == -EPIPE || err == -EAGAIN || err == -EINTR;
}

int initctl_send(const struct initctl_channel *channel, const struct init_request *requests, size_t count)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000 };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct mono deadline = mono_after_ms(mono_now(), channel->wait_ms);

	if (count > INITCTL_REQUESTS_MAX)
		return -E2BIG;
	sys_sigaction(SIGPIPE, &ignore);
	for (;;) {
		int err = send_try(channel->fifo, requests, count * sizeof *requests);

		if (!is_worth_waiting(err))
			return err;
		if (mono_is_due(deadline, mono_now()))
			return -ETIMEDOUT;
		sys_sleep(&pause);
	}
}

void initctl_complain(const char *name, const struct initctl_channel *channel, int err)
{
	char text[512];
	int len;

	if (err == -ETIMEDOUT)
		len = snprintf(text, sizeof text, "%s: timeout opening/writing control channel %s\n", name, channel->fifo);
	else
		len = snprintf(text, sizeof text, "%s: %s: %s\n", name, channel->fifo,
			err == -EINVAL ? "not a FIFO" : strerror(-err));
	if (len < 0)
		return;
	if ((size_t)len >= sizeof text) {
		len = sizeof text - 1;
		text[len - 1] = '\n';
	}
	/* Should nobody listen, the exit status says it too. */
	(void)!io_write_all(2, text, (size_t)len);
}
