/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/pidset.h"

#include <sys/mman.h>

#include "lib/sys.h"

enum { WORD_BITS = 64, WORDS = PIDSET_LIMIT / WORD_BITS };

int pidset_begin(struct pidset *set)
{
	void *at;
	int err = sys_map(-1, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, &at);

	if (err)
		return err;
	*set = (struct pidset){ .word = at };
	return 0;
}

void pidset_end(struct pidset *set)
{
	(void)sys_unmap((void *)(uintptr_t)set->word, WORDS * sizeof(uint64_t));
	*set = (struct pidset){ 0 };
}

static bool is_number(pid_t pid)
{
	return pid > 0 && pid < PIDSET_LIMIT;
}

void pidset_add(struct pidset *set, pid_t pid)
{
	if (!is_number(pid) || pidset_has(set, pid))
		return;
	set->word[pid / WORD_BITS] |= UINT64_C(1) << (pid % WORD_BITS);
	set->count++;
}

void pidset_remove(struct pidset *set, pid_t pid)
{
	if (!pidset_has(set, pid))
		return;
	set->word[pid / WORD_BITS] &= ~(UINT64_C(1) << (pid % WORD_BITS));
	set->count--;
}

bool pidset_has(const struct pidset *set, pid_t pid)
{
	return is_number(pid) && (set->word[pid / WORD_BITS] >> (pid % WORD_BITS) & 1);
}

pid_t pidset_next(const struct pidset *set, pid_t after)
{
	pid_t pid = after + 1;

	while (is_number(pid)) {
		uint64_t rest = set->word[pid / WORD_BITS] >> (pid % WORD_BITS);

		if (rest)
			return pid + __builtin_ctzll(rest);
		pid = (pid / WORD_BITS + 1) * WORD_BITS;
	}
	return 0;
}
