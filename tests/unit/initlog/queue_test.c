/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/queue.h"

/* The layout, as other programs that map the queue will know it. */
enum {
	AT_VERSION = 8,
	AT_HEAD = 32,
	AT_CURSOR = 128,
	CURSOR_BYTES = 104 + QUEUE_SINK_WORDS * 8 + 24,
	AT_SLOTS = 4096,
	QUEUE_BYTES = AT_SLOTS + QUEUE_SLOTS * QUEUE_SLOT_BYTES,
	LONG_MS = 20000, /* for what takes no time unless it fails */
};

#define CON SINK_BIT(SINK_CONSOLE)
#define SYS SINK_BIT(SINK_SYSLOG)
#define REC SINK_BIT(SINK_RECORDS)

static struct queue *queue;
static struct record record;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(queue_create(&queue), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	queue_free(queue);
	queue = NULL;
	fault_clear();
	return 0;
}

static void put(unsigned sinks, const char *text)
{
	queue_put(queue, sinks, (struct wall){ 1700000000, 999999 }, text, strlen(text));
}

static void put_number(unsigned sinks, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	put(sinks, text);
}

static void take(enum sink sink, const char *expected, uint64_t lost)
{
	assert_int_equal(queue_take(queue, sink, &record), 0);
	assert_string_equal(record.text, expected);
	assert_int_equal(record.len_bytes, strlen(expected));
	assert_int_equal(record.lost, lost);
}

static void deliver(enum sink sink, const char *expected, uint64_t lost)
{
	take(sink, expected, lost);
	queue_done(queue, sink, &record);
}

static void is_empty(enum sink sink)
{
	assert_int_equal(queue_take(queue, sink, &record), -EAGAIN);
}

static uint64_t number_of(const struct record *it)
{
	return strtoull(it->text, NULL, 10);
}

static unsigned char *map_raw(void)
{
	void *raw = mmap(NULL, QUEUE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, queue_fd(queue), 0);

	assert_ptr_not_equal(raw, MAP_FAILED);
	return raw;
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int count = 0;

	while (fgets(line, sizeof line, maps))
		count += strstr(line, "memfd:initlog") != NULL;
	fclose(maps);
	return count;
}

/* --- putting and taking --- */

static void what_was_put_is_taken_in_order_by_each_sink(void **state)
{
	(void)state;
	is_empty(SINK_CONSOLE);
	put(CON | SYS, "one");
	put(SYS, "two");
	put(CON, "three");
	put(0, "for nobody");
	deliver(SINK_CONSOLE, "one", 0);
	assert_int_equal(record.when.s, 1700000000);
	assert_int_equal(record.when.us, 999999);
	assert_int_equal(record.ordinal, 1);
	deliver(SINK_CONSOLE, "three", 0);
	assert_int_equal(record.ordinal, 2);
	is_empty(SINK_CONSOLE);
	deliver(SINK_SYSLOG, "one", 0);
	deliver(SINK_SYSLOG, "two", 0);
	is_empty(SINK_SYSLOG);
	is_empty(SINK_RECORDS);
}

static void taking_alone_moves_nothing(void **state)
{
	(void)state;
	put(CON, "again");
	take(SINK_CONSOLE, "again", 0);
	deliver(SINK_CONSOLE, "again", 0);
	is_empty(SINK_CONSOLE);
}

static void every_length_arrives_and_too_long_is_cut(void **state)
{
	char text[QUEUE_TEXT_MAX + 100];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i % 251);
	for (size_t len = 0; len <= sizeof text; len++) {
		size_t kept = len < QUEUE_TEXT_MAX ? len : QUEUE_TEXT_MAX;

		queue_put(queue, REC, (struct wall){ 0 }, text, len);
		assert_int_equal(queue_take(queue, SINK_RECORDS, &record), 0);
		assert_int_equal(record.len_bytes, kept);
		assert_memory_equal(record.text, text, kept);
		assert_int_equal(record.text[kept], 0);
		queue_done(queue, SINK_RECORDS, &record);
	}
}

