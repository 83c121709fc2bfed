/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/inittab.h"
#include "init/start.h"
#include "initlog/sink_records.h"

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

/* --- wishes --- */

static const char all_levels[] = "#*S0123456789";

/* inittab(5) in its own words, one action at a time. */
static enum wish wished(enum action action, bool is_of_level, uint32_t flags, bool runs)
{
	bool is_executed = flags & ENTRY_EXECUTED;

	if (runs)
		return flags & ENTRY_WAITING ? WISH_WAIT : WISH_NOTHING;
	if (!is_of_level)
		return WISH_FORGET;
	switch (action) {
	case ACTION_RESPAWN:
	case ACTION_ONDEMAND:
		return WISH_START;
	case ACTION_ONCE:
	case ACTION_BOOT:
	case ACTION_POWERFAIL:
	case ACTION_KBREQUEST:
		return is_executed ? WISH_NOTHING : WISH_START;
	case ACTION_WAIT:
	case ACTION_BOOTWAIT:
	case ACTION_SYSINIT:
	case ACTION_POWERWAIT:
	case ACTION_POWEROKWAIT:
	case ACTION_POWERFAILNOW:
	case ACTION_CTRLALTDEL:
		return is_executed ? WISH_NOTHING : WISH_START_AND_WAIT;
	default:
		return WISH_NOTHING;
	}
}

static void each_action_level_and_mark_has_the_wish_of_the_manual(void **state)
{
	struct init *in = *state;
	int cases = 0;

	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		for (const char *level = all_levels; *level; level++)
			for (const char *field = all_levels; *field; field++)
				for (uint32_t flags = 0; flags < 8; flags++)
					for (int runs = 0; runs < 2; runs++) {
						struct entry entry = { .action = action, .flags = flags,
							.levels = { *field }, .pid = runs * 501 };
						bool is_of_level = *field == *level || (flags & ENTRY_DEMAND &&
							*level != '#' && *level != '*' && *level != 'S');

						in->level.now = *level;
						if (start_wish(in, &entry) != wished(action, is_of_level, flags, runs))
							fail_msg("%s in '%c', entry of '%c', marks %x, %s", action_word(action),
								*level, *field, flags, runs ? "running" : "not running");
						cases++;
					}
	assert_int_equal(cases, 15 * 13 * 13 * 8 * 2);
}

static void an_entry_is_of_each_level_of_its_field(void **state)
{
	struct entry entry = { .action = ACTION_ONCE, .levels = "2345" };
	struct entry full = { .action = ACTION_ONCE };

	(void)state;
	assert_true(start_is_of_level(&entry, '2') && start_is_of_level(&entry, '5'));
	assert_false(start_is_of_level(&entry, '1') || start_is_of_level(&entry, 'S'));
	assert_false(start_is_of_level(&entry, '\0'));
	memset(full.levels, '3', sizeof full.levels);   /* no NUL: looked at as far as it goes */
	assert_true(start_is_of_level(&full, '3'));
	assert_false(start_is_of_level(&full, '4'));
}

/* --- starts --- */

static struct mono now(void)
{
	return mono_now();
}

static void end_of(struct init *in, const char *id)
{
	family_set_ended(&in->family, fake_entry(in, id), CLD_EXITED, 0);
}

static void a_start_marks_the_entry_and_puts_its_record(void **state)
{
	struct init *in = *state;
	struct record_event event;
	struct record record;

	fake_adopt(in, "r:2:respawn:x\no:2:once:x\nw:2:wait:x\nn:2:once:+x\n");
	for (int32_t i = 0; i < in->family.count; i++)
		assert_int_equal(start_entry(in, &in->family.entry[i], now()), 0);
	assert_int_equal(fake_forks(), 4);
	assert_int_equal(fake_entry(in, "r")->pid, FAKE_FIRST_PID);
	assert_int_equal(fake_entry(in, "r")->flags, 0);
	assert_int_equal(fake_entry(in, "o")->flags, ENTRY_EXECUTED);
	assert_int_equal(fake_entry(in, "w")->flags, ENTRY_EXECUTED | ENTRY_WAITING);
	assert_int_equal(fake_entry(in, "n")->pid, FAKE_FIRST_PID + 3);
	assert_int_equal(in->family.running, 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(queue_take(in->log.queue, SINK_RECORDS, &record), 0);
		memcpy(&event, record.text, sizeof event);
		assert_int_equal(event.kind, RECORD_START);
		assert_int_equal(event.pid, FAKE_FIRST_PID + i);
		assert_int_equal(event.id[0], "row"[i]);
		queue_done(in->log.queue, SINK_RECORDS, &record);
	}
	assert_int_equal(queue_take(in->log.queue, SINK_RECORDS, &record), -EAGAIN);
}

