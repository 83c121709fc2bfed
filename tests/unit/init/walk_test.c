/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/walk.h"

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

static struct mono tend(struct init *in)
{
	return walk_tend(in, mono_now());
}

static void ends(struct init *in, const char *id)
{
	struct entry *entry = fake_entry(in, id);

	assert_true(entry->pid);
	family_set_ended(&in->family, entry, CLD_EXITED, 0);
	walk_entry_ended(in, entry);
}

static bool is_now(struct mono when)
{
	return mono_is_due(when, mono_now());
}

static void entries_are_started_in_the_order_of_the_table(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nn3:3:respawn:x\nb:2:once:x\noff:2:off:x\nd:abc:ondemand:x\nc:2:respawn:x\n");
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "a b c");
	assert_true(mono_is_never(tend(in)));
	assert_int_equal(fake_forks(), 3);
}

static void the_walk_stops_at_what_is_waited_for(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nw1:2:wait:x\nb:2:once:x\nw2:2:wait:x\nc:2:respawn:x\n");
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "a w1");
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "a w1");
	assert_false(walk_is_over(in));
	ends(in, "w1");
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "a b w2");
	ends(in, "a");                                  /* what the walk has passed comes back meanwhile */
	tend(in);
	assert_string_equal(fake_running(in), "b w2 a");
	ends(in, "w2");
	tend(in);
	assert_string_equal(fake_running(in), "b a c");
}

static void a_walk_that_begins_again_waits_where_it_stood(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "ca:2:ctrlaltdel:x\na:2:once:x\nw:2:wait:x\nc:2:once:x\n");
	tend(in);
	assert_string_equal(fake_running(in), "a w");
	fake_entry(in, "ca")->flags &= ~(uint32_t)ENTRY_EXECUTED;
	family_seal(fake_entry(in, "ca"));
	walk_again(in);
	tend(in);
	assert_string_equal(fake_running(in), "a w ca");
	ends(in, "ca");
	tend(in);
	assert_string_equal(fake_running(in), "a w");
	ends(in, "w");
	tend(in);
	assert_string_equal(fake_running(in), "a c");
}

static void adopt_many(struct init *in, int count)
{
	char lines[8192];
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(lines + used, sizeof lines - used, "%03d:2:respawn:x\n", i);
	assert_true(used < sizeof lines);
	fake_adopt(in, lines);
}

static void at_most_64_are_started_a_turn(void **state)
{
	struct init *in = *state;
	char id[8];

	adopt_many(in, 200);
	for (int turn = 1; turn <= 3; turn++) {
		assert_true(is_now(tend(in)));
		assert_int_equal(fake_forks(), 64 * turn);
	}
	assert_true(mono_is_never(tend(in)));
	assert_int_equal(fake_forks(), 200);
	for (int i = 199; i >= 0; i--) {
		(void)snprintf(id, sizeof id, "%03d", i);
		ends(in, id);
	}
	for (int turn = 1; turn <= 3; turn++) {
		assert_true(is_now(tend(in)));
		assert_int_equal(fake_forks(), 200 + 64 * turn);
	}
	assert_true(mono_is_never(tend(in)));
	assert_int_equal(family_find_pid(&in->family, FAKE_FIRST_PID + 200)->id[2], '9');  /* the first to end */
	assert_string_equal(family_find_pid(&in->family, FAKE_FIRST_PID + 399)->id, "000");
}