static void a_full_queue_gives_up_its_oldest_and_the_loss_is_known(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= QUEUE_SLOTS + 10; i++)
		put_number(CON, i);
	take(SINK_CONSOLE, "11", 10);
	put_number(CON, QUEUE_SLOTS + 11);
	take(SINK_CONSOLE, "12", 11);
	queue_done_lost(queue, SINK_CONSOLE, &record);
	assert_int_equal(record.lost, 0);
	take(SINK_CONSOLE, "12", 0);
	queue_done(queue, SINK_CONSOLE, &record);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).lost, 11);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).delivered, 1);
	for (uint64_t i = 13; i <= QUEUE_SLOTS + 11; i++) {
		assert_int_equal(queue_take(queue, SINK_CONSOLE, &record), 0);
		assert_int_equal(number_of(&record), i);
		assert_int_equal(record.lost, 0);
		queue_done(queue, SINK_CONSOLE, &record);
	}
	is_empty(SINK_CONSOLE);
}

static void what_was_taken_is_not_lost_when_it_is_lapped(void **state)
{
	(void)state;
	put(CON, "held");
	take(SINK_CONSOLE, "held", 0);
	for (uint64_t i = 0; i < QUEUE_SLOTS * 3; i++)
		put_number(CON, i);
	queue_done(queue, SINK_CONSOLE, &record);
	take(SINK_CONSOLE, "1024", 1024);
}

static void other_sinks_records_cost_a_sink_only_room(void **state)
{
	(void)state;
	put(CON, "first");
	deliver(SINK_CONSOLE, "first", 0);
	for (uint64_t i = 0; i < QUEUE_SLOTS * 5 + 17; i++)
		put_number(SYS, i);
	is_empty(SINK_CONSOLE);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).pending, 0);
	for (uint64_t i = 0; i < QUEUE_SLOTS * 5 + 17; i++)
		put_number(SYS, i);
	put(CON, "second");
	deliver(SINK_CONSOLE, "second", 0);
}

/* Against a model, over records of all kinds, readers of all paces. */
static void delivered_and_lost_add_up(uint64_t seq, uint64_t ordinal)
{
	uint64_t said[SINK_COUNT] = { 0 }, dealt[SINK_COUNT] = { 0 }, lost[SINK_COUNT] = { 0 };

	queue_free(queue);
	assert_int_equal(queue_create_at(&(struct queue_start){ seq, ordinal }, &queue), 0);
	srand(1);
	for (int step = 0; step < 20000; step++) {
		unsigned sinks = (unsigned)rand() % (1 << SINK_COUNT);
		unsigned sink = (unsigned)rand() % SINK_COUNT;

		for (unsigned i = 0; i < SINK_COUNT; i++)
			said[i] += sinks >> i & 1;
		queue_put(queue, sinks, (struct wall){ 0 }, said, sizeof said);
		if ((unsigned)rand() % (sink + 2))
			continue;
		for (int takes = rand() % 5; takes && !queue_take(queue, sink, &record); takes--) {
			uint64_t text[SINK_COUNT];

			assert_int_equal(record.len_bytes, sizeof text);
			memcpy(text, record.text, sizeof text);
			assert_true(text[sink] == dealt[sink] + record.lost + 1);
			assert_true(record.ordinal == ordinal + text[sink]);
			dealt[sink] = text[sink];
			lost[sink] += record.lost;
			if (record.lost && rand() % 2)
				queue_done_lost(queue, sink, &record);
			queue_done(queue, sink, &record);
			assert_int_equal(queue_status(queue, sink).lost, lost[sink]);
			assert_int_equal(
				queue_status(queue, sink).delivered, dealt[sink] - lost[sink]);
			assert_int_equal(
				queue_status(queue, sink).pending, said[sink] - dealt[sink]);
		}
	}
	assert_true(lost[0] > 0 && lost[SINK_COUNT - 1] > 0);
}

static void losses_are_counted_exactly_wherever_the_counters_wrap(void **state)
{
	static const uint64_t starts[] = {
		0,
		QUEUE_SLOTS - 3,
		UINT32_MAX - UINT64_C(2),
		INT64_MAX - UINT64_C(2),
		UINT64_MAX - 2,
	};

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		for (size_t j = 0; j < sizeof starts / sizeof starts[0]; j++)
			delivered_and_lost_add_up(starts[i], starts[j]);
}

/* --- taking over --- */

