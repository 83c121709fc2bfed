/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/table.h"

/* As family.c lays it out: what a damaged or hostile image may hold is written through these. */
struct image_head {
	uint32_t magic, version, head_bytes, entry_bytes;
	int32_t count, total;
	uint64_t size_bytes;
};

static int begin(void **state)
{
	*state = fake_init_begin();
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static void run(struct init *in, const char *id, pid_t pid)
{
	family_set_running(&in->family, fake_entry(in, id), pid);
}

static void mark(struct init *in, const char *id, uint32_t flags)
{
	struct entry *entry = fake_entry(in, id);

	entry->flags |= flags;
	family_seal(entry);
}

static bool is_sealed(const struct entry *entry)
{
	struct entry copy = *entry;

	family_seal(&copy);
	return copy.checksum == entry->checksum;
}

/* What must hold of any family, whatever was done to it. */
static void assert_sound(struct family *family)
{
	int32_t running = 0, running_boot = 0, stopping = 0;

	assert_true(family->count <= family->total);
	for (int32_t i = 0; i < family->total; i++) {
		struct entry *entry = &family->entry[i];

		assert_true(is_sealed(entry));
		assert_int_equal(family_position(family, entry), i);
		assert_int_equal(strlen(family_process(family, entry)), entry->process_len);
		if (i >= family->count)
			assert_false(entry->levels[0]);
		if (!entry->pid)
			continue;
		assert_ptr_equal(family_find_pid(family, entry->pid), entry);
		running++;
		running_boot += entry->action == ACTION_BOOT;
		stopping += (entry->flags & ENTRY_STOPPING) != 0;
	}
	assert_int_equal(family->running, running);
	assert_int_equal(family->running_boot, running_boot);
	assert_int_equal(family->stopping, stopping);
}

/* --- adopting --- */

static void a_first_table_is_taken_as_it_is(void **state)
{
	struct init *in = *state;
	const struct entry *entry;

	fake_adopt(in, "si::sysinit:/etc/rcS\n1:2345:respawn:getty tty1\nca::ctrlaltdel:shutdown\nkb::kbrequest:x\n");
	assert_sound(&in->family);
	assert_int_equal(in->family.count, 4);
	assert_int_equal(in->family.total, 4);
	entry = fake_entry(in, "1");
	assert_string_equal(entry->levels, "2345");
	assert_int_equal(entry->action, ACTION_RESPAWN);
	assert_string_equal(family_process(&in->family, entry), "getty tty1");
	assert_int_equal(entry->flags, 0);
	assert_int_equal(fake_entry(in, "ca")->flags, ENTRY_EXECUTED);
	assert_int_equal(fake_entry(in, "kb")->flags, ENTRY_EXECUTED);
	assert_int_equal(family_position(&in->family, fake_entry(in, "ca")), 0);
}

static void the_same_id_and_action_keep_the_process_and_its_marks(void **state)
{
	struct init *in = *state;
	const uint32_t marks = ENTRY_DEMAND | ENTRY_EXECUTED | ENTRY_WAITING;
	struct entry *entry;

	fake_adopt(in, "a:2:once:old\nb:2:wait:x\n");
	run(in, "a", 501);
	mark(in, "a", marks);
	run(in, "b", 502);
	family_set_ended(&in->family, fake_entry(in, "b"), CLD_KILLED, 9);
	mark(in, "b", ENTRY_EXECUTED);
	fake_adopt(in, "new:2:once:n\nb:2:wait:x\na:35:once:new\n");
	assert_sound(&in->family);
	assert_int_equal(in->family.total, 3);
	entry = fake_entry(in, "a");
	assert_int_equal(entry->pid, 501);
	assert_int_equal(entry->flags, marks);
	assert_string_equal(entry->levels, "35");
	assert_string_equal(family_process(&in->family, entry), "new");
	entry = fake_entry(in, "b");
	assert_int_equal(entry->pid, 0);
	assert_int_equal(entry->flags, ENTRY_EXECUTED);
	assert_int_equal(entry->wait_code, CLD_KILLED);
	assert_int_equal(entry->wait_status, 9);
	assert_int_equal(fake_entry(in, "new")->flags, 0);
}

static void another_action_leaves_the_process_behind_the_table(void **state)
{
	struct init *in = *state;
	const struct entry *old;

	fake_adopt(in, "a:2:once:old words\n");
	run(in, "a", 501);
	mark(in, "a", ENTRY_EXECUTED);
	fake_adopt(in, "a:2:respawn:new\n");
	assert_sound(&in->family);
	assert_int_equal(in->family.count, 1);
	assert_int_equal(in->family.total, 2);
	assert_int_equal(fake_entry(in, "a")->pid, 0);
	assert_int_equal(fake_entry(in, "a")->flags, 0);
	old = family_find_pid(&in->family, 501);
	assert_int_equal(family_position(&in->family, old), 1);
	assert_string_equal(old->id, "a");
	assert_int_equal(old->action, ACTION_ONCE);
	assert_string_equal(family_process(&in->family, old), "old words");
}

static void what_is_gone_is_kept_only_while_it_runs(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:boot:x\n");
	run(in, "a", 501);
	run(in, "c", 503);
	family_set_stopping(&in->family, fake_entry(in, "a"));
	fake_adopt(in, "z:2:respawn:x\n");
	assert_sound(&in->family);
	assert_int_equal(in->family.total, 3);
	assert_int_equal(in->family.stopping, 1);
	fake_adopt(in, "z:2:respawn:x\n");              /* and is carried along as long as it does */
	assert_sound(&in->family);
	assert_int_equal(in->family.total, 3);
	family_set_ended(&in->family, family_find_pid(&in->family, 501), CLD_EXITED, 0);
	assert_sound(&in->family);
	assert_null(family_find_pid(&in->family, 501));
	fake_adopt(in, "z:2:respawn:x\n");
	assert_int_equal(in->family.total, 2);
	assert_int_equal(in->family.running, 1);
	assert_int_equal(in->family.running_boot, 1);
}

static void a_process_left_behind_does_not_come_back_with_its_id(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\n");
	run(in, "a", 501);
	fake_adopt(in, "b:2:respawn:x\n");
	fake_adopt(in, "a:2:respawn:x\n");              /* it may be dying already */
	assert_sound(&in->family);
	assert_int_equal(fake_entry(in, "a")->pid, 0);
	assert_int_equal(family_position(&in->family, family_find_pid(&in->family, 501)), 1);
}

static void entries_of_the_id_that_may_stand_twice_match_in_order(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "~~:S:wait:first\nx:2:once:x\n~~:2:wait:second\n~~:3:wait:third\n");
	family_set_running(&in->family, &in->family.entry[0], 501);
	family_set_running(&in->family, &in->family.entry[2], 503);
	family_set_running(&in->family, &in->family.entry[3], 504);
	fake_adopt(in, "~~:S:wait:first\n~~:2:wait:second\n");
	assert_sound(&in->family);
	assert_int_equal(in->family.entry[0].pid, 501);
	assert_int_equal(in->family.entry[1].pid, 503);
	assert_int_equal(in->family.entry[2].pid, 504);
	assert_int_equal(in->family.count, 2);
	assert_int_equal(in->family.total, 3);
}

