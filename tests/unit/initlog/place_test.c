/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "initlog/place.h"

static struct place place_of(uint64_t n)
{
	return (struct place){ .next = n, .dealt = n * 3, .delivered = n * 5, .lost = n * 7 };
}

static void is_place_of(const struct place *place, uint64_t n)
{
	assert_int_equal(place->next, n);
	assert_int_equal(place->dealt, n * 3);
	assert_int_equal(place->delivered, n * 5);
	assert_int_equal(place->lost, n * 7);
}

static void what_was_stored_last_is_loaded(void **state)
{
	struct place_pair pair = { 0 };
	struct place place = { .next = 99 };

	(void)state;
	assert_false(place_load(&pair, &place));
	assert_int_equal(place.next, 99);
	for (uint64_t n = 0; n < 10; n++) {
		place = place_of(n);
		place_store(&pair, &place);
		assert_true(place_load(&pair, &place));
		is_place_of(&place, n);
	}
}

static void any_damage_to_one_copy_leaves_the_other(void **state)
{
	struct place_pair pair = { 0 }, hit;
	struct place place;

	(void)state;
	place = place_of(1);
	place_store(&pair, &place);
	place = place_of(2);
	place_store(&pair, &place);
	for (size_t at = 0; at < sizeof pair; at++) {
		memcpy(&hit, &pair, sizeof pair);
		((unsigned char *)&hit)[at] ^= 0x11;
		assert_true(place_load(&hit, &place));
		assert_in_range(place.next, 1, 2);
		is_place_of(&place, place.next);
	}
}

/* A parent that looks at any moment, and after the kill: always a place that was stored, never an
 * older one. */
static void a_killed_process_leaves_a_whole_place(void **state)
{
	struct place_pair *pair =
		mmap(NULL, sizeof *pair, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct place place = { 0 };
	uint64_t last = 0;

	(void)state;
	place_store(pair, &place);
	for (int round = 0; round < 100; round++) {
		struct timespec moment = { 0, 1000 * (round * 37 % 300) };
		pid_t pid = fork();

		while (!pid) {
			place = place_of(place.next + 1);
			place_store(pair, &place);
		}
		for (int look = 0; look < 1000; look++) {
			/* Two stores may pass while we look: then there may be nothing whole to
			 * see. */
			if (!place_load(pair, &place))
				continue;
			is_place_of(&place, place.next);
		}
		nanosleep(&moment, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(place_load(pair, &place));
		is_place_of(&place, place.next);
		assert_true(place.next >= last);
		last = place.next;
	}
	assert_true(last > 100);
	munmap(pair, sizeof *pair);
}

static void the_sum_sees_every_bit_and_the_order(void **state)
{
	uint64_t words[8] = { 0 }, sum = words_checksum(words, 8);

	(void)state;
	assert_int_not_equal(sum, 0);
	assert_int_not_equal(sum, words_checksum(words, 7));
	for (unsigned bit = 0; bit < 512; bit++) {
		words[bit / 64] ^= UINT64_C(1) << bit % 64;
		assert_int_not_equal(words_checksum(words, 8), sum);
		words[bit / 64] = 0;
	}
	words[0] = 1;
	sum = words_checksum(words, 8);
	words[0] = 0;
	words[1] = 1;
	assert_int_not_equal(words_checksum(words, 8), sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_stored_last_is_loaded),
		cmocka_unit_test(any_damage_to_one_copy_leaves_the_other),
		cmocka_unit_test(a_killed_process_leaves_a_whole_place),
		cmocka_unit_test(the_sum_sees_every_bit_and_the_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
