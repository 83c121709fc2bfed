/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue as a hostile or dying process may leave it: bytes, slots, cursors and counters overwritten between puts, takes and
 * take-overs, with checksums that fit or not. Whatever is in it: a reader gets whole records within their bounds and is
 * through after as many as there are slots; the writer goes on; nothing waits that was told not to. Where damage was not
 * made to look good, the next record reaches every sink. A wrong answer aborts. */
#include <errno.h>
#include <sys/mman.h>

#include "fuzz/input.h"
#include "initlog/queue.h"
#include "initlog/queue_layout.h"

enum { WORD_BYTES = 8, COUNTERS = 1 + SINK_COUNT, STEP_BYTES = 8 };

struct scene {
	struct input input;
	struct queue *queue;
	struct shared *shared;
	bool is_damaged;
	bool looks_good;                /* somebody lied, or the damage has been taken in */
	int puts;
};

static void put(struct scene *scene, unsigned sinks, const void *text, size_t len)
{
	queue_put(scene->queue, sinks, (struct wall){ 1700000000 + scene->puts++, 5 }, text, len);
}

static void begin(struct scene *scene)
{
	struct queue_start start = { 0 };
	uint8_t first = input_byte(&scene->input);
	void *at;

	if (first & 0x80)
		start = (struct queue_start){ UINT64_MAX - (first & 0x3f), UINT64_MAX - 3 };
	FUZZ_CHECK(!queue_create_at(&start, &scene->queue));
	FUZZ_CHECK(!sys_map(queue_fd(scene->queue), sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, &at));
	scene->shared = at;
	/* Mostly a few; some have lapped the ring. */
	first = input_byte(&scene->input);
	for (int count = first < 0xf0 ? first & 0x1f : (first - 0xe8) * 64; count > 0; count--)
		put(scene, 1u << (count & 3) | 1, "text", (size_t)(count & 3));
}

/* --- damage --- */

static void slot_seal(struct slot *slot)
{
	union body_words it;

	memcpy(&it, (const char *)slot->word, sizeof it);
	if (it.body.len_bytes > QUEUE_TEXT_MAX)
		return;
	it.body.check = words_checksum(it.word + 1, FIXED_WORDS - 1 + (it.body.len_bytes + WORD_BYTES - 1) / WORD_BYTES);
	slot->word[offsetof(struct body, check) / WORD_BYTES] = it.body.check;
}

static void place_seal(struct place_pair *pair)
{
	struct place place;

	for (int i = 0; i < 2; i++) {
		memcpy(&place, (const char *)pair->copy[i], sizeof place);
		pair->copy[i][PLACE_WORDS - 1] = words_checksum((const uint64_t *)&place, PLACE_WORDS - 1);
	}
}

/* Bytes of a part of it, which lies at `at`. */
static void overwrite(struct scene *scene, void *part, size_t size, size_t at)
{
	size_t len;
	const uint8_t *bytes;

	at %= size;
	bytes = input_piece(&scene->input, size - at < STEP_BYTES ? size - at : STEP_BYTES, &len);
	if (len)
		memcpy((char *)part + at, bytes, len);
	scene->is_damaged = true;
}

static void damage_slot(struct scene *scene)
{
	uint16_t which = (uint16_t)input_number(&scene->input, 2);
	struct slot *slot = &scene->shared->slot[which % QUEUE_SLOTS];

	overwrite(scene, slot, sizeof *slot, input_number(&scene->input, 1) * 2u);
	if (which & 0x8000)
		return;
	slot_seal(slot);
	scene->looks_good = true;
}

static void damage_cursor(struct scene *scene)
{
	uint8_t which = input_byte(&scene->input);
	struct cursor *cursor = &scene->shared->header.cursor[which % SINK_COUNT];

	overwrite(scene, cursor, sizeof *cursor, input_number(&scene->input, 2));
	if (which & 0x80)
		return;
	place_seal(&cursor->place);
	scene->looks_good = true;
}

/* --- what goes on meanwhile --- */

static void check_record(const struct record *record)
{
	FUZZ_CHECK(record->len_bytes <= QUEUE_TEXT_MAX && !record->text[record->len_bytes]);
	FUZZ_CHECK(record->when.us >= 0 && record->when.us < 1000000);
}