static void guards_are_kept_and_lists_start_afresh(void **state)
{
	struct init *in = *state;
	struct family *family = &in->family;
	struct entry *entry;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\n");
	entry = fake_entry(in, "a");
	entry->guard_count = 7;
	entry->guard_since_ns = entry->held_until_ns = 99;
	family_seal(entry);
	family_list_push(family, &family->held, entry);
	family_list_push(family, &family->due, fake_entry(in, "b"));
	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\n");
	assert_sound(family);
	assert_null(family_list_first(family, &family->held));
	assert_null(family_list_first(family, &family->due));
	entry = fake_entry(in, "a");
	assert_int_equal(entry->guard_count, 7);
	assert_int_equal(entry->guard_since_ns, 99);
	assert_int_equal(entry->held_until_ns, 99);
	assert_int_equal(entry->flags, 0);
}

static void an_empty_table_leaves_only_what_runs(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "");
	assert_sound(&in->family);
	assert_int_equal(in->family.total, 0);
	fake_adopt(in, "a:2:respawn:x\n");
	run(in, "a", 501);
	fake_adopt(in, "");
	assert_sound(&in->family);
	assert_int_equal(in->family.count, 0);
	assert_int_equal(in->family.total, 1);
}

/* Lines e0000 ... with a step between the numbers; ids are four characters, in base 36. */
static char *many_lines(int count, int step)
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t size = (size_t)count * 40 + 1, at = 0;
	char *text = malloc(size);

	assert_non_null(text);
	text[0] = '\0';
	for (int i = 0, n = 0; i < count; i++, n += step)
		at += (size_t)snprintf(text + at, size - at, "%c%c%c%c:2:respawn:run %d\n", digit[n / 46656 % 36],
			digit[n / 1296 % 36], digit[n / 36 % 36], digit[n % 36], n);
	return text;
}

