/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every word that two processes share is an atomic. What orders them, each store with its load:
 *
 * [put:A] "being written" before the words, which are releases; [take:C] the words before the
 *         second look at the stamp: a word of a newer record shows in it
 * [put:B] the words before the stamp that vouches for them; [take:B] the stamp before the words
 * [put:C] the slot before the head that covers it; [take:A] the head before the slots
 * [put:D] the head before the look at the bell; [wait:D] "asleep" in the bell before the look at
 *         the head: one of the two must see the other's store, or a wake-up is lost
 * [moved:A] place and state before the bell of those who wait for them; [moved:B] that bell before
 *         the place and the state
 *
 * No fences: ThreadSanitizer does not know them, and on x86-64 all but [put:D] cost nothing. */
#include "initlog/queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "initlog/queue_layout.h"
#include "lib/sys.h"

enum {
	PAGE_BYTES = 4096,
	MEMFD_CLOEXEC_AND_SEALS = 3,
	SEAL_SIZE = 1 | 2 | 4, /* F_SEAL_SEAL, _SHRINK, _GROW: no page may become a SIGBUS */
	ALL_SINKS = (1 << SINK_COUNT) - 1,
	LINGER_RECORDS = 64,            /* then who lingers is rung for: well below QUEUE_SLOTS */
};

struct queue {
	struct shared *shared;
	int fd;
	/* The writer's own: what it stores in the header it never reads back. Atomic for a fatal
	 * handler's sake. */
	_Atomic uint64_t head, said[SINK_COUNT];
	_Atomic uint32_t unrung[SINK_COUNT];
	/* A reader's own: the head that its last look went up to. */
	uint64_t seen[SINK_COUNT];
};

#define load_relaxed(at) atomic_load_explicit(at, memory_order_relaxed)
#define load_ordered(at) atomic_load_explicit(at, memory_order_seq_cst)
#define load_acquire(at) atomic_load_explicit(at, memory_order_acquire)
#define store_relaxed(at, value) atomic_store_explicit(at, value, memory_order_relaxed)
#define store_release(at, value) atomic_store_explicit(at, value, memory_order_release)
#define store_ordered(at, value) atomic_store_explicit(at, value, memory_order_seq_cst)

static bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static size_t text_words(size_t len_bytes)
{
	return (len_bytes + 7) / 8;
}

static uint64_t body_check(const union body_words *it)
{
	return words_checksum(it->word + 1, FIXED_WORDS - 1 + text_words(it->body.len_bytes));
}

static struct cursor *cursor_of(const struct queue *queue, enum sink sink)
{
	return &queue->shared->header.cursor[sink];
}

/* Those who wait for the sink look again. */
static void moved_ring(struct cursor *cursor)
{
	atomic_fetch_add_explicit(&cursor->moved, 1, memory_order_release);     /* [moved:A] */
	sys_futex_wake(&cursor->moved);
}

static void place_move(struct cursor *cursor, const struct place *place)
{
	place_store(&cursor->place, place);
	moved_ring(cursor);
}

/* --- making, taking over --- */

static int handle_new(int fd, struct queue **out)
{
	struct queue *queue;
	void *handle, *shared;
	int err;

	err = sys_map(
		-1, sizeof *queue, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, &handle);
	if (err)
		return err;
	if (fd < 0)
		fd = -1;
	err = sys_map(fd, sizeof(struct shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), &shared);
	if (err) {
		sys_unmap(handle, sizeof *queue);
		return err;
	}
	queue = handle;
	queue->shared = shared;
	queue->fd = fd;
	*out = queue;
	return 0;
}

static void handle_free(struct queue *queue)
{
	sys_unmap(queue->shared, sizeof *queue->shared);
	sys_unmap(queue, sizeof *queue);
}

/* Takes the memory now and by a call that can fail: a first touch that finds none is a SIGBUS. */
static int memory_take(int fd)
{
	int err = sys_ftruncate(fd, sizeof(struct shared));

	for (size_t at = 0; !err && at < sizeof(struct shared); at += PAGE_BYTES) {
		ssize_t n = sys_pwrite(fd, "", 1, (off_t)at);

		err = n < 0 ? (int)n : 0;
	}
	return err ? err : sys_seal(fd, SEAL_SIZE);
}

static void header_init(struct queue *queue, const struct queue_start *start)
{
	struct header *header = &queue->shared->header;
	struct place place = { .next = start->seq, .dealt = start->ordinal };

	header->magic = QUEUE_MAGIC;
	header->version = QUEUE_LAYOUT_VERSION;
	header->slots = QUEUE_SLOTS;
	header->slot_bytes = QUEUE_SLOT_BYTES;
	header->text_max = QUEUE_TEXT_MAX;
	header->sinks = SINK_COUNT;
	header->words = QUEUE_SINK_WORDS;
	store_relaxed(&header->head, start->seq);
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		store_relaxed(&header->said[sink], start->ordinal);
		place_store(&header->cursor[sink].place, &place);
	}
}