static void a_refused_fork_changes_nothing(void **state)
{
	struct init *in = *state;
	struct entry before[3];

	fake_adopt(in, "r:2:respawn:x\no:2:once:x\nw:2:wait:x\n");
	assert_int_equal(start_entry(in, fake_entry(in, "r"), now()), 0);
	end_of(in, "r");
	memcpy(before, in->family.entry, sizeof before);
	fake_pass_ms(1000);
	fault_name("fork", -EAGAIN);
	for (int32_t i = 0; i < 3; i++)
		assert_int_equal(start_entry(in, &in->family.entry[i], now()), -EAGAIN);
	fault_clear();
	assert_memory_equal(before, in->family.entry, sizeof before);
	assert_int_equal(in->family.running, 0);
}

static void without_a_queue_entries_are_started_all_the_same(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "r:2:respawn:x\n");
	queue_free(in->log.queue);
	in->log.queue = NULL;
	assert_int_equal(start_entry(in, fake_entry(in, "r"), now()), 0);
	assert_int_equal(fake_entry(in, "r")->pid, FAKE_FIRST_PID);
}

/* --- the respawn guard --- */

/* Starts it as often, each ended at once. False: it was held back before. */
static bool start_often(struct init *in, const char *id, int times, int64_t apart_ms)
{
	for (int i = 0; i < times; i++) {
		assert_int_equal(start_entry(in, fake_entry(in, id), now()), 0);
		if (!fake_entry(in, id)->pid)
			return false;
		end_of(in, id);
		fake_pass_ms(apart_ms);
	}
	return true;
}

static void the_eleventh_start_within_two_minutes_is_held_back_for_five(void **state)
{
	struct init *in = *state;
	struct entry *entry;

	fake_adopt(in, "r:2:respawn:x\n");
	entry = fake_entry(in, "r");
	assert_true(start_often(in, "r", 10, 11999));   /* the last a moment before the window ends */
	fake_forget_said(in);
	assert_int_equal(start_entry(in, entry, now()), 0);
	assert_int_equal(entry->pid, 0);
	assert_int_equal(fake_forks(), 10);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Id \"r\" respawning too fast: disabled for 5 minutes");
	assert_string_equal(fake_said(in, SINK_SYSLOG), "Id \"r\" respawning too fast: disabled for 5 minutes");
	assert_ptr_equal(family_list_first(&in->family, &in->family.held), entry);
	assert_int_equal(entry->held_until_ns - now().ns, INT64_C(300000000000));
}

static void starts_in_two_windows_are_counted_apart(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "r:2:respawn:x\n");
	assert_true(start_often(in, "r", 100, 12000));
	assert_true(start_often(in, "r", 10, 1));
	fake_pass_ms(120000);
	assert_true(start_often(in, "r", 10, 0));
	assert_false(start_often(in, "r", 1, 0));
}

static void a_wall_clock_that_jumps_moves_no_guard(void **state)
{
	struct init *in = *state;
	int64_t mono_ns = FAKE_MONO_NS;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\n");
	for (int i = 0; i < 10; i++) {
		fake_clock_set(mono_ns += 1000000, FAKE_WALL_NS + (i & 1 ? 1 : -1) * INT64_C(86400000000000));
		assert_true(start_often(in, "a", 1, 0));
	}
	assert_false(start_often(in, "a", 1, 0));
	assert_true(start_often(in, "b", 10, 0));
	fake_clock_set(mono_ns + INT64_C(119000000000), FAKE_WALL_NS + INT64_C(864000000000000));
	assert_false(start_often(in, "b", 1, 0));       /* the hours that the wall clock shows did not pass */
}

static void entries_that_are_not_respawned_have_no_guard(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "o:2:once:x\nd:2:ondemand:x\n");
	assert_true(start_often(in, "o", 100, 0));
	assert_true(start_often(in, "d", 10, 0));
	assert_false(start_often(in, "d", 1, 0));
}

static void a_refused_fork_is_no_start_whatever_window_it_falls_into(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "r:2:respawn:x\n");
	assert_true(start_often(in, "r", 9, 0));
	fault_name("fork", -EAGAIN);
	for (int i = 0; i < 50; i++)
		assert_int_equal(start_entry(in, fake_entry(in, "r"), now()), -EAGAIN);
	fake_pass_ms(121000);
	for (int i = 0; i < 50; i++)
		assert_int_equal(start_entry(in, fake_entry(in, "r"), now()), -EAGAIN);
	fault_clear();
	assert_true(start_often(in, "r", 10, 0));       /* a window of its own: nothing of the old one counts */
	assert_false(start_often(in, "r", 1, 0));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_action_level_and_mark_has_the_wish_of_the_manual),
		CASE(an_entry_is_of_each_level_of_its_field),
		CASE(a_start_marks_the_entry_and_puts_its_record),
		CASE(a_refused_fork_changes_nothing),
		CASE(without_a_queue_entries_are_started_all_the_same),
		CASE(the_eleventh_start_within_two_minutes_is_held_back_for_five),
		CASE(starts_in_two_windows_are_counted_apart),
		CASE(a_wall_clock_that_jumps_moves_no_guard),
		CASE(entries_that_are_not_respawned_have_no_guard),
		CASE(a_refused_fork_is_no_start_whatever_window_it_falls_into),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