static void five_thousand_entries_keep_their_processes(void **state)
{
	struct init *in = *state;
	char *all = many_lines(5000, 1), *half = many_lines(2500, 2);

	fake_adopt(in, all);
	for (int32_t i = 0; i < in->family.count; i++)
		family_set_running(&in->family, &in->family.entry[i], 1000 + i);
	assert_int_equal(in->family.running, 5000);
	fake_adopt(in, half);
	assert_int_equal(in->family.count, 2500);
	assert_int_equal(in->family.total, 5000);
	assert_sound(&in->family);
	for (int32_t i = 0; i < 2500; i++)
		assert_int_equal(in->family.entry[i].pid, 1000 + 2 * i);
	fake_adopt(in, all);
	assert_int_equal(in->family.total, 7500);
	assert_sound(&in->family);
	for (int32_t i = 0; i < 5000; i++)
		assert_int_equal(in->family.entry[i].pid, i % 2 ? 0 : 1000 + i);
	free(all);
	free(half);
}

static void whatever_call_fails_the_family_is_as_it_was(void **state)
{
	struct init *in = *state;
	struct family before;
	struct table table;
	int nth = 0, fds, err;
	bool fired;

	fake_adopt(in, "a:2:respawn:x\nb:2:once:y\n");
	run(in, "a", 501);
	fake_table("b:2:once:y\nc:2:once:z\n", &table);
	before = in->family;
	fds = fds_open();
	for (;;) {
		fault_arm(++nth, -ENOMEM);
		err = family_adopt(&in->family, &table);
		fired = fault_fired();
		assert_int_equal(fds_open(), fds);
		assert_sound(&in->family);
		if (!fired)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_memory_equal(&in->family, &before, sizeof before);
	}
	assert_int_equal(err, 0);
	assert_true(nth > 4);                           /* memfd, size, image, index, ids */
	assert_int_equal(in->family.total, 3);
	table_close(&table);
}

static size_t mapped_bytes(void)
{
	size_t bytes = 0;
	char line[512];
	FILE *file = fopen("/proc/self/maps", "r");

	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		unsigned long from, to;

		if (!strstr(line, "memfd:init family"))
			continue;
		assert_int_equal(sscanf(line, "%lx-%lx", &from, &to), 2);
		bytes += to - from;
	}
	(void)fclose(file);
	return bytes;
}

static void nothing_is_left_of_the_tables_before(void **state)
{
	struct init *in = *state;
	int fds;

	fake_adopt(in, "a:2:respawn:x\n");
	fds = fds_open();
	for (int i = 0; i < 50; i++)
		fake_adopt(in, "a:2:respawn:x\nb:2:once:y\n");
	assert_int_equal(fds_open(), fds);
	assert_int_equal(mapped_bytes(), (size_t)sysconf(_SC_PAGESIZE));
}