static void a_new_image_goes_on_where_the_old_one_was(void **state)
{
	struct queue *old = queue;

	(void)state;
	put(CON, "old 1");
	put(CON | SYS, "old 2");
	deliver(SINK_CONSOLE, "old 1", 0);
	queue_set_word(queue, SINK_RECORDS, QUEUE_SINK_WORDS - 1, 42);
	assert_int_equal(queue_attach(dup(queue_fd(old)), &queue), 0);
	assert_int_equal(queue_next_seq(queue), queue_next_seq(old));
	queue_free(old);
	put(CON | SYS, "new");
	deliver(SINK_CONSOLE, "old 2", 0);
	deliver(SINK_CONSOLE, "new", 0);
	deliver(SINK_SYSLOG, "old 2", 0);
	deliver(SINK_SYSLOG, "new", 0);
	assert_int_equal(queue_word(queue, SINK_RECORDS, QUEUE_SINK_WORDS - 1), 42);
	assert_int_equal(queue_word(queue, SINK_SYSLOG, QUEUE_SINK_WORDS - 1), 0);
}

static void what_is_no_queue_of_this_layout_is_refused(void **state)
{
	unsigned char *raw = map_raw();
	int fd = dup(queue_fd(queue));
	struct queue *other;
	FILE *file = tmpfile();

	(void)state;
	assert_int_equal(queue_attach(fileno(file), &other), -EPROTO);
	assert_int_equal(ftruncate(fileno(file), QUEUE_BYTES), 0);
	assert_int_equal(queue_attach(fileno(file), &other), -EPROTO);
	assert_int_equal(queue_attach(-1, &other), -EBADF);
	for (size_t at = 0; at < AT_HEAD; at++) {
		raw[at] ^= 0x10;
		assert_int_equal(queue_attach(fd, &other), -EPROTO);
		raw[at] ^= 0x10;
	}
	assert_int_equal(mappings(), 2);
	assert_int_equal(queue_attach(fd, &other), 0);
	queue_free(other);
	munmap(raw, QUEUE_BYTES);
	fclose(file);
}

static void a_header_that_lies_does_not_mislead_the_new_image(void **state)
{
	static const uint64_t lies[] = { 0, 1, 299, 813, UINT64_MAX };
	unsigned char *raw = map_raw();

	(void)state;
	for (uint64_t i = 0; i < 300; i++)
		put_number(CON, i);
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct queue *other;

		for (size_t word = 0; word <= SINK_COUNT; word++)
			memcpy(raw + AT_HEAD + 8 * word, &lies[i], 8);
		assert_int_equal(queue_attach(dup(queue_fd(queue)), &other), 0);
		assert_int_equal(queue_next_seq(other), 300);
		queue_free(other);
	}
	munmap(raw, QUEUE_BYTES);
}

static void nobody_can_cut_the_queue_off_under_its_readers(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(queue_fd(queue), 0), -1);
	assert_int_equal(ftruncate(queue_fd(queue), QUEUE_BYTES * 2), -1);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int open_before, nth = 0, err;

	queue_free(queue);
	queue = NULL;
	(void)state;
	open_before = fds_open();
	do {
		fault_arm(++nth, -ENOMEM);
		err = queue_create(&queue);
		if (!err)
			queue_free(queue);
		assert_int_equal(err, fault_calls() < nth ? 0 : -ENOMEM);
		assert_int_equal(fds_open(), open_before);
		assert_int_equal(mappings(), 0);
		queue = NULL;
	} while (fault_fired());
	assert_true(nth > 60);
}

