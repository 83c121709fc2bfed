/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue's real code under ThreadSanitizer: one thread puts, as pid 1 does, one for each sink takes, as its helper does,
 * all in one mapping, for the sanitizer knows words by their addresses. A helper is killed before a random atomic step,
 * over and over, and the next one goes on from the cursor.
 *
 * The queue's own words are all atomics, and of those the sanitizer never complains. What it can tell is whether they order
 * anything; so each side leaves ordinary words that the other may read only for what the queue told it:
 * of each record, before it is put, read for every head that was seen [put:C] and every whole record [put:A] [put:B];
 * of each delivery, before the place moves, read by the writer when the place has moved [place:A].
 *
 * What must hold besides: no record is torn; none comes out of order; each one is delivered or counted as lost, once, where
 * no helper was killed in between; none is lost that was not lapped; the place's counts agree with what came out.
 *
 *     queue_stress PUTS SEQ ORDINAL SEED      0: holds, 1: does not; the sanitizer's status when it complains */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void step(void);

/* The orders stay constants, as the sanitizer wants them. */
#define PLAIN(at) \
	_Generic((at), _Atomic uint64_t *: (uint64_t *)(at), const _Atomic uint64_t *: (const uint64_t *)(at), \
		_Atomic uint32_t *: (uint32_t *)(at), const _Atomic uint32_t *: (const uint32_t *)(at))
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_add_explicit
#define atomic_load_explicit(at, order) (step(), __atomic_load_n(PLAIN(at), order))
#define atomic_store_explicit(at, value, order) (step(), __atomic_store_n(PLAIN(at), value, order))
#define atomic_fetch_add_explicit(at, value, order) (step(), __atomic_fetch_add(PLAIN(at), value, order))

#include "initlog/place.c"
#include "initlog/queue.c"

enum {
	DEADLINE_S = 300,
	LIFE_STEPS_MAX = 4000,          /* of a helper, between two kills */
	WAIT_MS = 2,
	STAND_STEPS = 1000,
	STAND_MAX_US = 100,
};

/* One move of a helper's place: over lost records, or over one that is delivered. */
struct move {
	uint64_t from, to, delivered, lost;
};

struct helper {
	enum sink sink;
	pthread_t thread;
	struct queue handle;
	struct record record;
	jmp_buf killed;
	uint64_t steps_left, kills, dice, pace;
	bool is_after_kill;             /* the last move may come again */
	struct move last;
	uint64_t delivered, lost;       /* up to the last move, without it */
	uint8_t *dealt;                 /* ordinary words: of each delivery, before it is noted */
};

static struct {
	uint64_t puts, seq, ordinal, dice, pace;
	struct queue *queue;            /* the writer's */
	uint64_t *said[SINK_COUNT];     /* ordinary words: of each record of the sink, its seq, before it is put */
	uint64_t *text;                 /* of each record, before it is put */
	struct helper helper[SINK_COUNT];
} run;

static _Thread_local struct helper *self;

static uint64_t roll(uint64_t *dice, uint64_t sides)
{
	*dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*dice >> 33) % sides;
}

/* Now and then a thread stands still between two steps, so that others overtake it on however few processors. */
static void stand(uint64_t *dice)
{
	if (!roll(dice, STAND_STEPS))
		usleep((useconds_t)roll(dice, STAND_MAX_US));
}

static void step(void)
{
	stand(self ? &self->pace : &run.pace);
	if (self && self->steps_left && !--self->steps_left)
		longjmp(self->killed, 1);
}

static __attribute__((noreturn)) void fails(const char *what, uint64_t value)
{
	printf("not so: %s (%" PRIu64 ")\n", what, value);
	fflush(stdout);
	_exit(1);
}

/* --- what a record holds --- */

static size_t text_fill(uint64_t seq, uint64_t kind, char *out)
{
	size_t len = kind % (QUEUE_TEXT_MAX + 1);

	for (size_t i = 0; i < len; i++)
		out[i] = (char)((seq ^ kind) * 31 + i * 7);
	return len;
}

static void text_check(uint64_t seq, const struct record *record)
{
	char text[QUEUE_TEXT_MAX];
	uint64_t kind = run.text[seq - run.seq];

	if (record->len_bytes != text_fill(seq, kind, text) || memcmp(record->text, text, record->len_bytes) != 0)
		fails("a record is torn", seq - run.seq);
}

/* --- a helper --- */

static void move_to(struct helper *it, const struct move *move)
{
	if (move->from == it->last.to) {
		it->delivered += it->last.delivered;
		it->lost += it->last.lost;
	} else if (!it->is_after_kill || move->from != it->last.from) {
		fails("a record came out of order, twice or was not counted", move->from - run.ordinal);
	}
	it->last = *move;
	it->is_after_kill = false;
	for (uint64_t ordinal = move->from; ordinal != move->to; ordinal++)
		it->dealt[ordinal - run.ordinal] = 1;
}

static void lose(struct helper *it, struct record *record)
{
	struct move move = { record->ordinal - 1 - record->lost, record->ordinal - 1, 0, record->lost };
	uint64_t seq = run.said[it->sink][move.to - run.ordinal - 1];

	move_to(it, &move);
	if (is_before(load_relaxed(&run.queue->head), seq + QUEUE_SLOTS + 1))
		fails("a record is lost that nothing has lapped", seq - run.seq);
	queue_done_lost(&it->handle, it->sink, record);
}

static void deliver(struct helper *it, const struct record *record)
{
	struct move move = { record->ordinal - 1, record->ordinal, 1, 0 };

	if (run.said[it->sink][move.from - run.ordinal] != record->seq)
		fails("a record has another's ordinal", record->seq - run.seq);
	text_check(record->seq, record);
	move_to(it, &move);
	queue_done(&it->handle, it->sink, record);
}

