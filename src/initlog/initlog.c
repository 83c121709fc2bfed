/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initlog/initlog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "initlog/sink.h"
#include "lib/sys.h"

enum { BACKOFF_FIRST_S = 1, BACKOFF_MAX_S = 60, RAN_WELL_S = 60, QUEUE_AGAIN_S = 1, TAKE_TRIES = 30 };

int initlog_open(struct initlog *log, const struct initlog_config *config,
	struct title *command_line, int queue_fd)
{
	struct queue *queue = NULL;
	int err = queue_fd >= 0 ? queue_attach(queue_fd, &queue) : queue_create(&queue);

	*log = (struct initlog){ .config = *config, .command_line = command_line, .old_queue_fd = -1 };
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		log->helper[sink].backoff_s = BACKOFF_FIRST_S;
	if (!err)
		log->queue = queue;
	else if (err != -EPROTO)
		log->old_queue_fd = queue_fd;
	return err;
}

/* -EPROTO: there is none that could be taken over. */
static int queue_take_over(struct initlog *log)
{
	int err = -EPROTO;

	if (log->old_queue_fd < 0)
		return err;
	if (log->take_tries++ < TAKE_TRIES)
		err = queue_attach(log->old_queue_fd, &log->queue);
	if (err == -EPROTO)
		sys_close(log->old_queue_fd);
	if (!err || err == -EPROTO)
		log->old_queue_fd = -1;
	return err;
}

/* What was said before there was a queue is counted; the next record has the level and the boot with it. */
static void queue_try(struct initlog *log, struct mono now)
{
	unsigned unsaid = log->unsaid;
	int err = queue_take_over(log);

	if (err == -EPROTO)
		err = queue_create(&log->queue);
	if (err) {
		log->queue = NULL;
		log->queue_at = mono_after_s(now, QUEUE_AGAIN_S);
		return;
	}
	log->unsaid = 0;
	initlog_say_lost(log, unsaid);
}

void initlog_say_lost(struct initlog *log, unsigned lost)
{
	if (lost)
		initlog(log, LOG_TO_BOTH, lost == 1 ? "%u message lost" : "%u messages lost", lost);
}

void initlog(struct initlog *log, unsigned sinks, const char *format, ...)
{
	char text[QUEUE_TEXT_MAX + 1];
	va_list args;
	int len;

	if (!log->queue) {
		log->unsaid++;
		return;
	}
	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (len > QUEUE_TEXT_MAX)
		len = QUEUE_TEXT_MAX;
	else if (len && text[len - 1] == '\n')
		len--;
	queue_put(log->queue, sinks, wall_now(), text, (size_t)len);
}

/* Also for one that could not be started. */
static void helper_ended(struct helper *helper, struct mono now)
{
	if (helper->pid && mono_is_due(mono_after_s(helper->started, RAN_WELL_S), now)) {
		helper->start_at = now;
		helper->backoff_s = BACKOFF_FIRST_S;
	} else {
		helper->start_at = mono_after_s(now, helper->backoff_s);
		helper->backoff_s *= 2;
		if (helper->backoff_s > BACKOFF_MAX_S)
			helper->backoff_s = BACKOFF_MAX_S;
	}
	helper->pid = 0;
}

bool initlog_child_ended(struct initlog *log, pid_t pid, struct mono now)
{
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		if (!log->helper[sink].pid || log->helper[sink].pid != pid)
			continue;
		helper_ended(&log->helper[sink], now);
		return true;
	}
	return false;
}

static void helper_start(struct initlog *log, enum sink sink, struct mono now)
{
	struct helper *helper = &log->helper[sink];
	pid_t pid = sys_fork();

	if (!pid)
		helper_main(log, sink);
	if (pid < 0) {
		helper_ended(helper, now);
		return;
	}
	helper->pid = pid;
	helper->started = now;
}

struct mono initlog_tend(struct initlog *log, struct mono now)
{
	struct mono next = MONO_NEVER;

	if (!log->queue && mono_is_due(log->queue_at, now))
		queue_try(log, now);
	if (!log->queue)
		return log->queue_at;
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		struct helper *helper = &log->helper[sink];

		if (!helper->pid && mono_is_due(helper->start_at, now))
			helper_start(log, sink, now);
		if (!helper->pid)
			next = mono_first(next, helper->start_at);
	}
	return next;
}

int initlog_leave_helper(struct initlog *log, enum sink sink, int stay_s)
{
	pid_t writer = sys_getpid(), pid = sys_fork();

	if (!pid)
		helper_outlive(log, sink, writer, stay_s);
	return pid;
}

void initlog_stop_helpers(struct initlog *log)
{
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		if (log->helper[sink].pid)
			sys_kill(log->helper[sink].pid, SIGKILL);
		log->helper[sink] = (struct helper){ .backoff_s = BACKOFF_FIRST_S };
	}
}