/* --- finding pids --- */

static void nobody_is_found_in_no_family_or_by_no_pid(void **state)
{
	struct init *in = *state;

	assert_null(family_find_pid(&in->family, 1));
	fake_adopt(in, "a:2:respawn:x\n");
	assert_null(family_find_pid(&in->family, 0));
	assert_null(family_find_pid(&in->family, -1));
	assert_null(family_find_pid(&in->family, 1));
}

/* A list of what should be found, against which the index is held. */
static void the_default_level_is_the_highest_letter_of_the_first_entry(void **state)
{
	struct init *in = *state;

	assert_int_equal(family_initdefault(&in->family), 0);
	fake_adopt(in, "a:2:respawn:x\n");
	assert_int_equal(family_initdefault(&in->family), 0);
	fake_adopt(in, "a:5:respawn:x\nid:2s3:initdefault:\nie:9:initdefault:\n");
	assert_int_equal(family_initdefault(&in->family), 'S');
}

static void the_index_finds_what_a_list_finds(void **state)
{
	struct init *in = *state;
	struct family *family = &in->family;
	char *lines = many_lines(200, 1);
	pid_t model[200] = { 0 }, next = 300;
	unsigned seed = 1;

	fake_adopt(in, lines);
	free(lines);
	for (int step = 0; step < 20000; step++) {
		int at = (int)((seed = seed * 1103515245u + 12345u) >> 16) % 200;

		if (model[at]) {
			family_set_ended(family, &family->entry[at], CLD_EXITED, step & 0xff);
			assert_int_equal(family->entry[at].wait_status, step & 0xff);
			assert_null(family_find_pid(family, model[at]));
			model[at] = 0;
		} else {
			next += 1 + (pid_t)(seed >> 28) * 16;   /* many share a bucket */
			model[at] = next;
			family_set_running(family, &family->entry[at], next);
		}
		if (step % 500)
			continue;
		assert_sound(family);
		for (pid_t pid = next - 400; pid <= next; pid++) {
			int32_t wanted = -1;

			for (int i = 0; i < 200; i++)
				if (pid > 0 && model[i] == pid)
					wanted = i;
			assert_ptr_equal(family_find_pid(family, pid), wanted < 0 ? NULL : &family->entry[wanted]);
		}
	}
}

static void the_end_takes_the_marks_of_the_process_along(void **state)
{
	struct init *in = *state;
	struct entry *entry;

	fake_adopt(in, "a:2:boot:x\n");
	entry = fake_entry(in, "a");
	family_set_stopping(&in->family, entry);        /* does not run: nothing to stop */
	assert_int_equal(in->family.stopping, 0);
	run(in, "a", 501);
	mark(in, "a", ENTRY_WAITING | ENTRY_EXECUTED | ENTRY_DEMAND);
	family_set_stopping(&in->family, entry);
	family_set_stopping(&in->family, entry);
	assert_int_equal(in->family.stopping, 1);
	assert_sound(&in->family);
	family_set_ended(&in->family, entry, CLD_DUMPED, 11);
	assert_int_equal(entry->flags, ENTRY_EXECUTED | ENTRY_DEMAND);
	assert_int_equal(entry->wait_code, CLD_DUMPED);
	assert_int_equal(entry->wait_status, 11);
	assert_sound(&in->family);
	run(in, "a", 502);
	assert_false(entry->flags & ENTRY_STOPPING);
}

/* --- lists --- */

