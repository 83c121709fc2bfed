/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/writer.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/sys.h"

static int32_t east_now(void)
{
	time_t now = (time_t)wall_now().s;
	struct tm tm = { 0 };

	tzset();        /* /usr may have been mounted meanwhile */
	return localtime_r(&now, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static int open_if_needed(const struct writer_ops *ops, void *target, bool *is_open, uint64_t *device)
{
	int err;

	if (*is_open)
		return 0;
	err = ops->open(target, device);
	*is_open = !err;
	return err;
}

static void serve(const struct writer_ops *ops, void *target, const struct writer_packet *packet, size_t len,
	struct writer_report *report)
{
	bool is_open = report->is_open;
	size_t written = 0;

	if (packet->order == WRITER_REOPEN && is_open) {
		ops->close(target);
		is_open = false;
	}
	report->err = packet->order == WRITER_SYNC && !is_open ? 0 : open_if_needed(ops, target, &is_open, &report->device);
	if (!report->err && packet->order == WRITER_WRITE)
		report->err = ops->write(target, packet->bytes, len, &written);
	if (!report->err && packet->order == WRITER_SYNC && is_open)
		report->err = ops->sync(target);
	/* A hung-up terminal does not come back by itself: the name may have another one. */
	if (report->err == -EIO && is_open) {
		ops->close(target);
		is_open = false;
	}
	report->is_open = is_open;
	report->written = (uint32_t)written;
	report->east_s = east_now();
}

static ssize_t packet_receive(int socket, struct writer_packet *packet)
{
	struct iovec part = { packet, sizeof *packet };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t got;

	do
		got = sys_recvmsg(socket, &msg, 0);
	while (got == -EINTR);
	return got;
}

int writer_run(int socket, const struct writer_ops *ops, void *target)
{
	struct writer_report report = { 0 };
	struct writer_packet packet;
	ssize_t got, sent;

	for (;;) {
		got = packet_receive(socket, &packet);
		if (got < (ssize_t)offsetof(struct writer_packet, bytes))
			break;
		serve(ops, target, &packet, (size_t)got - offsetof(struct writer_packet, bytes), &report);
		do
			sent = sys_send(socket, &report, sizeof report, MSG_NOSIGNAL);
		while (sent == -EINTR);
		if (sent < 0)
			break;
	}
	if (report.is_open)
		ops->close(target);
	return got < 0 ? (int)got : 0;
}
