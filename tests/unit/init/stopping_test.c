/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a change of level ends, and whom it does not; level_test.c has the change around it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/stopping.h"
#include "init/walk.h"

#define TABLE "a:2:respawn:x\nb:23:respawn:x\nbt:2:boot:x\nd:c:ondemand:x\n"

/* In level 2 with what TABLE starts there, on the way to level 3. */
static int begin(void **state)
{
	struct init *in = fake_init_begin();

	fake_adopt(in, TABLE);
	walk_again(in);
	fake_turns(in);
	fake_forget_said(in);
	in->level.wanted = '3';
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static void assert_signalled(int signal, const pid_t *to, int count)
{
	const struct fake_kill *kill;

	assert_int_equal(fake_kills(&kill), count);
	for (int i = 0; i < count; i++) {
		assert_int_equal(kill[i].pid, to[i]);
		assert_int_equal(kill[i].signal, signal);
	}
}

static void who_has_no_place_in_the_wanted_level_is_marked_and_boot_entries_are_not(void **state)
{
	struct init *in = *state;

	family_set_running(&in->family, fake_entry(in, "bt"), 41000);
	stopping_mark(in);
	assert_true(fake_entry(in, "a")->flags & ENTRY_LEAVING);
	assert_false(fake_entry(in, "b")->flags & ENTRY_LEAVING);
	assert_false(fake_entry(in, "bt")->flags & ENTRY_LEAVING);
	assert_false(fake_entry(in, "d")->flags & ENTRY_LEAVING);      /* does not run */
}

static void the_marked_and_those_gone_from_the_table_get_term(void **state)
{
	struct init *in = *state;
	pid_t groups[] = { -fake_entry(in, "a")->pid, -fake_entry(in, "b")->pid };

	stopping_mark(in);
	fake_adopt(in, "a:2:respawn:x\n");
	assert_true(stopping_begin(in));
	assert_signalled(SIGTERM, groups, 2);
	assert_int_equal(in->family.stopping, 2);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Sending processes configured via /etc/inittab the TERM signal");
}

static void that_nobody_is_to_stop_is_told_and_nothing_is_said(void **state)
{
	struct init *in = *state;

	in->level.wanted = '2';
	stopping_mark(in);
	assert_false(stopping_begin(in));
	assert_signalled(0, NULL, 0);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void only_who_is_left_is_killed_and_only_who_hangs_is_given_up(void **state)
{
	struct init *in = *state;
	pid_t hanging = fake_entry(in, "a")->pid, group = -hanging;

	fake_adopt(in, "e:3:once:x\n");
	assert_true(stopping_begin(in));
	(void)fake_kills(&(const struct fake_kill *){ NULL });
	fake_forget_said(in);
	for (int32_t i = in->family.count; i < in->family.total; i++)
		if (in->family.entry[i].pid != hanging)
			fake_end(in->family.entry[i].pid, CLD_EXITED, 0);
	in->level.phase = PHASE_KILL;
	fake_turns(in);
	stopping_kill(in);
	assert_signalled(SIGKILL, &group, 1);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Sending processes configured via /etc/inittab the KILL signal");
	stopping_give_up(in);
	assert_int_equal(in->family.stopping, 0);
	assert_null(family_find_pid(&in->family, hanging));
	assert_true(fake_has_said(in, SINK_CONSOLE, "seems to hang"));
	stopping_kill(in);
	assert_signalled(0, NULL, 0);
}

static void who_leads_no_group_yet_gets_the_signal_itself(void **state)
{
	struct init *in = *state;

	fake_no_group(fake_entry(in, "a")->pid);
	stopping_mark(in);
	assert_true(stopping_begin(in));
	assert_signalled(SIGTERM, &fake_entry(in, "a")->pid, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(who_has_no_place_in_the_wanted_level_is_marked_and_boot_entries_are_not),
		CASE(the_marked_and_those_gone_from_the_table_get_term),
		CASE(that_nobody_is_to_stop_is_told_and_nothing_is_said),
		CASE(only_who_is_left_is_killed_and_only_who_hangs_is_given_up),
		CASE(who_leads_no_group_yet_gets_the_signal_itself),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
