/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue_layout.h - what lies where in the queue's memory. For queue.c alone: it is the only one that
 * knows which word is to be read or written after which. No pointer is in it; each word that two
 * processes share is an atomic. It outlives pid 1's image, so a change is a new version. */
#ifndef INITLOG_QUEUE_LAYOUT_H
#define INITLOG_QUEUE_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "initlog/place.h"
#include "initlog/queue.h"

enum { QUEUE_LAYOUT_VERSION = 1, HEADER_BYTES = 4096 };
#define QUEUE_MAGIC UINT64_C(0x716c74696e690a1a)   /* "\x1a\ninitlq" in memory */

/* What a slot holds, as its one writer and its readers see it in memory of their own. */
struct body {
	uint64_t check;                 /* of all that follows */
	uint64_t seq;
	int64_t when_s;
	uint32_t when_us;
	uint32_t len_bytes;
	uint32_t sinks;
	uint32_t spare;
	uint64_t ordinal[SINK_COUNT];   /* records of each sink, up to and with this one */
	char text[QUEUE_TEXT_MAX];
};

enum {
	BODY_WORDS = (QUEUE_SLOT_BYTES - 8) / 8,
	FIXED_WORDS = offsetof(struct body, text) / 8,
	TEXT_WORDS = QUEUE_TEXT_MAX / 8,
};

union body_words {
	struct body body;
	uint64_t word[FIXED_WORDS + TEXT_WORDS];
};

struct slot {
	_Atomic uint64_t stamp;         /* seq * 2 + 1: being written; seq * 2 + 2: record seq */
	_Atomic uint64_t word[BODY_WORDS];
};

struct cursor {
	struct place_pair place;
	_Atomic uint32_t bell;          /* futex: BELL_...; the helper waits, the writer rings */
	_Atomic uint32_t moved;         /* futex: the place or the state changed */
	_Atomic uint32_t state;
	uint32_t spare;
	_Atomic uint64_t word[QUEUE_SINK_WORDS];
	uint64_t spare2[3];
};

/* Only this one word saves the writer a system call, so a damaged bell costs calls but no wake-up.
 * It stands from the ring that wakes the helper until the helper is about to sleep again. */
enum { BELL_ASLEEP = 1, BELL_AWAKE = 0x616b6577 };

struct header {
	uint64_t magic;
	uint32_t version, slots, slot_bytes, text_max, sinks, words;
	_Atomic uint64_t head;          /* seq of the next record */
	_Atomic uint64_t said[SINK_COUNT];
	uint64_t spare[7];              /* cursors on cache lines of their own */
	struct cursor cursor[SINK_COUNT];
};

struct shared {
	union {
		struct header header;
		char page[HEADER_BYTES];
	};
	struct slot slot[QUEUE_SLOTS];
};

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
	"the queue lives in shared memory");
static_assert((QUEUE_SLOTS & (QUEUE_SLOTS - 1)) == 0, "free-running counters need a power of two");
static_assert(sizeof(struct slot) == QUEUE_SLOT_BYTES, "slots");
static_assert(
	offsetof(struct body, ordinal) == 40 && offsetof(struct body, text) == 72, "no padding");
static_assert(
	sizeof(union body_words) == sizeof(struct body) && FIXED_WORDS + TEXT_WORDS <= BODY_WORDS,
	"words");
static_assert(sizeof(struct cursor) == 960 && offsetof(struct cursor, word) == 104, "cursors");
static_assert(offsetof(struct header, head) == 32 && offsetof(struct header, said) == 40,
	"writer's words");
static_assert(
	offsetof(struct header, cursor) == 128 && sizeof(struct header) <= HEADER_BYTES, "header");
static_assert(sizeof(struct shared) == HEADER_BYTES + QUEUE_SLOTS * QUEUE_SLOT_BYTES, "the whole");

#endif