/* What a head covers was put before it. */
static void head_check(const struct helper *it)
{
	uint64_t head = it->handle.seen[it->sink];

	if (head != run.seq && !run.text[head - 1 - run.seq])
		fails("a head covers what is not put", head - run.seq);
}

/* As who attaches to a queue whose header may lie. */
static void newest_check(const struct helper *it)
{
	union body_words newest;

	if (newest_find(&it->handle, &newest) && !run.text[newest.body.seq - run.seq])
		fails("a whole record is not put", newest.body.seq - run.seq);
}

static bool is_at_end(const struct helper *it)
{
	return it->last.to - run.ordinal && run.said[it->sink][it->last.to - run.ordinal - 1] == run.seq + run.puts - 1;
}

/* helper_main(), as far as the queue goes. */
static void help(struct helper *it)
{
	for (bool is_fresh = false;;) {
		int err = queue_take(&it->handle, it->sink, &it->record);

		head_check(it);
		if (!err) {
			is_fresh = true;
			if (it->record.lost)
				lose(it, &it->record);
			deliver(it, &it->record);
			continue;
		}
		if (it->last.delivered && is_at_end(it))
			return;
		(void)(is_fresh ? queue_linger(&it->handle, it->sink, WAIT_MS) : queue_wait(&it->handle, it->sink, -1));
		is_fresh = false;
	}
}

static void *helper_run(void *arg)
{
	struct helper *it = self = arg;

	if (setjmp(it->killed)) {
		it->kills++;
		it->is_after_kill = true;
		it->handle = (struct queue){ .shared = run.queue->shared, .fd = -1 };
	}
	newest_check(it);
	it->steps_left = 1 + roll(&it->dice, LIFE_STEPS_MAX);
	help(it);
	it->steps_left = 0;
	return NULL;
}

/* --- the writer --- */

static void put_one(uint64_t index, uint64_t ordinal[])
{
	uint64_t seq = run.seq + index, kind = 1 + roll(&run.dice, UINT32_MAX);
	unsigned sinks = index == run.puts - 1 ? ALL_SINKS : 1 + (unsigned)roll(&run.dice, ALL_SINKS);
	char text[QUEUE_TEXT_MAX];
	size_t len = text_fill(seq, kind, text);

	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		if (sinks & SINK_BIT(sink))
			run.said[sink][ordinal[sink]++ - run.ordinal] = seq;
	run.text[index] = kind;
	queue_put(run.queue, sinks, (struct wall){ 1700000000, 5 }, text, len);
}

/* A delivery that a place tells of has been made. */
static void dealt_check(const uint64_t ordinal[])
{
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		if (ordinal[sink] != run.ordinal && is_dealt_with(run.queue, sink, ordinal[sink]) &&
			!run.helper[sink].dealt[ordinal[sink] - run.ordinal - 1])
			fails("a place tells of what is not dealt with", sink);
}

static void put_all(uint64_t ordinal[])
{
	for (uint64_t i = 0; i < run.puts; i++) {
		put_one(i, ordinal);
		dealt_check(ordinal);
		if (!roll(&run.dice, 1 + QUEUE_SLOTS / 4))
			(void)queue_wait_quiet(run.queue, (enum sink)roll(&run.dice, SINK_COUNT), WAIT_MS);
	}
}

/* --- the run --- */

static void account_check(struct helper *it, uint64_t ordinal)
{
	struct queue_status status = queue_status(run.queue, it->sink);
	uint64_t delivered = it->delivered + it->last.delivered, lost = it->lost + it->last.lost;

	printf("sink %d: %" PRIu64 " delivered, %" PRIu64 " lost, %" PRIu64 " kills\n", it->sink, status.delivered, status.lost, it->kills);
	if (status.pending || status.delivered != delivered || status.lost != lost || delivered + lost != ordinal - run.ordinal)
		fails("what was said is not what was delivered or lost", delivered + lost);
}

static uint64_t *words_new(void)
{
	uint64_t *words = calloc(run.puts, sizeof *words);

	if (!words)
		fails("no memory", 0);
	return words;
}

static void begin(void)
{
	if (queue_create_at(&(struct queue_start){ run.seq, run.ordinal }, &run.queue))
		fails("no queue", 0);
	run.text = words_new();
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		run.said[sink] = words_new();
		run.helper[sink] = (struct helper){ .sink = sink, .dice = run.dice + sink, .pace = run.dice - sink, .dealt = (uint8_t *)words_new(),
			.handle = { .shared = run.queue->shared, .fd = -1 }, .last = { .from = run.ordinal, .to = run.ordinal } };
	}
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		if (pthread_create(&run.helper[sink].thread, NULL, helper_run, &run.helper[sink]))
			fails("no thread", sink);
}

int main(int argc, char **argv)
{
	uint64_t ordinal[SINK_COUNT];

	if (argc != 5)
		return 2;
	alarm(DEADLINE_S);              /* a wake-up that is lost */
	run.puts = strtoull(argv[1], NULL, 10);
	run.seq = strtoull(argv[2], NULL, 10);
	run.ordinal = strtoull(argv[3], NULL, 10);
	run.dice = run.pace = strtoull(argv[4], NULL, 10);
	begin();
	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		ordinal[sink] = run.ordinal;
	put_all(ordinal);
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		pthread_join(run.helper[sink].thread, NULL);
		account_check(&run.helper[sink], ordinal[sink]);
	}
	return 0;
}
