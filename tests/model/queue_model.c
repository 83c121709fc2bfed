/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every interleaving of pid 1 that puts, and a helper that takes and may be killed at any step, over the
 * real queue.c and place.c, with few slots.
 *
 * Each of their atomic accesses and futex calls is a step. Both run on stacks of their own; before each
 * step the scheduler has the choice: who goes on, what a load sees, who is killed. It follows all of
 * them, depth first, and never goes on from a state twice: a state is what both have on their stacks,
 * and the memory that they share. So what it says holds for all schedules, not for a sample.
 *
 * Memory is C11's, not this machine's: each atomic has the history of its stores, a load may see any of
 * them that is not older than what its thread has seen, a release hands on what its thread had seen to
 * the acquire that reads it, and sequentially consistent accesses of one atomic are in one order. (What
 * is left out: stores that are read before they are made, which no machine does to code like ours.)
 *
 * What must hold: no record is torn; none comes out of order; each one that was said is delivered or
 * counted as lost, once, where a helper was not killed in between; none is lost that was not lapped;
 * when nobody can go on any more, nothing is undelivered.
 *
 *     queue_model PUTS KILLS TIMEOUTS sc|c11 START      0: holds, 1: does not (and the schedule), 2: no answer */
#include <inttypes.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uint64_t model_load(const volatile void *at, size_t size, memory_order order);
static void model_store(volatile void *at, size_t size, uint64_t value, memory_order order);
static uint64_t model_add(volatile void *at, size_t size, uint64_t value, memory_order order);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_add_explicit
#define atomic_load_explicit(at, order) model_load(at, sizeof *(at), order)
#define atomic_store_explicit(at, value, order) model_store(at, sizeof *(at), (uint64_t)(value), order)
#define atomic_fetch_add_explicit(at, value, order) model_add(at, sizeof *(at), (uint64_t)(value), order)

#include "initlog/place.c"
#include "initlog/queue.c"

enum {

	LOCATIONS = 96,
	STORES_MAX = 4096,              /* along one schedule */
	AGES = 200,                     /* of one location */
	STACK_BYTES = 32768,
	BELOW_FRAME_BYTES = 256,        /* what the function that a frame belongs to has below it */
	DEPTH_MAX = 20000,
};
#define SINK SINK_CONSOLE
enum who { PUTTER, HELPER, THREADS };

static struct {
	int puts, kills, lingers;
	bool is_weak;
	uint64_t start;
} setup;

/* --- the state --- */

struct view {
	uint8_t age[LOCATIONS];         /* of the oldest store that may still be read */
};

struct store {
	uint64_t value;
	struct view handed;             /* what an acquire that reads it has seen */
};

enum step { STEP_NONE, STEP_LOAD, STEP_STORE, STEP_ADD, STEP_WAIT, STEP_WAKE, STEP_SAY, STEP_FORK, STEP_END };
enum { AWAKE, ASLEEP, WOKEN };

struct thread {
	enum step step;                 /* what it is about to do */
	int location;
	memory_order order;
	uint64_t value, result;
	bool is_timed;
	int sleep;
	bool is_dead;
	struct view view;
	char *stack_at;
	jmp_buf context;
	struct queue handle;
};

/* What the one who reads the sink's lines must be able to rely on. */
struct account {
	uint64_t last;                  /* ordinal of the last delivered or announced lost */
	uint64_t before;                /* the same before the step that is not noted yet */
	bool was_killed;                /* since that step: it may come again */
};

static struct world {
	struct thread thread[THREADS];
	struct account account;
	uint8_t newest[LOCATIONS], ordered[LOCATIONS];
	int stores, kills_left, lingers_left;
	uint64_t latest[LOCATIONS];     /* of those whose past nobody can see */
} world;

static char stack[THREADS][STACK_BYTES] __attribute__((aligned(64)));
static struct store store[STORES_MAX];
static uint16_t store_of[LOCATIONS][AGES];
static const volatile void *location[LOCATIONS];
static enum who owner[LOCATIONS];       /* who alone goes there; THREADS: both */
static int locations;
static struct shared shared __attribute__((aligned(64)));
static jmp_buf scheduler;
static enum who running;
static bool is_running;
static uint64_t states, steps, ends;