static bool header_is_ours(const struct header *header)
{
	return header->magic == QUEUE_MAGIC && header->version == QUEUE_LAYOUT_VERSION &&
		header->slots == QUEUE_SLOTS && header->slot_bytes == QUEUE_SLOT_BYTES &&
		header->text_max == QUEUE_TEXT_MAX && header->sinks == SINK_COUNT &&
		header->words == QUEUE_SINK_WORDS;
}

static bool slot_read(const struct queue *queue, uint64_t seq, union body_words *out)
{
	const struct slot *slot = &queue->shared->slot[seq & (QUEUE_SLOTS - 1)];
	size_t count;

	if (load_acquire(&slot->stamp) != seq * 2 + 2)                  /* [take:B] */
		return false;
	for (unsigned i = 0; i < FIXED_WORDS; i++)
		out->word[i] = load_acquire(&slot->word[i]);            /* [take:C] */
	if (out->body.len_bytes > QUEUE_TEXT_MAX)
		return false;
	count = FIXED_WORDS + text_words(out->body.len_bytes);
	for (size_t i = FIXED_WORDS; i < count; i++)
		out->word[i] = load_acquire(&slot->word[i]);            /* [take:C] */
	if (load_relaxed(&slot->stamp) != seq * 2 + 2)
		return false;
	return out->body.seq == seq && out->body.check == body_check(out);
}

/* The newest record that is whole. */
static bool newest_find(const struct queue *queue, union body_words *out)
{
	union body_words it;
	bool found = false;

	for (unsigned i = 0; i < QUEUE_SLOTS; i++) {
		uint64_t seq =
			load_relaxed(&queue->shared->slot[i].word[offsetof(struct body, seq) / 8]);

		if ((seq & (QUEUE_SLOTS - 1)) != i || !slot_read(queue, seq, &it))
			continue;
		if (!found || is_before(out->body.seq, seq))
			*out = it;
		found = true;
	}
	return found;
}

/* The header's counters, unless the newest whole record shows that they cannot be right. */
static uint64_t counter_believe(uint64_t header, uint64_t shown)
{
	return header - shown <= QUEUE_SLOTS ? header : shown;
}

static void writer_recover(struct queue *queue)
{
	struct header *header = &queue->shared->header;
	union body_words newest = { 0 };

	store_relaxed(&queue->head, load_relaxed(&header->head));
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		store_relaxed(&queue->said[sink], load_relaxed(&header->said[sink]));
	if (!newest_find(queue, &newest))
		return;
	store_relaxed(
		&queue->head, counter_believe(load_relaxed(&queue->head), newest.body.seq + 1));
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		store_relaxed(&queue->said[sink],
			counter_believe(
				load_relaxed(&queue->said[sink]), newest.body.ordinal[sink]));
}

int queue_create_at(const struct queue_start *start, struct queue **out)
{
	struct queue *queue;
	int err = 0, fd = sys_memfd("initlog", MEMFD_CLOEXEC_AND_SEALS);

	if (fd < 0 && fd != -ENOSYS)
		return fd;
	/* A kernel without memfds: all works but for taking the queue over. */
	if (fd >= 0)
		err = memory_take(fd);
	if (!err)
		err = handle_new(fd, &queue);
	if (err) {
		if (fd >= 0)
			sys_close(fd);
		return err;
	}
	header_init(queue, start);
	writer_recover(queue);
	*out = queue;
	return 0;
}

int queue_create(struct queue **out)
{
	return queue_create_at(&(struct queue_start){ 0 }, out);
}

int queue_attach(int fd, struct queue **out)
{
	struct queue *queue;
	struct stat st;
	int err = sys_fstat(fd, &st);

	if (err)
		return err;
	if (st.st_size != sizeof(struct shared))
		return -EPROTO;
	err = handle_new(fd, &queue);
	if (err)
		return err;
	if (!header_is_ours(&queue->shared->header)) {
		handle_free(queue);
		return -EPROTO;
	}
	writer_recover(queue);
	*out = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->fd >= 0)
		sys_close(queue->fd);
	handle_free(queue);
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}

/* --- the writer --- */

static void slot_write(struct slot *slot, uint64_t seq, const union body_words *it, size_t count)
{
	store_relaxed(&slot->stamp, seq * 2 + 1);
	for (size_t i = 0; i < count; i++)
		store_release(&slot->word[i], it->word[i]);     /* [put:A] */
	store_release(&slot->stamp, seq * 2 + 2);               /* [put:B] */
}

