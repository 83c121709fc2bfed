/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [place:A] what the place tells of before its words, and those before their copy is the active one;
 * [place:B] which is active before its words, and those before what they tell of.
 * Words have their own order: who is overtaken by a store may find the idle copy whole already.
 * Who loads while two stores pass may see a torn copy: its checksum says so, and the other one is
 * whole. */
#include "initlog/place.h"

union place_words {
	struct place place;
	uint64_t word[PLACE_WORDS];
};

uint64_t words_checksum(const uint64_t *word, size_t count)
{
	uint64_t sum = UINT64_C(0x736d756b63656863);    /* not 0: a page of zeros is no record */

	while (count--) {
		sum = (sum ^ *word++) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

static uint64_t place_check(const union place_words *it)
{
	return words_checksum(it->word, PLACE_WORDS - 1);
}

static bool copy_load(const struct place_pair *pair, unsigned which, struct place *out)
{
	union place_words it;

	for (unsigned i = 0; i < PLACE_WORDS; i++)
		it.word[i] = atomic_load_explicit(
			&pair->copy[which][i], memory_order_acquire); /* [place:B] */
	if (it.place.check != place_check(&it))
		return false;
	*out = it.place;
	return true;
}

bool place_load(const struct place_pair *pair, struct place *out)
{
	unsigned active = atomic_load_explicit(&pair->active, memory_order_acquire); /* [place:B] */

	active &= 1;
	return copy_load(pair, active, out) || copy_load(pair, !active, out);
}

void place_store(struct place_pair *pair, const struct place *place)
{
	unsigned idle = !(atomic_load_explicit(&pair->active, memory_order_relaxed) & 1);
	union place_words it = { .place = *place };

	it.place.check = place_check(&it);
	for (unsigned i = 0; i < PLACE_WORDS; i++)
		atomic_store_explicit(
			&pair->copy[idle][i], it.word[i], memory_order_release); /* [place:A] */
	atomic_store_explicit(&pair->active, idle, memory_order_release); /* [place:A] */
}
