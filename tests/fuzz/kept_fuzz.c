/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an init leaves for its next image, with any bytes of the state record and of the family overwritten, under checksums
 * that fit or not: what is taken is within its bounds, is taken once more by the image after that, and an init that goes
 * on from it comes to rest. A wrong answer aborts. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake/init.h"
#include "fuzz/input.h"
#include "init/control.h"
#include "init/kept.h"
#include "init/takeover.h"

/* The layout, as asserted in kept.c and family.c. */
enum { CHECKED_AT = 16, CHECKSUM_AT = 12, FAMILY_HEAD_BYTES = 32, TURNS_MAX = 200, WAIT_MS = 400000 };
#define TABLE "~1:S:wait:/sbin/sulogin\n1:23:respawn:/sbin/getty\nw:2:wait:/etc/rc\no:2:once:/bin/x\nsi::sysinit:/bin/si\n"

struct saved {
	char *bytes;
	size_t size;
};

static struct saved map(int fd)
{
	struct stat st;
	void *at;

	FUZZ_CHECK(!sys_fstat(fd, &st) && !sys_map(fd, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, &at));
	return (struct saved){ at, (size_t)st.st_size };
}

static void overwrite(struct input *input, const struct saved *part)
{
	size_t at = input_number(input, 2) % part->size, len;
	const uint8_t *bytes = input_piece(input, part->size - at < 8 ? part->size - at : 8, &len);

	if (len)
		memcpy(part->bytes + at, bytes, len);
}

static void seal_state(const struct saved *state)
{
	uint32_t sum = num_hash(state->bytes + CHECKED_AT, state->size - CHECKED_AT);

	memcpy(state->bytes + CHECKSUM_AT, &sum, sizeof sum);
}

static void seal_family(const struct saved *family)
{
	struct entry *entry = (struct entry *)(family->bytes + FAMILY_HEAD_BYTES);

	for (size_t left = family->size - FAMILY_HEAD_BYTES; left >= sizeof *entry; left -= sizeof *entry)
		family_seal(entry++);
}

/* In the state record at 24: the two numbers of descriptors are ours, whatever else is wrong; others would be the test's. */
static void damage(struct input *input, int state_fd, int family_fd)
{
	struct saved state = map(state_fd), family = map(family_fd);
	int32_t fds[3];

	memcpy(fds, state.bytes + CHECKED_AT, sizeof fds);
	while (input->left) {
		uint8_t what = input_byte(input);

		overwrite(input, what & 1 ? &family : &state);
		if (what & 4)
			continue;
		memcpy(state.bytes + CHECKED_AT, fds, sizeof fds);
		if (what & 1)
			seal_family(&family);
		else
			seal_state(&state);
	}
	sys_unmap(state.bytes, state.size);
	sys_unmap(family.bytes, family.size);
}

static void check_family(const struct family *family)
{
	int32_t running = 0;

	FUZZ_CHECK(family->count >= 0 && family->count <= family->total);
	for (int32_t i = 0; i < family->total; i++) {
		const struct entry *entry = &family->entry[i];

		FUZZ_CHECK(entry->action > ACTION_NONE && entry->action < ACTION_COUNT && entry->pid >= 0);
		FUZZ_CHECK(strlen(family_process(family, entry)) <= entry->process_len);
		running += entry->pid != 0;
	}
	FUZZ_CHECK(family->running == running);
}

static void check_level(const struct init *in)
{
	FUZZ_CHECK(in->level.phase > PHASE_NONE && in->level.phase < PHASE_COUNT && in->level.stop_s >= 0);
	FUZZ_CHECK(in->level.now && strchr("#*S0123456789", in->level.now));
	FUZZ_CHECK(in->level.wanted && strchr("#*S0123456789", in->level.wanted));
	FUZZ_CHECK(memchr(in->console, '\0', CONSOLE_NAME_MAX));
}

static void all_end(struct init *in)
{
	for (int kind = 0; kind < JOB_COUNT; kind++) {
		if (in->job[kind].pid && kind == JOB_LOADER)
			fake_loader_ends(in, TABLE, 0);
		else if (in->job[kind].pid)
			fake_job_ends(in, (enum job_kind)kind, 1);
	}
	for (int32_t i = 0; i < in->family.total; i++) {
		const struct entry *entry = &in->family.entry[i];

		if (entry->pid && entry->flags & (ENTRY_WAITING | ENTRY_STOPPING))
			fake_end(entry->pid, CLD_EXITED, 0);
	}
}

/* Where an init may stay; HALT: the machine must not be run without its policy. */
static bool is_at_rest(enum phase phase)
{
	return phase == PHASE_STEADY || phase == PHASE_ASK || phase == PHASE_TAKE || phase == PHASE_EMERGENCY || phase == PHASE_HALT;
}

/* Where it goes on, it comes to rest. */
static void check_goes_on(struct init *in)
{
	level_resume(in);
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		(void)fake_turns(in);
		all_end(in);
		fake_forget_said(in);
		if (is_at_rest(in->level.phase))
			return;
		fake_pass_ms(WAIT_MS);
	}
	fprintf(stderr, "no level is reached\n");
	abort();
}

/* The same struct, as a new image has it. */
static void take(struct init *in)
{
	struct family before = in->family;
	int queue_fd, family_fd;
	int32_t dropped = 0;

	if (!kept_take(in, &queue_fd, &family_fd))
		return;
	check_level(in);
	FUZZ_CHECK(family_fd == before.fd);
	family_init(&in->family);
	if (family_attach(&in->family, family_fd, &dropped)) {
		in->family = before;
		return;
	}
	sys_unmap(before.image, before.size_bytes);
	sys_unmap(before.pid_bucket, before.index_bytes);
	FUZZ_CHECK(dropped >= 0 && dropped <= in->family.total);
	check_family(&in->family);
	FUZZ_CHECK(!kept_save(in));
	FUZZ_CHECK(kept_take(in, &queue_fd, &family_fd) && family_fd == in->family.fd);
	check_goes_on(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct init *in = fake_init_begin();

	fake_adopt(in, TABLE);
	FUZZ_CHECK(!kept_open(in));
	if (input_byte(&input) & 1)
		family_set_running(&in->family, fake_entry(in, "1"), FAKE_FIRST_PID + 5000);
	FUZZ_CHECK(!kept_save(in));
	damage(&input, in->kept_fd, in->family.fd);
	take(in);
	fake_init_end(in);
	return 0;
}