static void a_refused_fork_is_tried_again_after_5_s_in_the_order_due(void **state)
{
	struct init *in = *state;
	struct mono when;

	fake_adopt(in, "a:2:respawn:x\nb:2:once:x\nw:2:wait:x\nc:2:respawn:x\n");
	fault_name_after("fork", 1, -EAGAIN);
	when = tend(in);
	assert_string_equal(fake_running(in), "a");
	assert_int_equal(when.ns - mono_now().ns, INT64_C(5000000000));
	assert_true(fake_has_said(in, SINK_CONSOLE, "cannot fork, retry.."));
	fake_pass_ms(4999);
	when = tend(in);
	assert_int_equal(when.ns - mono_now().ns, 1000000);
	assert_null(fake_said(in, SINK_CONSOLE));       /* not tried, so not said */
	fake_pass_ms(1);
	when = tend(in);
	assert_int_equal(when.ns - mono_now().ns, INT64_C(5000000000));
	assert_true(fake_has_said(in, SINK_CONSOLE, "cannot fork, retry.."));
	fault_clear();
	tend(in);
	assert_string_equal(fake_running(in), "a");          /* not before its time, though it would work */
	fake_pass_ms(5000);
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "a b w");
	ends(in, "w");
	tend(in);
	assert_string_equal(fake_running(in), "a b c");
}

static void a_wall_clock_that_jumps_moves_no_retry(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\n");
	fault_name("fork", -EAGAIN);
	tend(in);
	fault_clear();
	fake_clock_set(FAKE_MONO_NS + INT64_C(4900000000), FAKE_WALL_NS * 2);
	tend(in);
	assert_int_equal(fake_forks(), 0);
	fake_clock_set(FAKE_MONO_NS + INT64_C(5000000000), 1);
	tend(in);
	assert_int_equal(fake_forks(), 1);
}

static void those_that_ended_while_forks_were_refused_come_back_in_their_order(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:respawn:x\nd:2:respawn:x\n");
	tend(in);
	ends(in, "c");
	fault_name("fork", -ENOMEM);
	tend(in);
	ends(in, "a");
	ends(in, "d");
	fake_pass_ms(5000);
	tend(in);
	ends(in, "b");
	fault_clear();
	fake_pass_ms(5000);
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "c a d b");
}

/* Eleven starts at once. */
static void trip_guard(struct init *in, const char *id)
{
	while (fake_entry(in, id)->pid) {
		ends(in, id);
		tend(in);
	}
}

static void those_held_back_come_back_first_come_first_served(void **state)
{
	struct init *in = *state;
	struct mono when;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:respawn:x\n");
	tend(in);
	trip_guard(in, "b");
	fake_pass_ms(1000);
	trip_guard(in, "c");
	trip_guard(in, "a");
	assert_string_equal(fake_running(in), "");
	assert_false(walk_is_over(in));                 /* held back is not gone */
	assert_int_equal(tend(in).ns - mono_now().ns, INT64_C(299000000000));
	fake_pass_ms(298999);
	when = tend(in);
	assert_string_equal(fake_running(in), "");
	fake_clock_set(when.ns, -1);
	when = tend(in);
	assert_string_equal(fake_running(in), "b");
	assert_int_equal(when.ns - mono_now().ns, INT64_C(1000000000));
	fake_clock_set(when.ns, -1);
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "b c a");
}

static void the_time_of_one_held_back_in_the_same_turn_is_told(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\n");
	fake_entry(in, "a")->guard_count = 10;
	fake_entry(in, "a")->guard_since_ns = mono_now().ns;
	assert_int_equal(tend(in).ns - mono_now().ns, INT64_C(300000000000));
	assert_int_equal(fake_forks(), 0);
}

static void the_walk_passes_those_that_are_held_back(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nb:2:once:x\n");
	tend(in);
	trip_guard(in, "a");
	walk_again(in);
	tend(in);
	assert_string_equal(fake_running(in), "b");
	assert_ptr_equal(family_list_first(&in->family, &in->family.held), fake_entry(in, "a"));
}

static void what_the_level_does_not_want_any_more_is_not_started_again(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nb:23:respawn:x\n");
	tend(in);
	ends(in, "a");
	ends(in, "b");
	in->level.now = '3';
	tend(in);
	assert_string_equal(fake_running(in), "b");
	assert_null(family_list_first(&in->family, &in->family.due));
}

