/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue.h - what pid 1 has to say, on its way to the helpers.
 * One writer (pid 1), one reader and one cursor a sink, in a memfd. Putting never waits, allocates
 * or fails: a full queue gives up its oldest record. Readers learn exactly how many of *their*
 * records they lost: each record carries its ordinal number for every sink. Readers believe nothing
 * they load: indexes are masked, lengths clamped, each record checked before and after the copy.
 * The writer keeps its own head and reads back nothing that others may write but whether a helper
 * sleeps. The layout outlives pid 1's image: version and sizes are in it. */
#ifndef INITLOG_QUEUE_H
#define INITLOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/num.h"

/* SINK_RECORDS is utmp and /var/run/runlevel; wtmp is apart so that a /var that is frozen, full or
 * read-only holds up neither of them (sink_records.h). */
enum sink { SINK_CONSOLE, SINK_SYSLOG, SINK_RECORDS, SINK_WTMP, SINK_COUNT };
#define SINK_BIT(sink) (1u << (sink))

#ifndef QUEUE_BUILT_SLOTS               /* tests/model and stress build a small one */
#define QUEUE_BUILT_SLOTS 512
#define QUEUE_BUILT_TEXT 400
#endif

enum {
	QUEUE_SLOTS = QUEUE_BUILT_SLOTS,        /* 256 KiB: a boot's worth of lines, pid 1 below 1 MiB locked */
	QUEUE_SLOT_BYTES = QUEUE_BUILT_TEXT + 112,
	QUEUE_TEXT_MAX = QUEUE_BUILT_TEXT,      /* longer text is cut */
};

struct queue;                           /* a handle; only queue.c knows the layout (queue_layout.h) */

struct record {
	uint64_t seq;                   /* for queue_done() */
	uint64_t lost;                  /* of this sink, given up just before this one */
	uint64_t ordinal;               /* of this record among the sink's, from 1 */
	struct wall when;               /* when it was said */
	size_t len_bytes;
	char text[QUEUE_TEXT_MAX + 1];  /* NUL behind it; may be binary (SINK_RECORDS) */
};

/* What a sink's helper is doing, for people and for children that wait for a record to be out. */
enum sink_state { SINK_IDLE, SINK_DELIVERING, SINK_BACKING_OFF };

struct queue_status {
	uint64_t pending;               /* of this sink, not delivered, lost ones included */
	uint64_t delivered;
	uint64_t lost;                  /* that were announced as lost */
	enum sink_state state;
};

/* Makes an empty queue in a new memfd. 0, -ENOMEM, -EMFILE ... */
int queue_create(struct queue **out) MUST_CHECK;

/* The same with its counters where a test wants them: a little below a wrap. */
struct queue_start {
	uint64_t seq, ordinal;
};
int queue_create_at(const struct queue_start *start, struct queue **out) MUST_CHECK;

/* Takes over the queue in fd as its writer (pid 1 after executing itself) or reader. -EPROTO: not
 * our layout or damaged beyond use; fd stays the caller's then, else the queue's. */
int queue_attach(int fd, struct queue **out) MUST_CHECK;

void queue_free(struct queue *queue);   /* unmaps and closes; NULL is fine */
int queue_fd(const struct queue *queue);        /* -1 where the kernel has no memfds */

/* --- the writer --- */
/* Safe in a fatal handler. sinks: SINK_BIT()s. Wakes their readers where they sleep. Never
 * blocks. */
void queue_put(
	struct queue *queue, unsigned sinks, struct wall when, const void *text, size_t len_bytes);

/* The seq that the next queue_put() will have: queue_is_past(queue, sink, seq) tells when it is
 * out. */
uint64_t queue_next_seq(const struct queue *queue);

/* --- a reader --- */
/* Copies the sink's oldest undelivered record without moving the cursor. 0, or -EAGAIN: there is
 * none. */
int queue_take(struct queue *queue, enum sink sink, struct record *out) MUST_CHECK;

/* out is delivered (and out->lost announced): the cursor moves past it. */
void queue_done(struct queue *queue, enum sink sink, const struct record *record);

/* record->lost is announced, record not yet delivered: the cursor moves up to it, record->lost
 * becomes 0. */
void queue_done_lost(struct queue *queue, enum sink sink, struct record *record);

void queue_set_state(struct queue *queue, enum sink sink, enum sink_state state);

/* Sleeps until something was put after the caller's last queue_take(), at most timeout_ms (-1: for
 * ever). 0, -ETIMEDOUT, -EINTR. Helpers only: it blocks. */
int queue_wait(struct queue *queue, enum sink sink, int timeout_ms);

/* Sleeps for timeout_ms while queue_put() does without waking the reader, unless very much comes
 * meanwhile. What comes is taken late, but a put costs the writer no system call: to wake a sleeper
 * is what a put costs most. As queue_wait(). */
int queue_linger(struct queue *queue, enum sink sink, int timeout_ms);

/* --- anybody who has it mapped --- */
/* True when the sink has dealt with everything up to and with seq. */
bool queue_is_past(const struct queue *queue, enum sink sink, uint64_t seq);

/* Sleeps until queue_is_past(), at most timeout_ms; returns early (-EAGAIN) when the sink is
 * backing off. 0, -ETIMEDOUT, -EAGAIN. Children only: it blocks. */
int queue_wait_past(struct queue *queue, enum sink sink, uint64_t seq, int timeout_ms);

/* Sleeps until the sink has dealt with all that has been said to it so far; else as
 * queue_wait_past(). */
int queue_wait_quiet(struct queue *queue, enum sink sink, int timeout_ms);

struct queue_status queue_status(const struct queue *queue, enum sink sink);

/* Words that a sink keeps across its helper's restarts and pid 1's new images (what it wrote at
 * boot ...). index below QUEUE_SINK_WORDS; each has one writer, as a rule that sink's helper. */
enum { QUEUE_SINK_WORDS = 104 };
uint64_t queue_word(const struct queue *queue, enum sink sink, unsigned index);
void queue_set_word(struct queue *queue, enum sink sink, unsigned index, uint64_t value);

#endif