static void a_failed_attach_leaves_the_descriptor_to_the_caller(void **state)
{
	int fd = dup(queue_fd(queue)), nth = 0, err;
	struct queue *other;

	(void)state;
	do {
		fault_arm(++nth, -ENOMEM);
		err = queue_attach(fd, &other);
		assert_int_equal(err, fault_calls() < nth ? 0 : -ENOMEM);
		assert_int_equal(mappings(), err ? 1 : 2);
	} while (fault_fired());
	queue_free(other);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void a_kernel_without_memfds_has_a_queue_nevertheless(void **state)
{
	pid_t pid;

	(void)state;
	queue_free(queue);
	fault_name("memfd", -ENOSYS);
	assert_int_equal(queue_create(&queue), 0);
	fault_clear();
	assert_int_equal(queue_fd(queue), -1);
	pid = fork();
	if (!pid) {
		put(CON, "from a child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	deliver(SINK_CONSOLE, "from a child", 0);
}

/* --- damage --- */

static void a_damaged_slot_is_a_loss_and_no_more(void **state)
{
	unsigned char *raw = map_raw();

	(void)state;
	for (unsigned at = 0; at < 80; at++) {
		unsigned char *slot;

		put(CON | SYS, "before");
		slot = raw + AT_SLOTS + queue_next_seq(queue) % QUEUE_SLOTS * QUEUE_SLOT_BYTES;
		put(CON | SYS, "hit");
		put(CON | SYS, "after");
		slot[at] ^= 0x20;
		deliver(SINK_CONSOLE, "before", 0);
		deliver(SINK_CONSOLE, "after", 1);
		is_empty(SINK_CONSOLE);
		slot[at] ^= 0x20;
		deliver(SINK_SYSLOG, "before", 0);
		deliver(SINK_SYSLOG, "hit", 0);
		deliver(SINK_SYSLOG, "after", 0);
	}
	munmap(raw, QUEUE_BYTES);
}

static void a_damaged_cursor_costs_no_record_to_come(void **state)
{
	unsigned char *raw = map_raw();

	(void)state;
	for (unsigned at = 0; at < 104; at++) {
		unsigned char *cursor = raw + AT_CURSOR + SINK_CONSOLE * CURSOR_BYTES;

		put(CON, "settled");
		while (!queue_take(queue, SINK_CONSOLE, &record))
			queue_done(queue, SINK_CONSOLE, &record);
		put(CON, "to come");
		cursor[at] ^= 0xff;
		do
			assert_int_equal(queue_take(queue, SINK_CONSOLE, &record), 0);
		while (strcmp(record.text, "to come") &&
			(queue_done(queue, SINK_CONSOLE, &record), true));
		assert_int_equal(record.lost, 0);
		queue_done(queue, SINK_CONSOLE, &record);
		is_empty(SINK_CONSOLE);
	}
	munmap(raw, QUEUE_BYTES);
}

static void a_cursor_lost_for_good_starts_at_the_oldest_record(void **state)
{
	unsigned char *raw = map_raw();

	(void)state;
	put(CON, "old");
	deliver(SINK_CONSOLE, "old", 0);
	memset(raw + AT_CURSOR, 0xff, 104);
	put(CON, "new");
	assert_false(queue_is_past(queue, SINK_CONSOLE, 0));
	assert_int_equal(queue_status(queue, SINK_CONSOLE).state, SINK_IDLE);
	deliver(SINK_CONSOLE, "old", 0);
	deliver(SINK_CONSOLE, "new", 0);
	memset(raw + AT_CURSOR + CURSOR_BYTES, 0xff, 104);
	is_empty(SINK_SYSLOG);
	put(SYS, "next");
	deliver(SINK_SYSLOG, "next", 0);
	munmap(raw, QUEUE_BYTES);
}

static void a_head_that_lies_is_set_right_by_the_next_put(void **state)
{
	static const uint64_t lies[] = { 0, 1, 3, 5, 600, 100000, INT64_MAX, UINT64_MAX };
	unsigned char *raw = map_raw();

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		put(CON, "known");
		deliver(SINK_CONSOLE, "known", 0);
		memcpy(raw + AT_HEAD, &lies[i], 8);
		is_empty(SINK_CONSOLE);
		put(CON, "new");
		deliver(SINK_CONSOLE, "new", 0);
		is_empty(SINK_CONSOLE);
	}
	munmap(raw, QUEUE_BYTES);
}

static void every_call_ends_on_any_bytes(void **state)
{
	unsigned char *raw = map_raw();

	(void)state;
	srand(2);
	for (int round = 0; round < 300; round++) {
		size_t hits = round % 3 ? 5000 : 20, from = round % 2 ? 0 : AT_HEAD;
		size_t to = round % 5 ? QUEUE_BYTES : AT_SLOTS;

		for (size_t i = 0; i < hits; i++)
			raw[from + (size_t)rand() % (to - from)] = (unsigned char)rand();
		for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
			struct queue_status status = queue_status(queue, sink);

			assert_in_range(status.state, SINK_IDLE, SINK_BACKING_OFF);
			for (int takes = 0; takes < 3 && !queue_take(queue, sink, &record);
				takes++) {
				assert_in_range(record.len_bytes, 0, QUEUE_TEXT_MAX);
				queue_done(queue, sink, &record);
			}
			queue_wait(queue, sink, 0);
			(void)queue_is_past(queue, sink, 1);
		}
		put(CON | SYS | REC, "still at it");
	}
	munmap(raw, QUEUE_BYTES);
}

/* --- writers and readers that die --- */

static struct queue *of_handler;

static void put_last_words(int signal)
{
	(void)signal;
	queue_put(of_handler, CON, (struct wall){ 0 }, "last words", 10);
	_exit(0);
}

static void write_until_cut_off(int delay_us)
{
	struct itimerval timer = { .it_value.tv_usec = delay_us };

	of_handler = queue;
	signal(SIGALRM, put_last_words);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (uint64_t i = 0;; i++)
		put_number(CON, i);
}

static void last_words_of_a_crash_within_a_put_get_out(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		uint64_t last = queue_status(queue, SINK_CONSOLE).delivered +
				queue_status(queue, SINK_CONSOLE).lost;
		struct queue *fresh;
		pid_t pid = fork();

		if (!pid)
			write_until_cut_off(200 + round * 7);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(queue_attach(dup(queue_fd(queue)), &fresh), 0);
		queue_free(queue);
		queue = fresh;
		put(CON, "new image");
		while (!queue_take(queue, SINK_CONSOLE, &record) &&
			strcmp(record.text, "last words")) {
			assert_int_equal(record.ordinal, last + record.lost + 1);
			last = record.ordinal;
			queue_done(queue, SINK_CONSOLE, &record);
		}
		assert_string_equal(record.text, "last words");
		queue_done(queue, SINK_CONSOLE, &record);
		deliver(SINK_CONSOLE, "new image", 0);
	}
}

