/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/telinit.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "include/initreq.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/sys.h"

#define LEVELS "0123456789SsQqAaBbCcUu"

enum { RETRY_MS = 50 };
enum { DEFAULT_STOP_S = 3, WAIT_MS = 3000 - 2 * RETRY_MS };

static_assert(sizeof(struct init_request) == 384 && offsetof(struct init_request, i) == 16,
	"initctl wire format");
static_assert(sizeof(struct init_request) <= 512, "the least PIPE_BUF: one write, all or nothing");

struct telinit {
	const char *name;
	const struct telinit_channel *channel;
	struct init_request request;
	int stop_s;
	bool has_stop_time, has_vars;
	const char *level;
	size_t data_used;
};

__attribute__((format(printf, 1, 2)))
static void tell(const char *format, ...)
{
	char text[1024];
	va_list args;
	size_t len;

	va_start(args, format);
	if (vsnprintf(text, sizeof text - 1, format, args) < 0)
		text[0] = '\0';
	va_end(args);
	len = strlen(text);
	text[len] = '\n';
	/* Should nobody listen, the exit status says it too. */
	(void)!io_write_all(2, text, len + 1);
}

static int usage(const struct telinit *t)
{
	tell("Usage: %s {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}",
		t->name);
	return 1;
}

static int too_large(const struct telinit *t)
{
	tell("%s: -e option data too large", t->name);
	return 1;
}

static int var_add(struct telinit *t, const char *var)
{
	size_t bytes = strlen(var) + 1;

	if (!*var)
		return usage(t);
	/* One more NUL ends the list. */
	if (bytes + 1 > sizeof t->request.i.data - t->data_used)
		return too_large(t);
	if (strncmp(var, "INIT_", 5))
		tell("%s: -e %s: init takes only names that begin with INIT_", t->name, var);
	memcpy(t->request.i.data + t->data_used, var, bytes);
	t->data_used += bytes;
	t->has_vars = true;
	return 0;
}

static int stop_time_set(struct telinit *t, const char *text)
{
	int64_t seconds;

	if (num_parse(text, 0, INT_MAX, &seconds)) {
		tell("%s: -t %s: not a number of seconds", t->name, text);
		return usage(t);
	}
	t->stop_s = (int)seconds;
	t->has_stop_time = true;
	return 0;
}

/* At argv[*at]: an option whose value is the rest of the word or the next one. */
static int option_take(struct telinit *t, char **argv, int *at)
{
	char letter = argv[*at][1];
	const char *value = argv[*at] + 2;

	if (letter != 't' && letter != 'e')
		return usage(t);
	if (!*value)
		value = argv[++*at];
	if (!value)
		return usage(t);
	return letter == 't' ? stop_time_set(t, value) : var_add(t, value);
}

static int level_take(struct telinit *t, const char *word)
{
	if (t->level || strlen(word) != 1 || !strchr(LEVELS, *word))
		return usage(t);
	t->level = word;
	return 0;
}

static int arguments_take(struct telinit *t, int argc, char **argv)
{
	bool options_end = false;

	for (int at = 1; at < argc; at++) {
		bool is_option = !options_end && argv[at][0] == '-';
		int status = 0;

		if (is_option && !strcmp(argv[at], "--"))
			options_end = true;
		else if (is_option)
			status = option_take(t, argv, &at);
		else
			status = level_take(t, argv[at]);
		if (status)
			return status;
	}
	if (t->has_vars ? t->level || t->has_stop_time : !t->level)
		return usage(t);
	if (t->has_vars) {
		t->request.cmd = INIT_CMD_SETENV;
	} else {
		t->request.cmd = INIT_CMD_RUNLVL;
		t->request.runlevel = *t->level;
		t->request.sleeptime = t->stop_s;
	}
	return 0;
}

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
static int request_write(const struct telinit *t, int fd, int wait_ms)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t wrote = sys_write(fd, &t->request, sizeof t->request);

	/* Nobody gains from a failed poll: the second write finds out all the same. */
	if (wrote == -EAGAIN && sys_poll(&room, 1, wait_ms) != 0)
		wrote = sys_write(fd, &t->request, sizeof t->request);
	if (wrote < 0)
		return (int)wrote;
	return wrote == sizeof t->request ? 0 : -EIO;
}

/* Opened anew for each try: init may have replaced the FIFO by another one of this name. */
static int request_try(const struct telinit *t)
{
	int fd, err = fifo_open(t->channel->fifo, &fd);

	if (!err) {
		err = request_write(t, fd, RETRY_MS);
		sys_close(fd);
	}
	return err;
}

static bool is_worth_waiting(int err)
{
	/* No reader yet, or no more; no room. */
	return err == -ENXIO || err == -EPIPE || err == -EAGAIN || err == -EINTR;
}

static int request_send(const struct telinit *t)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000 };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct mono deadline = mono_after_ms(mono_now(), t->channel->wait_ms);

	sys_sigaction(SIGPIPE, &ignore);
	for (;;) {
		int err = request_try(t);

		if (!is_worth_waiting(err))
			return err;
		if (mono_is_due(deadline, mono_now()))
			return -ETIMEDOUT;
		sys_sleep(&pause);
	}
}

int telinit_run(const char *name, int argc, char **argv, const struct telinit_channel *channel)
{
	struct telinit t = {
		.name = name,
		.channel = channel,
		.request = { .magic = INIT_MAGIC },
		.stop_s = DEFAULT_STOP_S,
	};
	int err, status = arguments_take(&t, argc, argv);

	if (status)
		return status;
	err = request_send(&t);
	if (err == -ETIMEDOUT)
		tell("%s: timeout opening/writing control channel %s", name, channel->fifo);
	else if (err)
		tell("%s: %s: %s", name, channel->fifo,
			err == -EINVAL ? "not a FIFO" : strerror(-err));
	return err ? 1 : 0;
}

int telinit_main(const char *name, int argc, char **argv)
{
	const struct telinit_channel channel = { INIT_FIFO, WAIT_MS };

	return telinit_run(name, argc, argv, &channel);
}