static void bell_ring(struct queue *queue, enum sink sink)
{
	struct cursor *cursor = cursor_of(queue, sink);
	uint32_t unrung = load_relaxed(&queue->unrung[sink]) + 1;

	store_relaxed(&queue->unrung[sink], unrung);
	if (load_ordered(&cursor->bell) == BELL_AWAKE && unrung < LINGER_RECORDS)      /* [put:D] */
		return;
	store_relaxed(&queue->unrung[sink], 0);
	store_relaxed(&cursor->bell, BELL_AWAKE);
	sys_futex_wake(&cursor->bell);
}

/* A fatal handler may put a line while a put is under way: seq and ordinals are claimed before
 * anything is written, so that the one which was cut off is a record that all readers miss, and
 * count. */
void queue_put(
	struct queue *queue, unsigned sinks, struct wall when, const void *text, size_t len_bytes)
{
	struct header *header = &queue->shared->header;
	uint64_t seq = load_relaxed(&queue->head);
	union body_words it;
	size_t count;

	sinks &= ALL_SINKS;
	if (!sinks)
		return;
	store_relaxed(&queue->head, seq + 1);
	if (len_bytes > QUEUE_TEXT_MAX)
		len_bytes = QUEUE_TEXT_MAX;
	count = FIXED_WORDS + text_words(len_bytes);
	it.word[count - 1] = 0;
	it.body.seq = seq;
	it.body.when_s = when.s;
	it.body.when_us = (uint32_t)when.us;
	it.body.len_bytes = (uint32_t)len_bytes;
	it.body.sinks = sinks;
	it.body.spare = 0;
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		it.body.ordinal[sink] = load_relaxed(&queue->said[sink]) + (sinks >> sink & 1);
		store_relaxed(&queue->said[sink], it.body.ordinal[sink]);
	}
	memcpy(it.body.text, text, len_bytes);
	it.body.check = body_check(&it);
	slot_write(&queue->shared->slot[seq & (QUEUE_SLOTS - 1)], seq, &it, count);

	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		store_relaxed(&header->said[sink], it.body.ordinal[sink]);
	store_ordered(&header->head, seq + 1);                  /* [put:C] [put:D] */
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		if (sinks & SINK_BIT(sink))
			bell_ring(queue, sink);
}

uint64_t queue_next_seq(const struct queue *queue)
{
	return load_relaxed(&queue->head);
}

/* --- a reader --- */

static void record_fill(struct record *out, uint64_t seq, enum sink sink, const struct body *body)
{
	out->seq = seq;
	out->ordinal = body->ordinal[sink];
	out->when.s = body->when_s;
	out->when.us = body->when_us < 1000000 ? (int32_t)body->when_us : 0;
	out->len_bytes = body->len_bytes;
	memcpy(out->text, body->text, body->len_bytes);
	out->text[body->len_bytes] = '\0';
}

/* One pass over what the ring holds, so it ends whatever the writer does meanwhile. A slot that is
 * not whole was lapped, cut off or damaged: the next whole one shows by its ordinal how many were
 * lost. */
int queue_take(struct queue *queue, enum sink sink, struct record *out)
{
	struct header *header = &queue->shared->header;
	struct place place = { 0 };
	union body_words it;
	uint64_t head, next;
	bool known;

	head = load_acquire(&header->head);                     /* [take:A] */
	queue->seen[sink] = head;
	known = place_load(&cursor_of(queue, sink)->place, &place);
	/* Lapped, ahead of the head or lost: look at all there is. Ordinals tell what is new. */
	next = known && head - place.next <= QUEUE_SLOTS ? place.next : head - QUEUE_SLOTS;
	for (; next != head; next++) {
		if (!slot_read(queue, next, &it) || !(it.body.sinks & SINK_BIT(sink)))
			continue;
		if (known && !is_before(place.dealt, it.body.ordinal[sink]))
			continue;
		record_fill(out, next, sink, &it.body);
		out->lost = known ? out->ordinal - 1 - place.dealt : 0;
		return 0;
	}
	if (!known)
		place.dealt = load_relaxed(&header->said[sink]);
	if (place.next != head) {
		place.next = head;
		place_move(cursor_of(queue, sink), &place);
	}
	return -EAGAIN;
}

void queue_done(struct queue *queue, enum sink sink, const struct record *record)
{
	struct cursor *cursor = cursor_of(queue, sink);
	struct place place = { 0 };

	(void)place_load(&cursor->place, &place);       /* damaged: its counts begin anew */
	place.next = record->seq + 1;
	place.dealt = record->ordinal;
	place.delivered++;
	place.lost += record->lost;
	place_move(cursor, &place);
}

