/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink_records.h - what record_*() put into the queue, and what two sinks make of it.
 * sink_records_ops keeps utmp and /var/run/runlevel, sink_wtmp_ops appends to wtmp. Each has its
 * own helper, cursor, back-off and loss count, so that a /var that is read-only, full, locked or
 * frozen costs wtmp alone.
 *
 * A file that is absent (or a FIFO, a directory, a symbolic link, immutable: utmp_is_absent())
 * is not wanted: start and end records for it are dropped. Every other failure (read-only, full,
 * locked for writing, I/O) keeps the cursor where it is: the helper backs off and replays from
 * there, and only a lapping queue loses. Boot and level are remembered in the queue's words
 * until they are out, also over an absent file: every later event writes them first. Since each
 * event carries both, they outlive a queue that has lapped, too. A level among 2-5 that finds
 * no boot record in utmp (boot scripts empty it) writes both there again.
 *
 * An end has the line that its process had in utmp, in both files (last(1) ends a session by
 * it). The utmp sink, which alone sees the line before the slot goes to the next process, keeps
 * those of the last ends for the wtmp sink.
 *
 * Replayed records are old, so the present state of utmp wins: a start does not overwrite the
 * record of getty or login with the same pid, and neither a start of a process that is gone nor
 * an end overwrites a living process of the same id.
 *
 * Only who can write a file can lock it for writing, but whoever can read it can keep a read
 * lock for ever. Such a lock is respected for READERS_MS and then ignored, for a minute after
 * READERS_AGAIN_MS; a write lock is waited out. Files are open for one delivery only: a remount
 * read-only at shutdown does not find us with one. */
#ifndef INITLOG_SINK_RECORDS_H
#define INITLOG_SINK_RECORDS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "initlog/queue.h"

enum record_kind {
	RECORD_TRUNCATE = 1,
	RECORD_BOOT,
	RECORD_LEVEL,
	RECORD_START,
	RECORD_END,
	RECORD_SHOW,                    /* /var/run/runlevel alone */
	RECORD_KINDS,
};

enum { RECORD_EVENT_VERSION = 1 };

/* The text of a queue record for these sinks. It may have been put by another version of pid 1. */
struct record_event {
	uint8_t version;
	uint8_t kind;
	char level, previous;           /* in force when it was put, 0: not known */
	int32_t pid;                    /* RECORD_START, RECORD_END */
	char id[4];
	int32_t unused;
	int64_t booted_s;               /* wall clock at record_boot() ... */
	int32_t booted_us;
	int32_t is_booted;              /* ... 0: not yet, or not known */
	int64_t said_at_ns;             /* struct mono */
};
static_assert(sizeof(struct record_event) == 40 && offsetof(struct record_event, pid) == 4 &&
	offsetof(struct record_event, id) == 8 && offsetof(struct record_event, unused) == 12 &&
	offsetof(struct record_event, booted_s) == 16, "lies in the queue");

/* For record_level(): the level that /var/run/runlevel should have, for the sink to look up at
 * any time. The one word that pid 1 writes. */
void record_say_level(struct queue *queue, char level);

/* What is out, for the state stream (-WR -WU -LW -LU). */
struct record_flags {
	bool boot_in_wtmp, boot_in_utmp, level_in_wtmp, level_in_utmp;
};
struct record_flags record_flags(const struct queue *queue);

/* After a change of image, before the helpers start: this level is in force, and this is out by
 * the old init's word. A queue that came along from it knows better, its words stay. Nothing is
 * written by this itself. */
struct initlog;
void record_resume(struct initlog *log, char level, char previous, const struct record_flags *out);

#endif