/* --- the words that are shared --- */

static int location_of(const volatile void *at)
{
	const char *begin = (const char *)&shared, *word = (const char *)at;

	if (!is_running || word < begin || word >= begin + sizeof shared)
		return -1;
	for (int i = 0; i < locations; i++)
		if (location[i] == at)
			return i;
	if (locations == LOCATIONS) {
		printf("more words than the model has room for\n");
		exit(2);
	}
	location[locations] = at;
	return locations++;
}

static uint64_t plain_load(const volatile void *at, size_t size)
{
	return size == 8 ? *(const volatile uint64_t *)at : *(const volatile uint32_t *)at;
}

static void plain_store(volatile void *at, size_t size, uint64_t value)
{
	if (size == 8)
		*(volatile uint64_t *)at = value;
	else
		*(volatile uint32_t *)at = (uint32_t)value;
}

/* --- the threads' side: a step is announced, done by the scheduler, and gone on from --- */

static struct thread *self(void)
{
	return &world.thread[running];
}

static __attribute__((noinline)) uint64_t step(enum step what, int at, uint64_t value, memory_order order)
{
	struct thread *it = self();
	it->step = what;
	it->location = at;
	it->value = value;
	it->order = order;
	it->stack_at = (char *)__builtin_frame_address(0) - BELOW_FRAME_BYTES;
	if (!_setjmp(it->context))
		_longjmp(scheduler, 1);
	return self()->result;
}

static uint64_t model_load(const volatile void *at, size_t size, memory_order order)
{
	int where = location_of(at);

	return where < 0 ? plain_load(at, size) : step(STEP_LOAD, where, 0, order);
}

static void model_store(volatile void *at, size_t size, uint64_t value, memory_order order)
{
	int where = location_of(at);

	if (where < 0)
		plain_store(at, size, value);
	else
		(void)step(STEP_STORE, where, size == 4 ? (uint32_t)value : value, order);
}

static uint64_t model_add(volatile void *at, size_t size, uint64_t value, memory_order order)
{
	int where = location_of(at);
	uint64_t old;

	if (where >= 0)
		return step(STEP_ADD, where, value, order);
	old = plain_load(at, size);
	plain_store(at, size, old + value);
	return old;
}

int sys_futex_wait(const _Atomic uint32_t *word, uint32_t expected, const struct timespec *timeout)
{
	self()->is_timed = timeout;
	return (int)step(STEP_WAIT, location_of(word), expected, memory_order_seq_cst);
}

int sys_futex_wake(const _Atomic uint32_t *word)
{
	return is_running ? (int)step(STEP_WAKE, location_of(word), 0, memory_order_seq_cst) : 0;
}

/* What a model has no use for. */
int sys_memfd(const char *name, unsigned flags)
{
	(void)name;
	(void)flags;
	return -ENOSYS;
}

int sys_map(int fd, size_t len_bytes, int prot, int flags, void **out)
{
	(void)fd;
	(void)prot;
	(void)flags;
	*out = len_bytes == sizeof shared ? (void *)&shared : calloc(1, len_bytes);
	return *out ? 0 : -ENOMEM;
}

int sys_unmap(void *at, size_t len_bytes) { (void)at; (void)len_bytes; return 0; }
int sys_close(int fd) { (void)fd; return 0; }
int sys_ftruncate(int fd, off_t len_bytes) { (void)fd; (void)len_bytes; return 0; }
int sys_fstat(int fd, struct stat *out) { (void)fd; (void)out; return -ENOSYS; }
int sys_seal(int fd, int seals) { (void)fd; (void)seals; return 0; }
ssize_t sys_pwrite(int fd, const void *buf, size_t len_bytes, off_t at) { (void)fd; (void)buf; (void)at; return (ssize_t)len_bytes; }
struct mono mono_now(void) { return (struct mono){ 0 }; }
struct mono mono_after_ms(struct mono from, int64_t ms) { (void)ms; return from; }
int mono_left_ms(struct mono until, struct mono now) { (void)until; (void)now; return 1; }

