/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "init/inittab.h"

static char why[128];

static struct tab_line parsed(const char *line)
{
	struct tab_line out;
	enum tab_verdict verdict = inittab_parse_line(line, &out, why, sizeof why);

	if (verdict != TAB_ENTRY)
		fail_msg("%s: %s", line, verdict == TAB_BAD ? why : "nothing");
	return out;
}

static void assert_bad(const char *line, const char *reason)
{
	struct tab_line out;

	assert_int_equal(inittab_parse_line(line, &out, why, sizeof why), TAB_BAD);
	if (strcmp(why, reason))
		fail_msg("%s: \"%s\" in place of \"%s\"", line, why, reason);
}

static void assert_nothing(const char *line)
{
	struct tab_line out;

	assert_int_equal(inittab_parse_line(line, &out, why, sizeof why), TAB_NOTHING);
}

static void an_entry_has_four_fields(void **state)
{
	struct tab_line line = parsed("s1:235:respawn:/sbin/getty 9600 ttyS1");

	(void)state;
	assert_string_equal(line.id, "s1");
	assert_string_equal(line.levels, "235");
	assert_int_equal(line.action, ACTION_RESPAWN);
	assert_string_equal(line.process, "/sbin/getty 9600 ttyS1");
}

static void the_process_field_is_the_rest_of_the_line(void **state)
{
	(void)state;
	assert_string_equal(parsed("x:2:once:/bin/a b:c::d ").process, "/bin/a b:c::d ");
	assert_string_equal(parsed("x:2:once: # :").process, " # :");
	assert_string_equal(parsed("id:3:initdefault:").process, "");
}

static void blanks_before_an_entry_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(parsed(" \t x:2:once:a").id, "x");
}

static void empty_lines_and_comments_are_nothing(void **state)
{
	(void)state;
	assert_nothing("");
	assert_nothing(" \t ");
	assert_nothing("#");
	assert_nothing("# x:2:once:a");
	assert_nothing(" \t# x:2:once:a");
}

static void a_hash_behind_the_beginning_is_no_comment(void **state)
{
	(void)state;
	assert_string_equal(parsed("x#:2:once:a").id, "x#");
}

static void a_missing_field_is_named(void **state)
{
	(void)state;
	assert_bad(":2:once:a", "missing id field");
	assert_bad("x", "missing action field");
	assert_bad("x:", "missing action field");
	assert_bad("x:2", "missing action field");
	assert_bad("x:2::a", "missing action field");
	assert_bad("x:2:once", "missing process field");
}

static void a_field_that_is_too_long_is_named(void **state)
{
	char line[64], action[TAB_ACTION_MAX + 2];

	(void)state;
	memset(action, 'a', sizeof action - 1);
	action[sizeof action - 1] = '\0';
	(void)snprintf(line, sizeof line, "x:2:%s:a", action);
	assert_bad("12345:2:once:a", "id field too long (max 4 characters)");
	assert_bad("x:012345678901:once:a", "rlevel field too long (max 11 characters)");
	assert_bad(line, "action field too long");
}

static void a_field_of_the_full_length_is_taken(void **state)
{
	struct tab_line line = parsed("1234:0123456789S:once:a");

	(void)state;
	assert_string_equal(line.id, "1234");
	assert_string_equal(line.levels, "0123456789S");
	assert_bad("x:2:abcdefghijklmnopqrstuvwxyzabcdef:a",
		"abcdefghijklmnopqrstuvwxyzabcdef: unknown action field");
}

static void an_unknown_action_is_quoted(void **state)
{
	(void)state;
	assert_bad("x:2:Respawm:a", "Respawm: unknown action field");
	assert_bad("x:2: once:a", " once: unknown action field");
	assert_bad("x:2:onc:a", "onc: unknown action field");
	assert_bad("x:2:oncee:a", "oncee: unknown action field");
	assert_bad("x:2:none:a", "none: unknown action field");
}

static void control_characters_of_an_action_reach_no_console(void **state)
{
	(void)state;
	assert_bad("x:2:a\033[2J\rb\177:a", "a?[2J?b?: unknown action field");
}

static void of_several_faults_the_one_is_named_that_stock_names(void **state)
{
	(void)state;
	assert_bad(":::", "missing action field");
	assert_bad("::", "missing process field");
	assert_bad(":", "missing action field");
	assert_bad("x:2:", "missing process field");
	assert_bad("x:2:nope", "missing process field");
	assert_bad("12345", "id field too long (max 4 characters)");
	assert_bad("12345:012345678901:nope", "rlevel field too long (max 11 characters)");
	assert_bad("12345:012345678901:123456789012345678901234567890123", "action field too long");
	assert_bad(":012345678901:once:a", "rlevel field too long (max 11 characters)");
}

static void every_action_is_known_in_any_case(void **state)
{
	(void)state;
	for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++) {
		const char *word = action_word((enum action)action);
		char line[64], upper[TAB_ACTION_MAX + 1] = "";

		for (size_t i = 0; word[i]; i++)
			upper[i] = (char)(i % 2 ? word[i] : word[i] - 'a' + 'A');
		(void)snprintf(line, sizeof line, "x:2:%s:a", word);
		assert_int_equal(parsed(line).action, action);
		(void)snprintf(line, sizeof line, "x:2:%s:a", upper);
		assert_int_equal(parsed(line).action, action);
	}
}

