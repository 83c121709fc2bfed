/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 3164 to /dev/log, as syslog(3) would send it but never waiting: over one connection, a
 * datagram a record or, where the socket is a stream, a frame that ends in NUL. */
#include "initlog/sink.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#include "lib/devlog.h"
#include "lib/sys.h"
#include "lib/text.h"
#include "lib/zone.h"

enum {
	DAEMON_INFO = 3 << 3 | 6,
	FRAME_MAX = TEXT_GROWTH * QUEUE_TEXT_MAX + DEVLOG_HEAD_MAX,
	ZONE_AGAIN_S = 60,      /* while it cannot be read; then it holds until a new connection */
};

struct syslog {
	const struct initlog_config *config;
	int fd;
	bool is_stream;
	int watch_fd, watch;    /* inotify, on the directory of the socket */
	uint64_t ordinal;       /* of the record in frame */
	size_t len, sent;       /* of frame; equal: no frame is under way */
	char frame[FRAME_MAX];  /* NUL behind it */
	struct mono zone_due;
	struct zone zone;
};

static void syslog_close(struct syslog *syslog)
{
	if (syslog->fd < 0)
		return;
	sys_close(syslog->fd);
	syslog->fd = -1;
	syslog->sent = 0;
}

static int syslog_connect(struct syslog *syslog)
{
	int err = devlog_connect(syslog->config->dev_log, &syslog->fd, &syslog->is_stream);

	if (!err)
		syslog->zone_due = (struct mono){ 0 };
	return err;
}

/* Local time, as syslog(3) has it. Not before there is a syslogd: file systems are mounted by
 * then. */
static struct civil local_time(struct syslog *syslog, int64_t when_s)
{
	struct mono now = mono_now();

	if (mono_is_due(syslog->zone_due, now))
		syslog->zone_due = zone_load(&syslog->zone, syslog->config->zone) ?
			mono_after_s(now, ZONE_AGAIN_S) : MONO_NEVER;
	return zone_civil(&syslog->zone, when_s);
}

static void frame_make(struct syslog *syslog, const struct record *record)
{
	int priority = syslog->config->priority ? syslog->config->priority : DAEMON_INFO;
	size_t len = devlog_head(syslog->frame, sizeof syslog->frame, priority,
		local_time(syslog, record->when.s), syslog->config->ident);

	syslog->len = len;
	syslog->len += text_make_harmless(record->text, record->len_bytes, syslog->frame + len,
		sizeof syslog->frame - 1 - len);
	syslog->frame[syslog->len] = '\0';
	syslog->sent = 0;
	syslog->ordinal = record->ordinal;
}

static int room_wait(const struct syslog *syslog, struct mono deadline)
{
	struct pollfd poll = { .fd = syslog->fd, .events = POLLOUT };
	int left = mono_left_ms(deadline, mono_now());
	int count = left ? sys_poll(&poll, 1, left) : 0;

	if (!left)
		return -ETIMEDOUT;
	return count < 0 && count != -EINTR ? count : 0;
}

static int frame_send(struct syslog *syslog, struct mono deadline)
{
	size_t len = syslog->len + syslog->is_stream;

	while (syslog->sent < len) {
		ssize_t n = sys_send(syslog->fd, syslog->frame + syslog->sent, len - syslog->sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		int err = 0;

		if (n > 0)
			syslog->sent += (size_t)n;
		else if (n == -EAGAIN)
			err = room_wait(syslog, deadline);
		else if (n != -EINTR)
			err = n ? (int)n : -EIO;
		else if (mono_is_due(deadline, mono_now()))
			err = -ETIMEDOUT;
		if (err)
			return err;
	}
	syslog->sent = syslog->len;
	return 0;
}

static void *syslog_start(const struct initlog_config *config, struct queue *queue)
{
	static struct syslog syslog;

	(void)queue;
	syslog = (struct syslog){ .config = config, .fd = -1, .watch_fd = -1, .watch = -1 };
	return &syslog;
}

/* A second connection at once: the usual error is that syslogd was restarted. */
static int syslog_deliver(void *state, const struct record *record, struct mono deadline)
{
	struct syslog *syslog = state;
	bool is_fresh = false;
	int err;

	for (;;) {
		if (syslog->fd < 0) {
			err = syslog_connect(syslog);
			if (err)
				return err;
			is_fresh = true;
		}
		if (syslog->sent == syslog->len || syslog->ordinal != record->ordinal)
			frame_make(syslog, record);
		err = frame_send(syslog, deadline);
		if (!err || err == -ETIMEDOUT)
			return err;
		syslog_close(syslog);
		if (is_fresh)
			return err;
	}
}

/* True if the watch is new: what came before it was not seen. */
static bool watch_set(struct syslog *syslog)
{
	int watch;

	if (syslog->watch_fd < 0)
		syslog->watch_fd = sys_inotify(IN_NONBLOCK | IN_CLOEXEC);
	if (syslog->watch_fd < 0)
		return false;
	/* By name each time: /dev may have been mounted over since. */
	watch = sys_inotify_add(syslog->watch_fd, syslog->config->dev_log_folder,
		IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
	if (watch < 0 || watch == syslog->watch)
		return false;
	syslog->watch = watch;
	return true;
}

/* True if an event names the socket. */
static bool watch_read(struct syslog *syslog)
{
	_Alignas(struct inotify_event) char buf[4096];
	const char *slash = strrchr(syslog->config->dev_log->sun_path, '/');
	ssize_t got = sys_read(syslog->watch_fd, buf, sizeof buf);
	bool named = false;

	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)(buf + at);

		named = named || event->mask & IN_Q_OVERFLOW ||
			(event->len && !strcmp(event->name, slash + 1));
		at += (ssize_t)sizeof *event + event->len;
	}
	return named;
}

static void watch_wait(struct syslog *syslog, struct mono until)
{
	struct pollfd poll = { .fd = syslog->watch_fd, .events = POLLIN };

	if (watch_set(syslog))
		return;
	poll.fd = syslog->watch_fd;     /* below 0: poll just sleeps */
	for (;;) {
		int left = mono_left_ms(until, mono_now());

		if (!left || sys_poll(&poll, 1, left) <= 0 || watch_read(syslog))
			return;
	}
}

static void syslog_wait(void *state, struct mono until)
{
	struct syslog *syslog = state;
	struct pollfd poll = { .fd = syslog->fd, .events = POLLOUT };

	if (syslog->fd < 0)
		watch_wait(syslog, until);
	else
		sys_poll(&poll, 1, mono_left_ms(until, mono_now()));
}

const struct sink_ops sink_syslog_ops = {
	.name = "syslog",
	.deadline_ms = 1000,
	.open = syslog_start,
	.deliver = syslog_deliver,
	.wait = syslog_wait,
	.says_lost = true,
	.linger_ms = 20,
};