/* What functions that have returned left behind is no difference between two states. */
static __attribute__((noinline)) void scrub(void)
{
	volatile char below[4096];

	for (size_t i = 0; i < sizeof below; i++)
		below[i] = 0;
}

static uint64_t text_of(uint64_t ordinal)
{
	return (ordinal + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void put_all(void)
{
	for (int i = 0; i < setup.puts; i++) {
		uint64_t ordinal = setup.start + 1 + (uint64_t)i, text = text_of(ordinal);

		(void)step(STEP_FORK, -1, 0, memory_order_relaxed);
		scrub();
		queue_put(&self()->handle, SINK_BIT(SINK), (struct wall){ (int64_t)ordinal, 5 }, &text, sizeof text);
	}
	for (;;)
		(void)step(STEP_END, -1, 0, memory_order_relaxed);
}

static void say(uint64_t lost, const struct record *record);

/* helper_main(), as far as the queue goes. */
static void help(void)
{
	struct record record;
	struct queue *queue = &self()->handle;
	bool is_fresh = false;

	for (;;) {
		memset(&record, 0, sizeof record);
		scrub();
		if (queue_take(queue, SINK, &record)) {
			if (is_fresh && setup.lingers)
				(void)queue_linger(queue, SINK, 20);
			else
				(void)queue_wait(queue, SINK, -1);
			is_fresh = false;
			continue;
		}
		is_fresh = true;
		if (record.lost) {
			say(record.lost, &record);
			scrub();
			queue_done_lost(queue, SINK, &record);
			scrub();
		}
		say(0, &record);
		scrub();
		queue_done(queue, SINK, &record);
	}
}

/* --- what must hold --- */

static int depth;
static uint8_t trail[DEPTH_MAX];

static void fails(const char *what, uint64_t value)
{
	printf("not so: %s (%" PRIu64 ")\nthe schedule:", what, value);
	for (int i = 0; i < depth; i++)
		printf(" %c%d", "pHKTF"[trail[i] >> 5], trail[i] & 31);
	printf("\n");
	exit(1);
}

/* The next step of the account goes from here. */
static void account_for(uint64_t from, uint64_t to)
{
	struct account *account = &world.account;

	if (from != account->last && !(account->was_killed && from == account->before))
		fails("a record came out of order, twice or was not counted", from - setup.start);
	account->before = from;
	account->last = to;
	account->was_killed = false;
}

static void say(uint64_t lost, const struct record *record)
{
	uint64_t text, claimed = world.thread[PUTTER].handle.head;

	if (lost) {
		account_for(record->ordinal - 1 - lost, record->ordinal - 1);
		/* seq and ordinal run alike: ordinal o is seq o - 1. The last that was lost: */
		if (is_before(claimed, record->ordinal - 1 + QUEUE_SLOTS))
			fails("a record is lost that nothing has lapped", record->ordinal - 1 - setup.start);
	} else {
		memcpy(&text, record->text, sizeof text);
		account_for(record->ordinal - 1, record->ordinal);
		if (record->len_bytes != sizeof text || text != text_of(record->ordinal) ||
			record->when.s != (int64_t)record->ordinal || record->when.us != 5)
			fails("a record is torn", record->ordinal - setup.start);
	}
	(void)step(STEP_SAY, -1, 0, memory_order_relaxed);
}

/* --- one step --- */

static uint64_t mix(uint64_t sum, uint64_t value)
{
	sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

static uint64_t hash(uint64_t sum, const void *data, size_t size)
{
	const char *at = data;
	uint64_t word;

	for (; size >= 8; size -= 8, at += 8) {
		memcpy(&word, at, 8);
		sum = mix(sum, word);
	}
	for (; size; size--)
		sum = mix(sum, (uint8_t)*at++);
	return sum;
}

static void see(struct view *view, const struct view *more)
{
	for (int i = 0; i < LOCATIONS; i++)
		if (view->age[i] < more->age[i])
			view->age[i] = more->age[i];
}

static bool acquires(memory_order order)
{
	return order == memory_order_acquire || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

static bool releases(memory_order order)
{
	return order == memory_order_release || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

/* One thread's alone, or in a memory that has no past. */
static bool is_plain(int at)
{
	return !setup.is_weak || owner[at] != THREADS;
}

static uint64_t latest(int at)
{
	return is_plain(at) ? world.latest[at] : store[store_of[at][world.newest[at]]].value;
}

static void do_load(struct thread *it, int age)
{
	const struct store *from = &store[store_of[it->location][age]];

	if (is_plain(it->location)) {
		it->result = world.latest[it->location];
		return;
	}

	it->view.age[it->location] = (uint8_t)age;
	if (acquires(it->order))
		see(&it->view, &from->handed);
	it->result = from->value;
}

static void do_store(struct thread *it, uint64_t value)
{
	int at = it->location, age;
	struct store *made = &store[world.stores];

	if (is_plain(at)) {
		world.latest[at] = value;
		return;
	}
	age = ++world.newest[at];
	if (age >= AGES || world.stores + 1 >= STORES_MAX) {
		printf("longer schedules than the model has room for\n");
		exit(2);
	}
	it->view.age[at] = (uint8_t)age;
	memset(made, 0, sizeof *made);
	made->value = value;
	if (releases(it->order))
		see(&made->handed, &it->view);
	made->handed.age[at] = (uint8_t)age;
	store_of[at][age] = (uint16_t)world.stores++;
	if (it->order == memory_order_seq_cst)
		world.ordered[at] = (uint8_t)age;
}

static void helper_begin(void);

static void do_step(enum who who, int choice)
{
	struct thread *it = &world.thread[who];

	switch (it->step) {
	case STEP_LOAD:
		do_load(it, choice);
		break;
	case STEP_STORE:
		do_store(it, it->value);
		break;
	case STEP_ADD:
		it->result = 0;         /* that of `moved`, which only those who wait for the helper read */
		break;
	case STEP_WAIT:
		if (it->sleep == WOKEN) {
			it->sleep = AWAKE;
			it->result = 0;
		} else if (it->sleep == ASLEEP) {
			it->sleep = AWAKE;
			world.lingers_left -= world.lingers_left > 0;
			it->result = (uint64_t)-ETIMEDOUT;
		} else if (latest(it->location) == it->value) {
			it->sleep = ASLEEP;
			return;                 /* it does not go on */
		} else {
			it->result = (uint64_t)-EAGAIN;
		}
		break;
	case STEP_WAKE:
		for (int other = 0; other < THREADS; other++) {
			struct thread *sleeper = &world.thread[other];

			if (sleeper->sleep == ASLEEP && sleeper->location == it->location)
				sleeper->sleep = WOKEN;
		}
		it->result = 0;
		break;
	default:
		break;
	}
	running = who;
	if (!_setjmp(scheduler))
		_longjmp(it->context, 1);
}

static void thread_begin(enum who who, void (*body)(void))
{
	struct thread *it = &world.thread[who];
	ucontext_t first;

	memset(stack[who], 0, STACK_BYTES);
	memset(&it->context, 0, sizeof it->context);
	getcontext(&first);
	first.uc_stack.ss_sp = stack[who];
	first.uc_stack.ss_size = STACK_BYTES;
	first.uc_link = NULL;
	makecontext(&first, body, 0);
	it->sleep = AWAKE;
	it->is_dead = false;
	running = who;
	if (!_setjmp(scheduler))
		setcontext(&first);
}

/* A fork of pid 1, which has waited for the one that died. */
static void helper_begin(void)
{
	struct thread *helper = &world.thread[HELPER];

	see(&helper->view, &world.thread[PUTTER].view);
	helper->handle = world.thread[PUTTER].handle;
	thread_begin(HELPER, help);
}

/* Nobody can go on. */
static void judge_end(void)
{
	uint64_t said = setup.start + (uint64_t)setup.puts;
	struct place place;
	const struct cursor *cursor = &shared.header.cursor[SINK];

	ends++;
	if (world.account.last != said)
		fails("a record waits and nobody will ever look", said - world.account.last);
	for (int i = 0; i < locations; i++)
		plain_store((volatile void *)(uintptr_t)location[i],
			((const char *)location[i] - (const char *)&shared) % 8 || location[i] == &cursor->bell ||
				location[i] == &cursor->place.active || location[i] == &cursor->state ? 4 : 8,
			latest(i));
	is_running = false;
	if (!place_load(&cursor->place, &place) || place.dealt != said)
		fails("the place is not behind what was delivered", place.dealt - setup.start);
	if (setup.kills == world.kills_left && place.delivered + place.lost != (uint64_t)setup.puts)
		fails("delivered and lost are not what was said", place.delivered + place.lost);
	is_running = true;
}

/* --- all of them --- */

static struct {
	uint64_t *seen;
	uint64_t size, count;
} table;

static bool is_new(uint64_t key)
{
	uint64_t at;

	if (table.count * 2 >= table.size) {
		uint64_t old_size = table.size, *old = table.seen;

		table.size = old_size ? old_size * 2 : 1 << 20;
		table.seen = calloc(table.size, sizeof *table.seen);
		if (!table.seen) {
			printf("no memory for more states\n");
			exit(2);
		}
		table.count = 0;
		for (uint64_t i = 0; i < old_size; i++)
			if (old[i])
				(void)is_new(old[i]);
		free(old);
	}
	key += !key;
	for (at = key & (table.size - 1); table.seen[at]; at = (at + 1) & (table.size - 1))
		if (table.seen[at] == key)
			return false;
	table.seen[at] = key;
	table.count++;
	return true;
}

static size_t stack_bytes(enum who who)
{
	return (size_t)(stack[who] + STACK_BYTES - world.thread[who].stack_at);
}

static uint64_t thread_key(uint64_t sum, enum who who)
{
	const struct thread *it = &world.thread[who];

	sum = mix(sum, (uint64_t)it->is_dead);
	if (it->is_dead)
		return sum;
	sum = hash(sum, &it->handle, sizeof it->handle);
	sum = mix(sum, (uint64_t)it->step << 32 | (uint64_t)(uint32_t)it->location);
	sum = mix(sum, (uint64_t)it->order << 8 | (uint64_t)it->sleep << 1 | it->is_timed);
	sum = mix(sum, it->value);
	sum = hash(sum, &it->context, sizeof it->context);
	return hash(sum, it->stack_at + BELOW_FRAME_BYTES, stack_bytes(who) - BELOW_FRAME_BYTES);
}

/* Ages count from the newest, and no store that is too old for both threads counts: else no two schedules
 * would ever meet. */
static uint64_t history_key(uint64_t sum)
{
	struct view floor, view;

	for (int i = 0; i < LOCATIONS; i++) {
		uint8_t a = world.thread[PUTTER].view.age[i], b = world.thread[HELPER].view.age[i];

		floor.age[i] = a < b ? a : b;
	}
	for (enum who who = 0; who < THREADS; who++) {
		for (int i = 0; i < LOCATIONS; i++)
			view.age[i] = (uint8_t)(world.newest[i] - world.thread[who].view.age[i]);
		sum = hash(sum, &view, sizeof view);
	}
	for (int at = 0; at < locations; at++) {
		sum = mix(sum, (uint64_t)(world.newest[at] - (world.ordered[at] > floor.age[at] ? world.ordered[at] : floor.age[at])));
		for (int age = floor.age[at]; age <= world.newest[at] && owner[at] == THREADS; age++) {
			const struct store *from = &store[store_of[at][age]];

			for (int i = 0; i < LOCATIONS; i++)
				view.age[i] = (uint8_t)(world.newest[i] -
					(from->handed.age[i] > floor.age[i] ? from->handed.age[i] : floor.age[i]));
			sum = hash(mix(sum, from->value), &view, sizeof view);
		}
	}
	return sum;
}

static uint64_t world_key(void)
{
	uint64_t sum = thread_key(thread_key(7, PUTTER), HELPER);

	sum = hash(sum, &world.account, sizeof world.account);
	sum = hash(sum, world.latest, sizeof world.latest);
	sum = mix(sum, (uint64_t)world.kills_left << 32 | (uint32_t)world.lingers_left);
	return setup.is_weak ? history_key(sum) : sum;
}

struct saved {
	struct world world;
	int locations;
	size_t stack_bytes[THREADS];
	char bytes[];
};

static struct saved *save(void)
{
	size_t size = 0;
	struct saved *saved;
	char *at;

	for (enum who who = 0; who < THREADS; who++)
		size += stack_bytes(who);
	saved = malloc(sizeof *saved + size);
	if (!saved)
		exit(2);
	saved->world = world;
	at = saved->bytes;
	for (enum who who = 0; who < THREADS; who++) {
		saved->stack_bytes[who] = stack_bytes(who);
		memcpy(at, world.thread[who].stack_at, saved->stack_bytes[who]);
		at += saved->stack_bytes[who];
	}
	return saved;
}

static void restore(const struct saved *saved)
{
	const char *at = saved->bytes;

	world = saved->world;
	for (enum who who = 0; who < THREADS; who++) {
		memcpy(world.thread[who].stack_at, at, saved->stack_bytes[who]);
		at += saved->stack_bytes[who];
	}
}

/* What a store of the past that the schedule to come will overwrite holds is saved by nobody: a branch
 * adds behind what its state has, so going back is to forget. But the index is by age, and so is safe. */

static void explore(void);

static void branch(const struct saved *saved, char what, enum who who, int choice)
{
	static const char kinds[] = "pHKTF";

	if (depth >= DEPTH_MAX) {
		printf("deeper than the model has room for\n");
		exit(2);
	}
	restore(saved);
	trail[depth++] = (uint8_t)((strchr(kinds, what) - kinds) << 5 | (choice & 31));
	steps++;
	if (what == 'K') {
		world.thread[HELPER].is_dead = true;
		world.thread[HELPER].sleep = AWAKE;
		world.kills_left--;
		world.account.was_killed = true;
	} else if (what == 'F') {
		helper_begin();
	} else {
		do_step(who, choice);
	}
	explore();
	depth--;
}

/* Nobody else's step has to do with it, so nobody needs to be tried before it. */
static bool is_own_business(enum who who)
{
	const struct thread *it = &world.thread[who];

	if (it->location >= 0 && owner[it->location] != THREADS) {
		if (owner[it->location] != who) {
			printf("word %d is not one's own\n", it->location);
			exit(2);
		}
		return true;
	}
	return it->step == STEP_SAY || (it->step == STEP_FORK && !world.kills_left && !world.thread[HELPER].is_dead);
}

static bool can_go_on(const struct thread *it)
{
	if (it->is_dead || it->step == STEP_END)
		return false;
	if (it->sleep != ASLEEP)
		return true;
	/* A time-out may come at any moment, for as often as we look at; at last it comes for certain. */
	return it->is_timed && (world.lingers_left > 0 || world.thread[PUTTER].step == STEP_END);
}

/* -> how many branches there were */
static int explore_thread(const struct saved *saved, enum who who)
{
	const struct thread *it = &saved->world.thread[who];
	char what = "pH"[who];
	int oldest, newest;

	restore(saved);
	if (!can_go_on(it))
		return 0;
	if (it->step != STEP_LOAD) {
		branch(saved, it->sleep == ASLEEP ? 'T' : what, who, 0);
		return 1;
	}
	newest = saved->world.newest[it->location];
	oldest = is_plain(it->location) ? newest : it->view.age[it->location];
	if (it->order == memory_order_seq_cst && oldest < saved->world.ordered[it->location])
		oldest = saved->world.ordered[it->location];
	for (int age = newest; age >= oldest; age--)
		branch(saved, what, who, age);
	return newest - oldest + 1;
}

static void explore(void)
{
	struct thread *helper = &world.thread[HELPER], *putter = &world.thread[PUTTER];
	struct saved *saved;
	int branches = 0;

	if (!is_new(world_key()))
		return;
	states++;
	saved = save();
	if (can_go_on(helper) && is_own_business(HELPER)) {
		branches += explore_thread(saved, HELPER);
	} else if (can_go_on(putter) && is_own_business(PUTTER)) {
		branches += explore_thread(saved, PUTTER);
	} else {
		branches += explore_thread(saved, PUTTER);
		branches += explore_thread(saved, HELPER);
	}
	restore(saved);
	if (helper->is_dead && (putter->step == STEP_FORK || putter->step == STEP_END)) {
		branch(saved, 'F', HELPER, 0);
		branches++;
	}
	if (!branches)
		judge_end();
	restore(saved);
	if (!helper->is_dead && world.kills_left > 0)
		branch(saved, 'K', HELPER, 0);
	restore(saved);
	free(saved);
}

/* The first store of each word is what the queue was made with. */
static void history_begin(void)
{
	struct cursor *cursor = &shared.header.cursor[SINK];
	struct store *made;

	is_running = true;
	(void)location_of(&shared.header.head);
	for (int i = 0; i < SINK_COUNT; i++)
		(void)location_of(&shared.header.said[i]);
	for (int i = 0; i < 2 * (int)PLACE_WORDS; i++)
		(void)location_of(&cursor->place.copy[0][0] + i);
	(void)location_of(&cursor->place.active);
	(void)location_of(&cursor->bell);
	(void)location_of(&cursor->moved);
	for (int slot = 0; slot < QUEUE_SLOTS; slot++) {
		(void)location_of(&shared.slot[slot].stamp);
		for (int i = 0; i < FIXED_WORDS + TEXT_WORDS; i++)
			(void)location_of(&shared.slot[slot].word[i]);
	}
	for (int i = 0; i < locations; i++) {
		bool is_place = location[i] == &cursor->moved ||
			((const char *)location[i] >= (const char *)&cursor->place &&
				(const char *)location[i] < (const char *)(&cursor->place + 1));
		bool is_said = location[i] >= (void *)&shared.header.said[0] &&
			location[i] < (void *)&shared.header.said[SINK_COUNT];

		owner[i] = is_place ? HELPER : is_said ? PUTTER : THREADS;
	}
	for (int i = 0; i < locations; i++) {
		bool is_half = location[i] == &cursor->place.active || location[i] == &cursor->bell ||
			location[i] == &cursor->moved;

		made = &store[world.stores];
		made->value = world.latest[i] = plain_load(location[i], is_half ? 4 : 8);
		store_of[i][0] = (uint16_t)world.stores++;
	}
}

int main(int argc, char **argv)
{
	struct queue_start start;
	struct queue *made;
	int known;

	if (argc != 6)
		return 2;
	setup.puts = atoi(argv[1]);
	setup.kills = world.kills_left = atoi(argv[2]);
	setup.lingers = world.lingers_left = atoi(argv[3]);
	setup.is_weak = !strcmp(argv[4], "c11");
	setup.start = strtoull(argv[5], NULL, 0);
	start = (struct queue_start){ .seq = setup.start, .ordinal = setup.start };
	if (queue_create_at(&start, &made))
		return 2;
	world.account = (struct account){ .last = setup.start, .before = setup.start };
	world.thread[PUTTER].handle = *made;
	history_begin();
	known = locations;
	thread_begin(PUTTER, put_all);
	helper_begin();
	explore();
	if (known != locations) {
		printf("a word that the model did not know of\n");
		return 2;
	}
	printf("%d slots, %d puts, %d kills, %d lingers, %s: %" PRIu64 " states, %" PRIu64 " steps, %" PRIu64 " ends\n", QUEUE_SLOTS,
		setup.puts, setup.kills, setup.lingers, setup.is_weak ? "C11" : "sequentially consistent", states, steps, ends);
	return 0;
}