static void lists_give_back_in_order_what_they_were_given(void **state)
{
	struct init *in = *state;
	struct family *family = &in->family;
	struct entry *e;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:respawn:x\nd:2:respawn:x\n");
	e = family->entry;
	assert_null(family_list_pop(family, &family->due));
	family_list_push(family, &family->due, &e[2]);
	family_list_push(family, &family->due, &e[0]);
	family_list_push_front(family, &family->due, &e[3]);
	family_list_push(family, &family->due, &e[2]);          /* it is in one already */
	family_list_push_front(family, &family->held, &e[0]);
	assert_null(family_list_first(family, &family->held));
	family_list_push_front(family, &family->held, &e[1]);
	assert_ptr_equal(family_list_first(family, &family->due), &e[3]);
	assert_ptr_equal(family_list_pop(family, &family->due), &e[3]);
	assert_ptr_equal(family_list_pop(family, &family->due), &e[2]);
	family_list_push(family, &family->due, &e[2]);
	assert_ptr_equal(family_list_pop(family, &family->due), &e[0]);
	assert_ptr_equal(family_list_pop(family, &family->due), &e[2]);
	assert_null(family_list_pop(family, &family->due));
	family_list_push(family, &family->held, &e[0]);
	assert_ptr_equal(family_list_pop(family, &family->held), &e[1]);
	assert_ptr_equal(family_list_pop(family, &family->held), &e[0]);
	assert_sound(family);
}

static void cleared_lists_can_be_filled_anew(void **state)
{
	struct init *in = *state;
	struct family *family = &in->family;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\n");
	family_list_push(family, &family->due, &family->entry[0]);
	family_list_push(family, &family->held, &family->entry[1]);
	family_lists_clear(family);
	assert_null(family_list_first(family, &family->due));
	family_list_push(family, &family->held, &family->entry[0]);
	assert_ptr_equal(family_list_pop(family, &family->held), &family->entry[0]);
	assert_null(family_list_pop(family, &family->held));
	assert_sound(family);
}

/* --- taking over --- */

/* A second family over the first one's memfd, as after an exec. */
static int attach(struct init *in, struct family *out, int32_t *dropped)
{
	int fd = dup(in->family.fd), err;

	assert_true(fd >= 0);
	err = family_attach(out, fd, dropped);
	if (err)
		close(fd);
	return err;
}

static void drop(struct family *family)
{
	munmap(family->image, family->size_bytes);
	munmap(family->pid_bucket, family->index_bytes);
	close(family->fd);
}

static void the_next_image_takes_over_every_process(void **state)
{
	struct init *in = *state;
	struct family next;
	int32_t dropped = -1;

	fake_adopt(in, "a:2:respawn:run a\nb:2:once:x\nbt:2:boot:x\ngone:2:once:y\n");
	run(in, "a", 501);
	run(in, "bt", 502);
	run(in, "gone", 503);
	mark(in, "b", ENTRY_EXECUTED | ENTRY_DEMAND);
	family_set_stopping(&in->family, fake_entry(in, "gone"));
	fake_adopt(in, "a:2:respawn:run a\nb:2:once:x\nbt:2:boot:x\n");
	family_list_push(&in->family, &in->family.due, fake_entry(in, "b"));
	assert_int_equal(attach(in, &next, &dropped), 0);
	assert_int_equal(dropped, 0);
	assert_sound(&next);
	assert_int_equal(next.count, 3);
	assert_int_equal(next.total, 4);
	assert_int_equal(next.running, 3);
	assert_int_equal(next.running_boot, 1);
	assert_int_equal(next.stopping, 1);
	assert_string_equal(family_process(&next, family_find_pid(&next, 501)), "run a");
	assert_int_equal(next.entry[1].flags, ENTRY_EXECUTED | ENTRY_DEMAND);
	assert_null(family_list_first(&next, &next.due));
	drop(&next);
}

static void a_crash_while_a_table_is_adopted_loses_no_process(void **state)
{
	struct init *in = *state;
	struct family old;
	int32_t dropped = -1;
	int fd;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:once:x\n");
	run(in, "a", 501);
	run(in, "b", 502);
	fd = dup(in->family.fd);
	fake_adopt(in, "a:2:respawn:x\nc:2:wait:x\n");
	assert_int_equal(family_attach(&old, fd, &dropped), 0);
	assert_int_equal(dropped, 0);
	assert_sound(&old);
	assert_non_null(family_find_pid(&old, 501));
	assert_non_null(family_find_pid(&old, 502));
	drop(&old);
}