/* Up to so many records; how many there were. */
static int take(struct scene *scene, enum sink sink, int max)
{
	struct record record;
	int taken = 0, err = 0;

	while (taken < max && !(err = queue_take(scene->queue, sink, &record))) {
		check_record(&record);
		if (record.lost && taken & 1)
			queue_done_lost(scene->queue, sink, &record);
		queue_done(scene->queue, sink, &record);
		taken++;
	}
	FUZZ_CHECK(!err || err == -EAGAIN);
	scene->looks_good |= scene->is_damaged;
	return taken;
}

/* Another handle of the same memory, as after an exec: it is refused, or is the writer from now on. */
static void attach(struct scene *scene)
{
	int err, fd = sys_dup_from(queue_fd(scene->queue), 3);
	struct queue *next;

	FUZZ_CHECK(fd >= 0);
	err = queue_attach(fd, &next);
	FUZZ_CHECK(!err || (err == -EPROTO && scene->is_damaged));
	if (err) {
		sys_close(fd);
		return;
	}
	queue_free(scene->queue);
	scene->queue = next;
	scene->looks_good |= scene->is_damaged;
}

static void wait_for_nothing(struct scene *scene, enum sink sink)
{
	struct queue_status status = queue_status(scene->queue, sink);
	uint64_t seq = queue_next_seq(scene->queue);
	int err;

	FUZZ_CHECK(status.state <= SINK_BACKING_OFF);
	queue_set_state(scene->queue, sink, (enum sink_state)(seq % 3));
	err = queue_wait(scene->queue, sink, 0);
	FUZZ_CHECK(!err || err == -ETIMEDOUT);
	err = queue_linger(scene->queue, sink, 0);
	FUZZ_CHECK(!err || err == -ETIMEDOUT);
	err = queue_wait_past(scene->queue, sink, seq, 0);
	FUZZ_CHECK(!err || err == -ETIMEDOUT || err == -EAGAIN);
	err = queue_wait_quiet(scene->queue, sink, 0);
	FUZZ_CHECK(!err || err == -ETIMEDOUT || err == -EAGAIN);
	queue_set_word(scene->queue, sink, (unsigned)seq, seq);
	FUZZ_CHECK(queue_word(scene->queue, sink, (unsigned)seq) == seq);
}

static void step(struct scene *scene)
{
	uint8_t what = input_byte(&scene->input);
	enum sink sink = (enum sink)(what >> 4 & 3);
	size_t len;
	const uint8_t *text;

	switch (what & 7) {
	case 0:
		overwrite(scene, scene->shared, sizeof(struct shared), input_number(&scene->input, 3));
		break;
	case 1:
		damage_slot(scene);
		break;
	case 2:
		damage_cursor(scene);
		break;
	case 3:
		overwrite(scene, &scene->shared->header.head, WORD_BYTES * COUNTERS, input_number(&scene->input, 1) * WORD_BYTES);
		break;
	case 4:
		(void)take(scene, sink, what >> 6 ? what >> 6 : QUEUE_SLOTS);
		break;
	case 5:
		text = input_piece(&scene->input, what * 2u, &len);
		put(scene, what >> 4, text, len);
		break;
	case 6:
		attach(scene);
		break;
	default:
		wait_for_nothing(scene, sink);
	}
}

/* The last record of all reaches this sink, and is its last. */
static void check_last(struct scene *scene, enum sink sink, const char *last)
{
	struct record record = { .len_bytes = 0 };
	int taken = 0;

	while (!queue_take(scene->queue, sink, &record)) {
		check_record(&record);
		FUZZ_CHECK(taken++ < QUEUE_SLOTS);
		queue_done(scene->queue, sink, &record);
	}
	FUZZ_CHECK(scene->looks_good || (taken && !strcmp(record.text, last)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene scene = { .input = { data, size } };

	begin(&scene);
	while (scene.input.left)
		step(&scene);
	put(&scene, (1u << SINK_COUNT) - 1, "the last", 8);
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		check_last(&scene, (enum sink)sink, "the last");
	sys_unmap(scene.shared, sizeof(struct shared));
	queue_free(scene.queue);
	return 0;
}
