/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h - how far a sink is in the queue, so that its reader may be killed between any two
 * instructions. Part of the queue's layout. One process stores, any may load; nothing here can
 * block or allocate. */
#ifndef INITLOG_PLACE_H
#define INITLOG_PLACE_H

#include <assert.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct place {
	uint64_t next;                  /* no undelivered record of the sink lies before it */
	uint64_t dealt;                 /* ordinal of the last delivered or announced lost */
	uint64_t delivered, lost;
	uint64_t check;                 /* place_store() sets it */
};

enum { PLACE_WORDS = sizeof(struct place) / sizeof(uint64_t) };
static_assert(sizeof(struct place) == 40, "lies in the queue");

/* Two copies: whenever the storing process dies, the active one is whole. */
struct place_pair {
	_Atomic uint64_t copy[2][PLACE_WORDS];
	_Atomic uint32_t active;
	uint32_t spare;
};
static_assert(sizeof(struct place_pair) == 88 && offsetof(struct place_pair, active) == 80,
	"lies in the queue");

/* False: both copies are damaged; *out is unchanged. */
bool place_load(const struct place_pair *pair, struct place *out);

void place_store(struct place_pair *pair, const struct place *place);

/* Notices damage, keeps no secrets. A word a step, for it is on the way of each line that pid 1
 * says. */
uint64_t words_checksum(const uint64_t *word, size_t count);

#endif
