/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys.h"

static int writer_start(struct outlet *outlet)
{
	int fds[2], err = sys_socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC, fds);
	pid_t pid;

	if (err)
		return err;
	pid = sys_fork();
	if (!pid) {
		outlet->child(outlet->context, fds[1]);
		sys_exit(1);
	}
	sys_close(fds[1]);
	if (pid < 0) {
		sys_close(fds[0]);
		return pid;
	}
	outlet->fd = fds[0];
	outlet->pid = pid;
	outlet->is_open = false;
	outlet->state = OUTLET_READY;
	return 0;
}

int outlet_begin(struct outlet *outlet, size_t backlog_bytes)
{
	int err = backlog_make(&outlet->backlog, backlog_bytes);

	if (err)
		return err;
	outlet->at_line_begin = true;
	outlet->fd = -1;
	err = writer_start(outlet);
	if (err)
		backlog_free(&outlet->backlog);
	else
		outlet_tend(outlet, mono_now());
	return err;
}

void outlet_put(struct outlet *outlet, const char *bytes, size_t len_bytes)
{
	if (outlet->state != OUTLET_GONE && len_bytes)
		backlog_put(&outlet->backlog, bytes, len_bytes);
}

/* Where bytes are missing, this stands instead. */
static size_t loss_say(struct outlet *outlet)
{
	int len;

	if (!outlet->backlog.lost_bytes)
		return 0;
	len = snprintf(outlet->flight, outlet->packet_bytes, "%s%sbootlogd: %llu bytes lost here\n",
		outlet->at_line_begin ? "" : "\n", outlet->stamp ? outlet->stamp : "",
		(unsigned long long)outlet->backlog.lost_bytes);
	outlet->backlog.lost_bytes = 0;
	return len < 0 ? 0 : (size_t)len;
}

static void flight_fill(struct outlet *outlet)
{
	size_t len = loss_say(outlet);

	len += backlog_take(&outlet->backlog, outlet->flight + len, outlet->packet_bytes - len);
	outlet->flight_len = len;
	outlet->flight_done = 0;
	if (len)
		outlet->at_line_begin = outlet->flight[len - 1] == '\n';
}

static void rest(struct outlet *outlet, int err, struct mono now)
{
	outlet->err = err;
	outlet->state = OUTLET_RESTS;
	outlet->retry_at = mono_after_ms(now, OUTLET_RETRY_MS);
}

static void writer_is_gone(struct outlet *outlet, struct mono now)
{
	if (outlet->fd >= 0)
		sys_close(outlet->fd);
	outlet->fd = -1;
	outlet->is_open = false;
	rest(outlet, -EPIPE, now);
}

static void packet_send(struct outlet *outlet, uint32_t order, struct mono now)
{
	struct writer_packet packet;
	size_t len = 0;
	ssize_t sent;

	packet.order = order;
	if (order == WRITER_WRITE) {
		len = outlet->flight_len - outlet->flight_done;
		memcpy(packet.bytes, outlet->flight + outlet->flight_done, len);
	}
	sent = sys_send(outlet->fd, &packet, offsetof(struct writer_packet, bytes) + len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == -EAGAIN || sent == -EINTR || sent == -ENOBUFS) {
		rest(outlet, (int)sent, now);
	} else if (sent < 0) {
		writer_is_gone(outlet, now);
	} else {
		outlet->order = order;
		outlet->state = OUTLET_WAITS;
		outlet->stall_at = mono_after_ms(now, OUTLET_STALL_MS);
	}
}

/* What there is to ask of the writer; 0: nothing. */
static uint32_t next_order(struct outlet *outlet)
{
	if (outlet->wanted == WRITER_REOPEN)
		return WRITER_REOPEN;
	if (outlet->wants_open && !outlet->is_open)
		return WRITER_OPEN;
	if (outlet->flight_done == outlet->flight_len)
		flight_fill(outlet);
	if (outlet->flight_done < outlet->flight_len)
		return WRITER_WRITE;
	return outlet->wanted;
}

void outlet_tend(struct outlet *outlet, struct mono now)
{
	uint32_t order;

	if (outlet->state == OUTLET_GONE)
		return;
	if (outlet->state == OUTLET_WAITS && mono_is_due(outlet->stall_at, now))
		outlet->state = OUTLET_STALLED;
	if (outlet->state == OUTLET_RESTS && mono_is_due(outlet->retry_at, now)) {
		int err = outlet->fd < 0 ? writer_start(outlet) : 0;

		if (err)
			rest(outlet, err, now);
		else
			outlet->state = OUTLET_READY;
	}
	if (outlet->state != OUTLET_READY)
		return;
	order = next_order(outlet);
	if (order)
		packet_send(outlet, order, now);
}

struct mono outlet_due(const struct outlet *outlet)
{
	bool has_work = outlet_waiting(outlet) || outlet->wanted || (outlet->wants_open && !outlet->is_open);

	if (outlet->state == OUTLET_WAITS)
		return outlet->stall_at;
	if (outlet->state == OUTLET_RESTS && has_work)
		return outlet->retry_at;
	return outlet->state == OUTLET_READY && has_work ? MONO_AT_ONCE : MONO_NEVER;
}

static void answer_take(struct outlet *outlet, const struct writer_report *report, struct mono now)
{
	size_t left = outlet->flight_len - outlet->flight_done;

	if (outlet->order == WRITER_WRITE)
		outlet->flight_done += report->written < left ? report->written : left;
	if (outlet->order == outlet->wanted && (!report->err || outlet->wanted == WRITER_REOPEN))
		outlet->wanted = 0;
	outlet->is_open = report->is_open;
	outlet->device = report->device;
	outlet->east_s = report->east_s;
	outlet->err = report->err;
	if (report->err)
		rest(outlet, report->err, now);
	else
		outlet->state = OUTLET_READY;
}

void outlet_hear(struct outlet *outlet, struct mono now)
{
	struct writer_report report;
	struct iovec part = { &report, sizeof report };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t got = sys_recvmsg(outlet->fd, &msg, MSG_DONTWAIT);

	if (got == -EAGAIN || got == -EINTR)
		return;
	if (got != sizeof report)
		writer_is_gone(outlet, now);
	else if (outlet_is_busy(outlet))
		answer_take(outlet, &report, now);
}

size_t outlet_waiting(const struct outlet *outlet)
{
	return backlog_waiting(&outlet->backlog) + outlet->flight_len - outlet->flight_done;
}

bool outlet_is_busy(const struct outlet *outlet)
{
	return outlet->state == OUTLET_WAITS || outlet->state == OUTLET_STALLED;
}

void outlet_hurry(struct outlet *outlet)
{
	if (outlet->state == OUTLET_RESTS)
		outlet->retry_at = MONO_AT_ONCE;
}

void outlet_end(struct outlet *outlet)
{
	if (outlet->state == OUTLET_GONE || !outlet->state)
		return;
	if (outlet->fd >= 0)
		sys_close(outlet->fd);
	outlet->fd = -1;
	outlet->state = OUTLET_GONE;
	backlog_free(&outlet->backlog);
	outlet->backlog = (struct backlog){ 0 };
	outlet->flight_len = outlet->flight_done = 0;
}