void queue_done_lost(struct queue *queue, enum sink sink, struct record *record)
{
	struct cursor *cursor = cursor_of(queue, sink);
	struct place place = { 0 };

	(void)place_load(&cursor->place, &place);
	place.next = record->seq;
	place.dealt = record->ordinal - 1;
	place.lost += record->lost;
	place_move(cursor, &place);
	record->lost = 0;
}

void queue_set_state(struct queue *queue, enum sink sink, enum sink_state state)
{
	struct cursor *cursor = cursor_of(queue, sink);

	if (load_relaxed(&cursor->state) == state)
		return;
	store_relaxed(&cursor->state, state);
	moved_ring(cursor);
}

static int futex_wait_ms(const _Atomic uint32_t *word, uint32_t expected, int timeout_ms)
{
	struct timespec limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	int err = sys_futex_wait(word, expected, timeout_ms < 0 ? NULL : &limit);

	return err == -EAGAIN ? 0 : err;
}

int queue_wait(struct queue *queue, enum sink sink, int timeout_ms)
{
	struct cursor *cursor = cursor_of(queue, sink);
	int err = 0;

	store_ordered(&cursor->bell, BELL_ASLEEP);              /* [wait:D] */
	if (load_ordered(&queue->shared->header.head) == queue->seen[sink])
		err = futex_wait_ms(&cursor->bell, BELL_ASLEEP, timeout_ms);
	store_relaxed(&cursor->bell, BELL_AWAKE);
	return err;
}

int queue_linger(struct queue *queue, enum sink sink, int timeout_ms)
{
	return futex_wait_ms(&cursor_of(queue, sink)->bell, BELL_AWAKE, timeout_ms);
}

/* --- anybody --- */

bool queue_is_past(const struct queue *queue, enum sink sink, uint64_t seq)
{
	struct place place;

	return place_load(&cursor_of(queue, sink)->place, &place) && is_before(seq, place.next);
}

static bool is_dealt_with(const struct queue *queue, enum sink sink, uint64_t ordinal)
{
	struct place place;

	return place_load(&cursor_of(queue, sink)->place, &place) &&
	       !is_before(place.dealt, ordinal);
}

/* Until has_come(goal), which can only become true by a move of the sink's helper. */
static int wait_moved(struct queue *queue, enum sink sink, uint64_t goal,
	bool (*has_come)(const struct queue *, enum sink, uint64_t), int timeout_ms)
{
	struct cursor *cursor = cursor_of(queue, sink);
	struct mono deadline = mono_after_ms(mono_now(), timeout_ms);

	for (;;) {
		uint32_t moved = load_acquire(&cursor->moved);  /* [moved:B] */
		struct mono now = mono_now();
		int err;

		if (has_come(queue, sink, goal))
			return 0;
		if (load_relaxed(&cursor->state) == SINK_BACKING_OFF)
			return -EAGAIN;
		if (mono_is_due(deadline, now))
			return -ETIMEDOUT;
		err = futex_wait_ms(&cursor->moved, moved, mono_left_ms(deadline, now));
		if (err && err != -EINTR && err != -ETIMEDOUT)
			return err;
	}
}

int queue_wait_past(struct queue *queue, enum sink sink, uint64_t seq, int timeout_ms)
{
	return wait_moved(queue, sink, seq, queue_is_past, timeout_ms);
}

int queue_wait_quiet(struct queue *queue, enum sink sink, int timeout_ms)
{
	uint64_t said = load_acquire(&queue->shared->header.said[sink]);

	if (is_dealt_with(queue, sink, said))
		return 0;
	sys_futex_wake(&cursor_of(queue, sink)->bell);          /* it may be lingering */
	return wait_moved(queue, sink, said, is_dealt_with, timeout_ms);
}

struct queue_status queue_status(const struct queue *queue, enum sink sink)
{
	uint64_t said = load_acquire(&queue->shared->header.said[sink]);
	uint32_t state = load_relaxed(&cursor_of(queue, sink)->state);
	struct place place = { .dealt = said };

	if (!place_load(&cursor_of(queue, sink)->place, &place) || is_before(said, place.dealt))
		place.dealt = said;
	return (struct queue_status){
		.pending = said - place.dealt,
		.delivered = place.delivered,
		.lost = place.lost,
		.state = state <= SINK_BACKING_OFF ? (enum sink_state)state : SINK_IDLE,
	};
}

uint64_t queue_word(const struct queue *queue, enum sink sink, unsigned index)
{
	return load_relaxed(&cursor_of(queue, sink)->word[index % QUEUE_SINK_WORDS]);
}

void queue_set_word(struct queue *queue, enum sink sink, unsigned index, uint64_t value)
{
	store_relaxed(&cursor_of(queue, sink)->word[index % QUEUE_SINK_WORDS], value);
}