static void no_levels_mean_all_of_them_and_s_for_power_and_keys(void **state)
{
	(void)state;
	assert_string_equal(parsed("x::respawn:a").levels, "0123456789");
	assert_string_equal(parsed("x::kbrequest:a").levels, "0123456789");
	assert_string_equal(parsed("x::ondemand:a").levels, "0123456789");
	assert_string_equal(parsed("x::initdefault:").levels, "0123456789");
	assert_string_equal(parsed("x::ctrlaltdel:a").levels, "S0123456789");
	assert_string_equal(parsed("x::powerfail:a").levels, "S0123456789");
	assert_string_equal(parsed("x::powerfailnow:a").levels, "S0123456789");
	assert_string_equal(parsed("x::powerwait:a").levels, "S0123456789");
	assert_string_equal(parsed("x::powerokwait:a").levels, "S0123456789");
}

static void the_levels_of_boot_entries_do_not_count(void **state)
{
	(void)state;
	assert_string_equal(parsed("x::sysinit:a").levels, "#");
	assert_string_equal(parsed("x:2345:sysinit:a").levels, "#");
	assert_string_equal(parsed("x::boot:a").levels, "*");
	assert_string_equal(parsed("x:0123456789S:bootwait:a").levels, "*");
}

static void a_small_s_is_level_s_and_small_letters_of_demand_stay(void **state)
{
	(void)state;
	assert_string_equal(parsed("x:1s2:wait:a").levels, "1S2");
	assert_string_equal(parsed("x:aBc:ondemand:a").levels, "aBc");
}

static void the_longest_line_is_taken(void **state)
{
	char line[TAB_LINE_MAX + 1] = "x:2:once:";

	(void)state;
	memset(line + strlen(line), 'a', TAB_LINE_MAX - strlen(line));
	assert_int_equal(strlen(parsed(line).process), TAB_LINE_MAX - 9);
}

static void a_reason_is_cut_to_its_buffer(void **state)
{
	struct tab_line out;
	char small[8] = "xxxxxxx";

	(void)state;
	assert_int_equal(inittab_parse_line("x:2:unheard:a", &out, small, 4), TAB_BAD);
	assert_string_equal(small, "unh");
	assert_string_equal(small + 4, "xxx");
}

static void a_bad_line_leaves_the_callers_entry_alone(void **state)
{
	struct tab_line out, before;

	(void)state;
	memset(&out, 'x', sizeof out);
	before = out;
	assert_int_equal(inittab_parse_line("x:2:once", &out, why, sizeof why), TAB_BAD);
	assert_int_equal(inittab_parse_line("x:2:nope:", &out, why, sizeof why), TAB_BAD);
	assert_memory_equal(&out, &before, sizeof out);
}

static void a_number_that_is_no_action_has_a_word_too(void **state)
{
	(void)state;
	assert_string_equal(action_word(ACTION_NONE), "none");
	assert_string_equal(action_word(ACTION_COUNT), "none");
	assert_string_equal(action_word((enum action)-1), "none");
}

static void power_and_keys_come_first_and_events_are_waited_for(void **state)
{
	static const enum action first[] = { ACTION_POWERFAIL, ACTION_POWERFAILNOW,
		ACTION_POWERWAIT, ACTION_POWEROKWAIT, ACTION_CTRLALTDEL };
	int firsts = 0, events = 0;

	(void)state;
	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
		assert_true(action_is_first(first[i]) && action_needs_event(first[i]));
	for (int action = ACTION_NONE; action <= ACTION_COUNT; action++) {
		firsts += action_is_first((enum action)action);
		events += action_needs_event((enum action)action);
	}
	assert_int_equal(firsts, 5);
	assert_int_equal(events, 6);
	assert_true(action_needs_event(ACTION_KBREQUEST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_four_fields),
		cmocka_unit_test(the_process_field_is_the_rest_of_the_line),
		cmocka_unit_test(blanks_before_an_entry_are_skipped),
		cmocka_unit_test(empty_lines_and_comments_are_nothing),
		cmocka_unit_test(a_hash_behind_the_beginning_is_no_comment),
		cmocka_unit_test(a_missing_field_is_named),
		cmocka_unit_test(a_field_that_is_too_long_is_named),
		cmocka_unit_test(a_field_of_the_full_length_is_taken),
		cmocka_unit_test(an_unknown_action_is_quoted),
		cmocka_unit_test(control_characters_of_an_action_reach_no_console),
		cmocka_unit_test(of_several_faults_the_one_is_named_that_stock_names),
		cmocka_unit_test(every_action_is_known_in_any_case),
		cmocka_unit_test(no_levels_mean_all_of_them_and_s_for_power_and_keys),
		cmocka_unit_test(the_levels_of_boot_entries_do_not_count),
		cmocka_unit_test(a_small_s_is_level_s_and_small_letters_of_demand_stay),
		cmocka_unit_test(the_longest_line_is_taken),
		cmocka_unit_test(a_reason_is_cut_to_its_buffer),
		cmocka_unit_test(a_bad_line_leaves_the_callers_entry_alone),
		cmocka_unit_test(a_number_that_is_no_action_has_a_word_too),
		cmocka_unit_test(power_and_keys_come_first_and_events_are_waited_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
