/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/report.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "init/control.h"
#include "init/level.h"
#include "init/power.h"
#include "init/reap.h"
#include "init/takeover.h"
#include "lib/sys.h"

enum { HEAD_BYTES = offsetof(struct report, text) };

/* Room for the descriptors of one report, aligned as cmsg(3) wants it. The kernel is told the length, not the space:
 * what it would fit into the padding beyond the last one nobody would close. */
union fds_message {
	struct cmsghdr head;
	char room[CMSG_SPACE(REPORT_FDS_MAX * sizeof(int))];
};
enum { FDS_BYTES = CMSG_LEN(REPORT_FDS_MAX * sizeof(int)) };

static void share_count(struct init *in)
{
	void *at;

	if (!in->unsent && !sys_map(-1, sizeof *in->unsent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, &at))
		in->unsent = at;
}

int report_open(struct init *in)
{
	int fds[2], err;

	share_count(in);
	err = sys_socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC, fds);
	if (err)
		return err;
	in->report_fd = fds[0];
	in->report_child_fd = fds[1];
	return 0;
}

void report_shed(struct init *in)
{
	if (in->unsent)
		sys_unmap((void *)in->unsent, sizeof *in->unsent);
	in->unsent = NULL;
}

void report_tend(struct init *in)
{
	if (in->unsent && atomic_load_explicit(in->unsent, memory_order_relaxed))
		initlog_say_lost(&in->log, atomic_exchange_explicit(in->unsent, 0, memory_order_relaxed));
}

/* --- the child's side --- */

static int send_report(const struct init *in, const struct report *report, const int *fds, int count)
{
	struct iovec data = { (void *)report, HEAD_BYTES + strlen(report->text) + 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	union fds_message room;
	struct cmsghdr *head = &room.head;

	memset(&room, 0, sizeof room);
	while (count > 0 && fds[count - 1] < 0)
		count--;
	if (count > 0) {
		message.msg_control = room.room;
		message.msg_controllen = (socklen_t)CMSG_SPACE((size_t)count * sizeof *fds);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = (socklen_t)CMSG_LEN((size_t)count * sizeof *fds);
		memcpy(CMSG_DATA(head), fds, (size_t)count * sizeof *fds);
	}
	for (;;) {
		ssize_t sent = sys_sendmsg(in->report_child_fd, &message, MSG_NOSIGNAL);

		if (sent != -EINTR)
			return sent < 0 ? (int)sent : 0;
	}
}

void report_log_in_child(const struct init *in, unsigned sinks, const char *format, ...)
{
	struct report report = { .kind = REPORT_LOG, .sinks = sinks };
	va_list args;

	va_start(args, format);
	vsnprintf(report.text, sizeof report.text, format, args);
	va_end(args);
	if (send_report(in, &report, NULL, 0) && in->unsent)
		atomic_fetch_add_explicit(in->unsent, 1, memory_order_relaxed);
}

void report_in_child(const struct init *in, enum report_kind kind, const char *text, const int *fds, int count)
{
	struct report report = { .kind = kind };

	snprintf(report.text, sizeof report.text, "%s", text);
	(void)send_report(in, &report, fds, count);  /* its end says that it found nothing */
}

/* --- pid 1's side: what a handler keeps of fds it takes out (-1); the rest is closed --- */

static void on_log(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	(void)fds;
	initlog(&in->log, report->sinks & LOG_TO_BOTH, "%s", report->text);
}

static void on_console(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	size_t len = strlen(report->text);

	in->is_console_missing = !len;
	if (len && len < sizeof in->console)
		memcpy(in->console, report->text, len + 1);
	/* console_codes(4): the signal goes to the caller, so pid 1 it must be. It takes a spin lock only. */
	if (fds[0] >= 0)
		(void)sys_accept_kbrequest(fds[0], SIGWINCH);    /* not every console has a keyboard */
}

static void on_door(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	control_take(in, report->text, fds);
	fds[0] = fds[1] = -1;
}

static void on_mounts(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	control_take_mounts(in, report->text, fds[0]);
	fds[0] = -1;
}

static void on_level(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	(void)fds;
	level_answered(in, report->text[0]);
}

static void on_power(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	(void)fds;
	power_event(in, report->text[0]);
}

static void on_children(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	in->is_nested = !strcmp(report->text, POWER_NESTED);
	reap_take_list(in, fds[0]);
	fds[0] = -1;
}

static void on_state(struct init *in, const struct report *report, int fds[REPORT_FDS_MAX])
{
	(void)report;
	takeover_take(in, fds);
	fds[0] = fds[1] = -1;
}

static void (*const on_report[])(struct init *, const struct report *, int[REPORT_FDS_MAX]) = {
	[REPORT_LOG] = on_log,
	[REPORT_CONSOLE] = on_console,
	[REPORT_DOOR] = on_door,
	[REPORT_LEVEL] = on_level,
	[REPORT_POWER] = on_power,
	[REPORT_CHILDREN] = on_children,
	[REPORT_STATE] = on_state,
	[REPORT_MOUNTS] = on_mounts,
};
static_assert(sizeof on_report / sizeof on_report[0] == REPORT_COUNT, "act on every report");

static void take_fds(struct msghdr *message, int fds[REPORT_FDS_MAX])
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	size_t bytes;

	for (int i = 0; i < REPORT_FDS_MAX; i++)
		fds[i] = -1;
	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
		return;
	bytes = head->cmsg_len - CMSG_LEN(0);
	if (bytes > REPORT_FDS_MAX * sizeof *fds)
		bytes = REPORT_FDS_MAX * sizeof *fds;
	memcpy(fds, CMSG_DATA(head), bytes);
}

/* Receives one report. Its length, or a negative errno. */
static ssize_t receive(struct init *in, struct report *report, int fds[REPORT_FDS_MAX])
{
	struct iovec data = { report, sizeof *report };
	union fds_message room;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room.room,
		.msg_controllen = FDS_BYTES };
	ssize_t got;

	memset(report, 0, sizeof *report);
	got = sys_recvmsg(in->report_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0)
		return got;
	take_fds(&message, fds);
	report->text[REPORT_TEXT_MAX] = '\0';
	return got;
}

static void serve(struct init *in, const struct report *report, ssize_t got, int fds[REPORT_FDS_MAX])
{
	if (got > (ssize_t)HEAD_BYTES && report->kind > REPORT_NONE && report->kind < REPORT_COUNT)
		on_report[report->kind](in, report, fds);
	for (int i = 0; i < REPORT_FDS_MAX; i++)
		if (fds[i] >= 0)
			sys_close(fds[i]);
}

bool report_read(struct init *in)
{
	struct report report;
	int fds[REPORT_FDS_MAX];

	for (int i = 0; i < REPORTS_A_TURN; i++) {
		ssize_t got = receive(in, &report, fds);

		/* No end of file (0): pid 1 holds the sending end, too. An empty report is one that says nothing. */
		if (got < 0)
			return false;
		serve(in, &report, got, fds);
	}
	return true;
}