static void damaged_entries_are_dropped_and_keep_their_place(void **state)
{
	struct init *in = *state;
	struct family next;
	int32_t dropped = 0;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:respawn:x\nd:2:respawn:x\n");
	run(in, "a", 501);
	run(in, "b", 502);
	fake_entry(in, "b")->pid = 777;                 /* a wild write: the checksum does not know of it */
	memcpy(fake_entry(in, "d")->id, "\33x", 2);
	assert_int_equal(attach(in, &next, &dropped), 0);
	assert_int_equal(dropped, 2);
	assert_sound(&next);
	assert_int_equal(next.count, 4);
	assert_string_equal(next.entry[3].id, "?x");
	assert_int_equal(next.entry[1].action, ACTION_OFF);
	assert_int_equal(next.entry[1].pid, 0);
	assert_int_equal(next.entry[1].flags, ENTRY_DROPPED);
	assert_string_equal(next.entry[1].id, "b");
	assert_int_equal(next.entry[0].pid, 501);
	assert_string_equal(next.entry[2].id, "c");
	drop(&next);
}

static void values_that_cannot_be_are_dropped_whatever_the_checksum_says(void **state)
{
	static const struct entry sound = { .action = ACTION_ONCE, .id = "a", .levels = "2" };
	struct entry bad[12];
	struct init *in = *state;
	size_t count = 0;

	fake_adopt(in, "a:2:once:word\n");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bad[i] = sound;
		bad[i].process_offset = in->family.entry[0].process_offset;
		bad[i].process_len = in->family.entry[0].process_len;
	}
	bad[count++].action = ACTION_NONE;
	bad[count++].action = ACTION_COUNT;
	bad[count++].action = UINT32_MAX;
	bad[count++].pid = -1;
	bad[count++].process_len = 3;
	bad[count++].process_len = UINT32_MAX;
	bad[count++].process_offset = UINT32_MAX;
	bad[count].process_offset = UINT32_MAX - 1;
	bad[count++].process_len = 2;
	bad[count].process_offset = 0;
	bad[count++].process_len = 40;                  /* no text, so no length */
	memset(bad[count++].id, 'x', sizeof bad[0].id);
	memset(bad[count++].levels, '2', sizeof bad[0].levels);
	bad[count].process_offset = 4;                  /* in the head, where a NUL is behind it */
	bad[count++].process_len = 3;
	assert_int_equal(count, sizeof bad / sizeof bad[0]);
	for (size_t i = 0; i < count; i++) {
		struct family next;
		int32_t dropped = 0;

		in->family.entry[0] = bad[i];
		family_seal(&in->family.entry[0]);
		assert_int_equal(attach(in, &next, &dropped), 0);
		if (dropped != 1)
			fail_msg("bad value %zu was believed", i);
		assert_sound(&next);
		drop(&next);
	}
}

static void an_image_of_another_kind_is_refused(void **state)
{
	struct init *in = *state;
	struct image_head *head, good;
	int32_t dropped;
	struct family next;
	uint32_t *const word[] = { &good.magic, &good.version, &good.head_bytes, &good.entry_bytes };

	fake_adopt(in, "a:2:respawn:x\n");
	head = (struct image_head *)in->family.image;
	for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
		good = *head;
		++*word[i];
		assert_int_equal(pwrite(in->family.fd, &good, sizeof good, 0), sizeof good);
		assert_int_equal(attach(in, &next, &dropped), -EPROTO);
		--*word[i];
		assert_int_equal(pwrite(in->family.fd, &good, sizeof good, 0), sizeof good);
	}
	good = *head;
	head->count = -1;
	assert_int_equal(attach(in, &next, &dropped), -EPROTO);
	*head = good;
	head->total = 1 << 30;
	assert_int_equal(attach(in, &next, &dropped), -EPROTO);
	*head = good;
	head->total = 0;                                /* fewer than the table's */
	assert_int_equal(attach(in, &next, &dropped), -EPROTO);
	*head = good;
	head->size_bytes++;
	assert_int_equal(attach(in, &next, &dropped), -EPROTO);
	*head = good;
	assert_int_equal(ftruncate(in->family.fd, 8), 0);
	assert_int_equal(attach(in, &next, &dropped), -EPROTO);
}