static void read_into(int fd)
{
	for (;;) {
		while (!queue_take(queue, SINK_CONSOLE, &record)) {
			uint64_t number = number_of(&record);

			if (write(fd, &number, sizeof number) != sizeof number)
				_exit(1);
			queue_done(queue, SINK_CONSOLE, &record);
		}
		queue_wait(queue, SINK_CONSOLE, -1);
	}
}

/* Each record reaches the pipe; one may do so twice for each reader that was killed. */
static void killed_readers_lose_nothing(void **state)
{
	enum { READERS = 50, RECORDS = 400 };
	uint64_t number, last = 0, written = 0;
	int fds[2], twice = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (int reader = 0; reader < READERS || last < written; reader++) {
		struct timespec moment = { 0, 1000 * (reader * 37 % 500) };
		bool is_last = reader >= READERS;
		pid_t pid = fork();

		if (!pid)
			read_into(fds[1]);
		for (int i = 0; i < 7 && !is_last; i++)
			put_number(CON, ++written);
		nanosleep(&moment, NULL);
		if (is_last)
			assert_int_equal(queue_wait_past(queue, SINK_CONSOLE,
						 queue_next_seq(queue) - 1, LONG_MS),
				0);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
		while (read(fds[0], &number, sizeof number) == sizeof number) {
			assert_in_range(number, last, last + 1);
			twice += number == last;
			last = number;
		}
	}
	assert_int_equal(last, written);
	assert_in_range(twice, 0, READERS);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).lost, 0);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).delivered, written);
	close(fds[0]);
	close(fds[1]);
}

/* --- waiting --- */

