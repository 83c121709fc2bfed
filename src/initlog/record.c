/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "initlog/initlog.h"
#include "initlog/sink_records.h"

enum { CHILD_WAITS_MS = 500, SINKS = SINK_BIT(SINK_RECORDS) | SINK_BIT(SINK_WTMP) };

static void put(struct initlog *log, unsigned sinks, struct wall when, struct record_event event)
{
	if (!log->queue)
		return;
	if (log->shown)
		record_say_level(log->queue, log->shown);
	event.version = RECORD_EVENT_VERSION;
	event.said_at_ns = mono_now().ns;
	event.level = log->level;
	event.previous = log->previous;
	event.booted_s = log->booted.s;
	event.booted_us = log->booted.us;
	event.is_booted = log->is_booted;
	queue_put(log->queue, sinks, when, &event, sizeof event);
}

void record_truncate_utmp(struct initlog *log)
{
	put(log, SINK_BIT(SINK_RECORDS), wall_now(),
		(struct record_event){ .kind = RECORD_TRUNCATE });
}

void record_boot(struct initlog *log)
{
	log->booted = wall_now();
	log->is_booted = true;
	put(log, SINKS, log->booted, (struct record_event){ .kind = RECORD_BOOT });
}

void record_level(struct initlog *log, char level, char previous)
{
	log->level = level;
	log->previous = previous;
	log->shown = level;
	put(log, SINKS, wall_now(), (struct record_event){ .kind = RECORD_LEVEL });
}

void record_show_level(struct initlog *log, char level)
{
	log->shown = level;
	put(log, SINK_BIT(SINK_RECORDS), wall_now(), (struct record_event){ .kind = RECORD_SHOW });
}

void record_start(struct initlog *log, const char id[4], pid_t pid)
{
	struct record_event event = { .kind = RECORD_START, .pid = pid };

	memcpy(event.id, id, sizeof event.id);
	put(log, SINKS, wall_now(), event);
}

void record_end(struct initlog *log, const char id[4], pid_t pid)
{
	struct record_event event = { .kind = RECORD_END, .pid = pid };

	memcpy(event.id, id, sizeof event.id);
	put(log, SINKS, wall_now(), event);
}

void record_wait_in_child(struct initlog *log, uint64_t seq)
{
	/* A late record is no harm. */
	if (log->queue)
		(void)queue_wait_past(log->queue, SINK_RECORDS, seq, CHILD_WAITS_MS);
}