static void a_failed_take_over_leaves_nothing_but_the_callers_descriptor(void **state)
{
	struct init *in = *state;
	struct family next;
	int32_t dropped;
	int nth = 0, fds, err, fd;
	bool fired;

	fake_adopt(in, "a:2:respawn:x\n");
	fd = dup(in->family.fd);
	fds = fds_open();
	do {
		fault_arm(++nth, -ENOMEM);
		err = family_attach(&next, fd, &dropped);
		fired = fault_fired();
		assert_int_equal(fds_open(), fds);
		if (fired)
			assert_int_equal(err, -ENOMEM);
	} while (fired);
	assert_int_equal(err, 0);
	assert_true(nth > 3);
	drop(&next);
}

/* Bytes at random over the whole image: nothing of it may be followed out of bounds (run this under SAN=address). */
static void random_bytes_are_never_followed(void **state)
{
	struct init *in = *state;
	unsigned seed = 7;
	unsigned char *bytes, saved[4096];
	size_t size;

	fake_adopt(in, "a:2:respawn:x\nb:2:once:some words\nc:2:wait:y\n");
	run(in, "b", 501);
	bytes = (unsigned char *)in->family.image;
	size = in->family.size_bytes;
	assert_true(size <= sizeof saved);
	memcpy(saved, bytes, size);
	for (int round = 0; round < 3000; round++) {
		struct family next;
		int32_t dropped;

		for (int i = 0; i < 3; i++) {
			seed = seed * 1103515245u + 12345u;
			bytes[sizeof(struct image_head) * (round & 1) + (seed >> 16) % (size - sizeof(struct image_head))] =
				(unsigned char)(seed >> 8);
		}
		for (int32_t i = 0; round % 3 == 0 && i < 3; i++)
			family_seal(&in->family.entry[i]);
		if (!attach(in, &next, &dropped)) {
			assert_int_equal(next.total, ((struct image_head *)in->family.image)->total);
			for (int32_t i = 0; i < next.total; i++)
				assert_true(strlen(family_process(&next, &next.entry[i])) <= size);
			drop(&next);
		}
		memcpy(bytes, saved, size);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_first_table_is_taken_as_it_is),
		CASE(the_same_id_and_action_keep_the_process_and_its_marks),
		CASE(another_action_leaves_the_process_behind_the_table),
		CASE(what_is_gone_is_kept_only_while_it_runs),
		CASE(a_process_left_behind_does_not_come_back_with_its_id),
		CASE(entries_of_the_id_that_may_stand_twice_match_in_order),
		CASE(guards_are_kept_and_lists_start_afresh),
		CASE(an_empty_table_leaves_only_what_runs),
		CASE(five_thousand_entries_keep_their_processes),
		CASE(whatever_call_fails_the_family_is_as_it_was),
		CASE(nothing_is_left_of_the_tables_before),
		CASE(nobody_is_found_in_no_family_or_by_no_pid),
		CASE(the_default_level_is_the_highest_letter_of_the_first_entry),
		CASE(the_index_finds_what_a_list_finds),
		CASE(the_end_takes_the_marks_of_the_process_along),
		CASE(lists_give_back_in_order_what_they_were_given),
		CASE(cleared_lists_can_be_filled_anew),
		CASE(the_next_image_takes_over_every_process),
		CASE(a_crash_while_a_table_is_adopted_loses_no_process),
		CASE(damaged_entries_are_dropped_and_keep_their_place),
		CASE(values_that_cannot_be_are_dropped_whatever_the_checksum_says),
		CASE(an_image_of_another_kind_is_refused),
		CASE(a_failed_take_over_leaves_nothing_but_the_callers_descriptor),
		CASE(random_bytes_are_never_followed),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