static void waiting_ends_at_once_after_a_put_that_take_did_not_see(void **state)
{
	(void)state;
	is_empty(SINK_CONSOLE);
	put(CON, "meanwhile");
	assert_int_equal(queue_wait(queue, SINK_CONSOLE, -1), 0);
	is_empty(SINK_SYSLOG);
	assert_int_equal(queue_wait(queue, SINK_SYSLOG, 1), -ETIMEDOUT);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void a_signal_ends_a_wait(void **state)
{
	struct itimerval timer = { { 0, 10000 }, { 0, 10000 } };
	struct sigaction action = { .sa_handler = do_nothing };

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	is_empty(SINK_CONSOLE);
	setitimer(ITIMER_REAL, &timer, NULL);
	assert_int_equal(queue_wait(queue, SINK_CONSOLE, -1), -EINTR);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	signal(SIGALRM, SIG_DFL);
}

/* Puts just as the reader, done with the record before, is about to sleep; a little later each
 * time. */
static void put_into_the_gap(uint64_t records)
{
	for (uint64_t i = 1; i <= records; i++) {
		put_number(CON, i);
		for (int spins = 0; !queue_is_past(queue, SINK_CONSOLE, queue_next_seq(queue) - 1);
			spins++)
			if (spins > 1000)
				sched_yield();
		for (volatile uint64_t wait = i % 128; wait; wait--)
			;
	}
}

/* A wake-up that got lost would leave the reader asleep until the time-out. */
static void no_wake_up_is_lost(void **state)
{
	enum { RECORDS = 40000 };
	uint64_t seen = 0;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		put_into_the_gap(RECORDS);
		_exit(0);
	}
	while (seen < RECORDS) {
		if (queue_take(queue, SINK_CONSOLE, &record)) {
			assert_int_equal(queue_wait(queue, SINK_CONSOLE, LONG_MS), 0);
			continue;
		}
		seen = number_of(&record);
		queue_done(queue, SINK_CONSOLE, &record);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void who_lingers_is_not_lapped(void **state)
{
	enum { LINGER_MS = 10000 };
	struct mono begin = mono_now();
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		put(CON, "first");
		if (queue_take(queue, SINK_CONSOLE, &record))
			_exit(1);
		queue_done(queue, SINK_CONSOLE, &record);
		queue_set_word(queue, SINK_CONSOLE, 0, 1);
		while (queue_linger(queue, SINK_CONSOLE, LINGER_MS) == -EINTR)
			;
		_exit(mono_is_due(mono_after_ms(begin, LINGER_MS), mono_now()) ? 2 : 0);
	}
	while (!queue_word(queue, SINK_CONSOLE, 0))
		sched_yield();
	/* It may not sleep yet: go on, but slower than it can fall asleep. */
	for (uint64_t i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		put_number(CON, i);
		if (i % 64 == 0)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	assert_int_equal(status, 0);
}

static void puts_are_silent_while_the_reader_is_up(void **state)
{
	(void)state;
	is_empty(SINK_CONSOLE);
	assert_int_equal(queue_wait(queue, SINK_CONSOLE, 1), -ETIMEDOUT);
	fault_clear();
	for (int i = 0; i < 10; i++)
		put(CON, "nobody sleeps");
	assert_int_equal(fault_calls(), 0);
	for (int i = 0; i < QUEUE_SLOTS; i++)
		put(CON, "do not oversleep");
	assert_in_range(fault_calls(), 2, QUEUE_SLOTS / 16);
}

static void waiting_for_a_record_ends_when_it_is_out(void **state)
{
	uint64_t seq = queue_next_seq(queue);
	pid_t pid;

	(void)state;
	assert_int_equal(queue_wait_past(queue, SINK_RECORDS, seq, 0), -ETIMEDOUT);
	assert_int_equal(queue_wait_past(queue, SINK_RECORDS, seq, 10), -ETIMEDOUT);
	put(REC, "login");
	assert_false(queue_is_past(queue, SINK_RECORDS, seq));
	pid = fork();
	if (!pid) {
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		if (queue_take(queue, SINK_RECORDS, &record))
			_exit(1);
		queue_set_state(queue, SINK_RECORDS, SINK_DELIVERING);
		queue_done(queue, SINK_RECORDS, &record);
		_exit(0);
	}
	assert_int_equal(queue_wait_past(queue, SINK_RECORDS, seq, LONG_MS), 0);
	assert_true(queue_is_past(queue, SINK_RECORDS, seq));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void waiting_for_a_record_ends_when_its_sink_backs_off(void **state)
{
	uint64_t seq = queue_next_seq(queue);
	pid_t pid;

	(void)state;
	put(REC, "login");
	pid = fork();
	if (!pid) {
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		queue_set_state(queue, SINK_RECORDS, SINK_BACKING_OFF);
		_exit(0);
	}
	assert_int_equal(queue_wait_past(queue, SINK_RECORDS, seq, LONG_MS), -EAGAIN);
	assert_int_equal(queue_status(queue, SINK_RECORDS).state, SINK_BACKING_OFF);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void quiet_is_when_all_that_was_said_is_out(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(queue_wait_quiet(queue, SINK_CONSOLE, 0), 0);
	put(CON, "one");
	put(CON, "two");
	put(SYS, "not waited for");
	assert_int_equal(queue_wait_quiet(queue, SINK_CONSOLE, 10), -ETIMEDOUT);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 2; i++) {
			nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
			if (queue_take(queue, SINK_CONSOLE, &record))
				_exit(1);
			queue_done(queue, SINK_CONSOLE, &record);
		}
		_exit(0);
	}
	assert_int_equal(queue_wait_quiet(queue, SINK_CONSOLE, LONG_MS), 0);
	assert_int_equal(queue_status(queue, SINK_CONSOLE).pending, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	put(CON, "three");
	queue_set_state(queue, SINK_CONSOLE, SINK_BACKING_OFF);
	assert_int_equal(queue_wait_quiet(queue, SINK_CONSOLE, LONG_MS), -EAGAIN);
}

/* --- all at once, for ThreadSanitizer to look at --- */

enum { STRESS = 30000 };

static void *read_all(void *arg)
{
	enum sink sink = (enum sink)(uintptr_t)arg;
	uint64_t dealt = 0;
	struct record it;

	while (dealt < STRESS) {
		char expected[64];

		if (queue_take(queue, sink, &it)) {
			queue_wait(queue, sink, LONG_MS);
			continue;
		}
		snprintf(expected, sizeof expected, "%llu and %llu again",
			(unsigned long long)it.ordinal, (unsigned long long)it.ordinal);
		if (it.ordinal != dealt + it.lost + 1 || strcmp(it.text, expected))
			return arg ? arg : &record;
		dealt = it.ordinal;
		queue_done(queue, sink, &it);
	}
	return NULL;
}

static void *look_on(void *arg)
{
	(void)arg;
	while (queue_status(queue, SINK_CONSOLE).pending ||
		!queue_is_past(queue, SINK_CONSOLE, STRESS - 1))
		if (queue_wait_past(queue, SINK_CONSOLE, STRESS - 1, 1) == 0)
			break;
	return NULL;
}

static void readers_never_see_half_a_record(void **state)
{
	pthread_t reader[SINK_COUNT], watcher;
	void *wrong;

	(void)state;
	for (uintptr_t sink = 0; sink < SINK_COUNT; sink++)
		assert_int_equal(pthread_create(&reader[sink], NULL, read_all, (void *)sink), 0);
	assert_int_equal(pthread_create(&watcher, NULL, look_on, NULL), 0);
	for (unsigned long long i = 1; i <= STRESS; i++) {
		char text[64];

		snprintf(text, sizeof text, "%llu and %llu again", i, i);
		put((1 << SINK_COUNT) - 1, text);
		if (i % 1000 == 0)
			sched_yield();
	}
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		assert_int_equal(pthread_join(reader[sink], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(pthread_join(watcher, NULL), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_was_put_is_taken_in_order_by_each_sink),
		CASE(taking_alone_moves_nothing),
		CASE(every_length_arrives_and_too_long_is_cut),
		CASE(a_full_queue_gives_up_its_oldest_and_the_loss_is_known),
		CASE(what_was_taken_is_not_lost_when_it_is_lapped),
		CASE(other_sinks_records_cost_a_sink_only_room),
		CASE(losses_are_counted_exactly_wherever_the_counters_wrap),
		CASE(a_new_image_goes_on_where_the_old_one_was),
		CASE(what_is_no_queue_of_this_layout_is_refused),
		CASE(a_header_that_lies_does_not_mislead_the_new_image),
		CASE(nobody_can_cut_the_queue_off_under_its_readers),
		CASE(every_failure_leaves_nothing_open),
		CASE(a_failed_attach_leaves_the_descriptor_to_the_caller),
		CASE(a_kernel_without_memfds_has_a_queue_nevertheless),
		CASE(a_damaged_slot_is_a_loss_and_no_more),
		CASE(a_damaged_cursor_costs_no_record_to_come),
		CASE(a_cursor_lost_for_good_starts_at_the_oldest_record),
		CASE(a_head_that_lies_is_set_right_by_the_next_put),
		CASE(every_call_ends_on_any_bytes),
		CASE(last_words_of_a_crash_within_a_put_get_out),
		CASE(killed_readers_lose_nothing),
		CASE(waiting_ends_at_once_after_a_put_that_take_did_not_see),
		CASE(a_signal_ends_a_wait),
		CASE(no_wake_up_is_lost),
		CASE(who_lingers_is_not_lapped),
		CASE(puts_are_silent_while_the_reader_is_up),
		CASE(waiting_for_a_record_ends_when_it_is_out),
		CASE(waiting_for_a_record_ends_when_its_sink_backs_off),
		CASE(quiet_is_when_all_that_was_said_is_out),
		CASE(readers_never_see_half_a_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