static void entries_of_other_levels_lose_their_marks_but_power_and_keys_their_past(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "pf:3:powerfail:x\nkb:3:kbrequest:x\no:3:once:x\nd:3a:ondemand:x\n");
	for (int32_t i = 0; i < in->family.count; i++)
		in->family.entry[i].flags |= ENTRY_EXECUTED | ENTRY_WAITING;
	tend(in);
	assert_int_equal(fake_entry(in, "pf")->flags, ENTRY_EXECUTED);
	assert_int_equal(fake_entry(in, "kb")->flags, ENTRY_EXECUTED);
	assert_int_equal(fake_entry(in, "o")->flags, 0);
	assert_int_equal(fake_forks(), 0);
}

static void while_halted_nothing_is_started(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\nb:2:respawn:x\n");
	in->level.is_halted = true;
	assert_true(mono_is_never(tend(in)));
	assert_int_equal(fake_forks(), 0);
	in->level.is_halted = false;
	tend(in);
	in->level.is_halted = true;
	ends(in, "a");
	assert_true(mono_is_never(tend(in)));
	assert_string_equal(fake_running(in), "b");
	in->level.is_halted = false;
	tend(in);
	assert_string_equal(fake_running(in), "b a");
}

static void a_level_is_over_when_nothing_runs_or_is_to_run(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "");
	assert_true(walk_is_over(in));
	in->level.now = '*';
	fake_adopt(in, "a::bootwait:x\nbt::boot:x\n");
	walk_again(in);
	assert_false(walk_is_over(in));
	tend(in);
	assert_false(walk_is_over(in));
	ends(in, "a");
	tend(in);
	assert_string_equal(fake_running(in), "bt");
	assert_true(walk_is_over(in));                  /* what goes on from here holds up no boot */
	in->level.now = 'S';
	assert_true(walk_is_over(in));
	in->level.now = '2';
	assert_true(walk_is_over(in));
	ends(in, "bt");
	assert_true(walk_is_over(in));
}

static void one_that_is_due_keeps_the_level_from_being_over(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:respawn:x\n");
	tend(in);
	ends(in, "a");
	assert_false(walk_is_over(in));
	tend(in);
	assert_string_equal(fake_running(in), "a");
}

static void one_that_is_gone_from_the_table_is_not_started_again(void **state)
{
	struct init *in = *state;
	struct entry *old;

	fake_adopt(in, "a:2:respawn:x\n");
	tend(in);
	fake_adopt(in, "b:2:respawn:x\n");
	walk_again(in);
	tend(in);
	old = family_find_pid(&in->family, FAKE_FIRST_PID);
	family_set_ended(&in->family, old, CLD_EXITED, 0);
	walk_entry_ended(in, old);
	tend(in);
	assert_string_equal(fake_running(in), "b");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(entries_are_started_in_the_order_of_the_table),
		CASE(the_walk_stops_at_what_is_waited_for),
		CASE(a_walk_that_begins_again_waits_where_it_stood),
		CASE(at_most_64_are_started_a_turn),
		CASE(a_refused_fork_is_tried_again_after_5_s_in_the_order_due),
		CASE(a_wall_clock_that_jumps_moves_no_retry),
		CASE(those_that_ended_while_forks_were_refused_come_back_in_their_order),
		CASE(those_held_back_come_back_first_come_first_served),
		CASE(the_time_of_one_held_back_in_the_same_turn_is_told),
		CASE(the_walk_passes_those_that_are_held_back),
		CASE(what_the_level_does_not_want_any_more_is_not_started_again),
		CASE(entries_of_other_levels_lose_their_marks_but_power_and_keys_their_past),
		CASE(while_halted_nothing_is_started),
		CASE(a_level_is_over_when_nothing_runs_or_is_to_run),
		CASE(one_that_is_due_keeps_the_level_from_being_over),
		CASE(one_that_is_gone_from_the_table_is_not_started_again),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
