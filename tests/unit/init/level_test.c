/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of phases, and what happens within a level and between two; level_boot_test.c has the way there. */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/level.h"
#include "init/start.h"
#include "init/walk.h"
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

/* In level 2, steady, with what that starts. */
static void settle(struct init *in, const char *lines)
{
	fake_adopt(in, lines);
	walk_again(in);
	fake_turns(in);
	fake_forget_said(in);
}

/* --- the table --- */

static const struct {
	enum phase from;
	enum event event;
	enum phase to;
} legal[] = {
	{ PHASE_POLICY, EV_SETTLED, PHASE_BOOT },
	{ PHASE_POLICY, EV_REFUSED, PHASE_HALT },
	{ PHASE_BOOT, EV_CONSOLE_READY, PHASE_LOAD },
	{ PHASE_BOOT, EV_EMERGENCY, PHASE_EMERGENCY },
	{ PHASE_EMERGENCY, EV_SHELL_ENDED, PHASE_LOAD },
	{ PHASE_STEADY, EV_ASKED, PHASE_LOAD },
	{ PHASE_STEADY, EV_ADVANCE, PHASE_STEADY },
	{ PHASE_STEADY, EV_UNDECIDED, PHASE_ASK },
	{ PHASE_LOAD, EV_LOADED, PHASE_TERM },
	{ PHASE_TERM, EV_STOPPED, PHASE_STEADY },
	{ PHASE_TERM, EV_DEADLINE, PHASE_KILL },
	{ PHASE_KILL, EV_STOPPED, PHASE_STEADY },
	{ PHASE_KILL, EV_DEADLINE, PHASE_STEADY },
	{ PHASE_ASK, EV_ASKED, PHASE_LOAD },
	{ PHASE_ASK, EV_ADVANCE, PHASE_STEADY },
};
enum { LEGAL = sizeof legal / sizeof legal[0] };

static const char *const event_texts[] = {
#define EVENT_TEXT(name, text) text,
	EVENTS(EVENT_TEXT)
#undef EVENT_TEXT
};

static enum phase next_of(enum phase phase, enum event event)
{
	for (size_t i = 0; i < LEGAL; i++)
		if (legal[i].from == phase && legal[i].event == event)
			return legal[i].to;
	return PHASE_NONE;
}

/* With one process that level 3 has no place for, so that a change has something to stop. */
static struct init *one_in(enum phase phase)
{
	struct init *in = fake_init_begin();

	settle(in, "a:2:respawn:x\nb:23:respawn:x\n");
	in->level.phase = phase;
	in->level.wanted = '3';
	fake_entry(in, "a")->flags |= ENTRY_LEAVING;
	return in;
}

static void each_pair_of_phase_and_event_does_as_the_table_says(void **state)
{
	int pairs = 0;

	(void)state;
	for (enum phase phase = PHASE_NONE; phase < PHASE_COUNT; phase++)
		for (enum event event = 0; event < EV_COUNT; event++) {
			struct init *in = one_in(phase);
			enum phase next = next_of(phase, event);
			struct init before = *in;
			char text[128];

			level_step(in, event);
			if (in->level.phase != (next ? next : phase))
				fail_msg("'%s' in phase '%s' leads to '%s'", event_texts[event], phase_name(phase),
					phase_name(in->level.phase));
			(void)snprintf(text, sizeof text, "nothing to do for '%s' in phase '%s'", event_texts[event],
				phase_name(phase));
			assert_int_equal(fake_has_said(in, SINK_SYSLOG, text), !next);
			if (!next) {
				assert_memory_equal(&in->level, &before.level, sizeof in->level);
				assert_memory_equal(&in->job, &before.job, sizeof in->job);
				assert_memory_equal(&in->family, &before.family, sizeof in->family);
			}
			pairs++;
			fake_init_end(in);
		}
	assert_int_equal(pairs, PHASE_COUNT * EV_COUNT);
}

static void every_phase_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum phase a = PHASE_NONE; a < PHASE_COUNT; a++)
		for (enum phase b = PHASE_NONE; b < PHASE_COUNT; b++)
			assert_int_equal(strcmp(phase_name(a), phase_name(b)) == 0, a == b);
}

/* --- a change of level --- */

#define TABLE "a:2:respawn:x\nb:23:respawn:x\nbt:2:boot:x\no:3:once:x\nd:c:ondemand:x\n"

static void assert_killed(const char *text, int signal, const pid_t *pids, int count)
{
	const struct fake_kill *kill;

	assert_int_equal(fake_kills(&kill), count);
	for (int i = 0; i < count; i++) {
		if (kill[i].pid != pids[i] || kill[i].signal != signal)
			fail_msg("%s: signal %d to %d", text, kill[i].signal, (int)kill[i].pid);
	}
}

static void what_has_no_place_in_the_new_level_is_stopped_before_anything_starts(void **state)
{
	struct init *in = *state;
	pid_t group;

	settle(in, TABLE);
	assert_string_equal(fake_running(in), "a b");
	group = -fake_entry(in, "a")->pid;
	level_request(in, '3', 5);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Switching to runlevel: 3");
	fake_turns(in);
	fake_loader_ends(in, TABLE, 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	assert_string_equal(fake_said(in, SINK_CONSOLE),
		"Sending processes configured via /etc/inittab the TERM signal");
	assert_string_equal(fake_said(in, SINK_SYSLOG), "Switching to runlevel: 3");
	assert_null(fake_said(in, SINK_SYSLOG));
	assert_killed("TERM", SIGTERM, &group, 1);
	assert_string_equal(fake_running(in), "a b");
	assert_int_equal(in->level.now, '2');
	fake_entry_ends(in, "a", 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_int_equal(in->level.now, '3');
	assert_int_equal(in->level.previous, '2');
	assert_string_equal(fake_running(in), "b o");
	assert_null(fake_said(in, SINK_CONSOLE));
}

/* Asks for a level, and has the loader read these lines. */
static void change(struct init *in, char letter, const char *lines)
{
	level_request(in, letter, -1);
	fake_turns(in);
	if (in->job[JOB_LOADER].pid)
		fake_loader_ends(in, lines, 0);
	fake_turns(in);
}

static void a_table_that_no_longer_names_the_level_stops_nothing_before_the_next_change(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\nb:23:respawn:x\n");
	change(in, 'q', "a:3:respawn:x\nb:23:respawn:x\n");
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "a b");
	change(in, '3', "a:3:respawn:x\nb:2:respawn:x\n");
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "a b");
}

/* Stock reads the table once more after it has marked what is demanded. */
static void a_demand_stops_what_the_new_table_has_no_place_for(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\nb:23:respawn:x\nc:2:respawn:x\n");
	change(in, 'c', "a:3:respawn:x\nb:23:respawn:x\nc:3c:respawn:x\n");
	assert_int_equal(in->level.phase, PHASE_TERM);
	assert_killed("TERM", SIGTERM, (pid_t[]){ -fake_entry(in, "a")->pid }, 1);
}

static void the_table_that_started_it_decides_what_a_change_stops(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\n");
	change(in, '3', "a:23:respawn:x\n");
	assert_int_equal(in->level.phase, PHASE_TERM);
	fake_entry_ends(in, "a", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "a");
}

static void what_does_not_stop_is_killed_and_what_does_not_die_is_given_up(void **state)
{
	struct init *in = *state;
	pid_t hanging, group;

	settle(in, "a:2:respawn:x\nc:2:once:x\n");
	hanging = fake_entry(in, "a")->pid;
	level_request(in, '3', 7);
	fake_turns(in);
	fake_loader_ends(in, "a:2:respawn:x\nc:2:once:x\nn:3:once:x\n", 0);
	assert_int_equal(fake_turns(in).ns - mono_now().ns, INT64_C(7000000000));
	fake_entry_ends(in, "c", 0);
	fake_pass_ms(6999);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	fake_forget_said(in);
	fake_kills(&(const struct fake_kill *){ NULL });
	fake_pass_ms(1);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_KILL);
	group = -hanging;
	assert_killed("KILL", SIGKILL, &group, 1);
	assert_string_equal(fake_said(in, SINK_CONSOLE),
		"Sending processes configured via /etc/inittab the KILL signal");
	fake_pass_ms(LEVEL_KILL_MS);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Pid 40000 [id a] seems to hang");
	assert_string_equal(fake_running(in), "n");
	assert_killed("after it was given up", 0, NULL, 0);
	fake_end(hanging, CLD_KILLED, SIGKILL);
	fake_turns(in);
	assert_int_equal(in->orphans, 1);
	group = -fake_entry(in, "n")->pid;
	change(in, '2', "a:2:respawn:x\n");
	assert_killed("the pid may be a stranger's by now", SIGTERM, &group, 1);
}

static void the_new_level_begins_when_the_last_has_died_of_the_second_signal(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\n");
	level_request(in, '3', 7);
	fake_turns(in);
	fake_loader_ends(in, "a:2:respawn:x\nn:3:once:x\n", 0);
	fake_turns(in);
	fake_pass_ms(7000);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_KILL);
	assert_int_equal(in->level.now, '2');
	fake_end(fake_entry(in, "a")->pid, CLD_KILLED, SIGKILL);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_int_equal(in->level.now, '3');
	assert_string_equal(fake_running(in), "n");
}

static void the_last_end_is_not_waited_for_beyond_its_moment(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\nb:2:respawn:x\nz:3:once:x\n");
	change(in, '3', "a:2:respawn:x\nb:2:respawn:x\nz:3:once:x\n");
	fake_entry_ends(in, "b", 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	fake_entry_ends(in, "a", 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "z");
}

static void a_stop_time_stays_until_another_is_given(void **state)
{
	struct init *in = *state;

	assert_int_equal(in->level.stop_s, 3);
	level_request(in, '2', 20);
	assert_int_equal(in->level.stop_s, 20);
	level_request(in, '2', -1);
	assert_int_equal(in->level.stop_s, 20);
	level_request(in, '2', 0);
	assert_int_equal(in->level.stop_s, 0);
	settle(in, "a:2:respawn:x\n");
	level_request(in, '3', 0);
	fake_turns(in);
	fake_loader_ends(in, "a:2:respawn:x\n", 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_KILL);
	in->level.stop_s = INT64_MAX / 1000000000;      /* far, not overflowing into the past */
	in->level.phase = PHASE_LOAD;
	level_step(in, EV_LOADED);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
}

static void the_level_that_is_there_is_not_entered_again(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\n");
	level_request(in, '2', 3);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_null(fake_said(in, SINK_SYSLOG));
	assert_false(job_is_busy(in, JOB_LOADER));
}

static void a_level_is_recorded_with_the_one_before(void **state)
{
	struct init *in = *state;
	struct record_event event;
	struct record record;

	settle(in, "");
	change(in, '5', "a:5:once:+x\n");
	assert_int_equal(queue_take(in->log.queue, SINK_WTMP, &record), 0);
	memcpy(&event, record.text, sizeof event);
	assert_int_equal(event.kind, RECORD_LEVEL);
	assert_int_equal(event.level, '5');
	assert_int_equal(event.previous, '2');
	assert_string_equal(in->title.text, "init [5]");
}

static void levels_that_stop_the_machine_reset_the_console_line(void **state)
{
	struct init *in = *state;

	for (const char *level = "0123456S"; *level; level++) {
		settle(in, "");
		in->level.now = '7';
		level_request(in, *level, -1);
		assert_int_equal(in->job[JOB_CONSOLE].is_wanted, strchr("016S", *level) != NULL);
		in->level.phase = PHASE_STEADY;
		memset(in->job, 0, sizeof in->job);
	}
}

static void an_unknown_letter_is_named_and_has_the_table_read(void **state)
{
	struct init *in = *state;
	char said[] = "bad runlevel: L";
	struct record_event event;
	struct record record;

	settle(in, "a:2:respawn:x\n");
	for (int letter = -128; letter < 128; letter++) {
		if (letter && strchr("0123456789SsQqAaBbCcUu", letter))
			continue;
		level_request(in, (char)letter, -1);
		assert_int_equal(in->level.phase, PHASE_LOAD);
		assert_int_equal(queue_take(in->log.queue, SINK_RECORDS, &record), 0);
		memcpy(&event, record.text, sizeof event);
		assert_int_equal(event.kind, RECORD_SHOW);
		said[sizeof said - 2] = letter ? (char)toupper(letter & 255) : 'X';
		if (!letter || isprint(letter & 255))
			assert_string_equal(fake_said(in, SINK_SYSLOG), said);
		fake_turns(in);
		fake_loader_ends(in, "a:2:respawn:x\n", 0);
		fake_turns(in);
		assert_int_equal(in->level.phase, PHASE_STEADY);
		fake_forget_said(in);
	}
	assert_int_equal(in->level.now, '2');
}

static void a_small_s_in_level_s_is_a_change_from_s_to_s(void **state)
{
	struct init *in = *state;
	struct record_event event;
	struct record record;

	in->level.now = in->level.wanted = 'S';
	settle(in, "s:S:wait:x\n");
	level_request(in, 'S', -1);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	level_request(in, 's', -1);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_string_equal(fake_said(in, SINK_SYSLOG), "Going single user");
	assert_false(job_is_busy(in, JOB_CONSOLE));
	assert_int_equal(queue_take(in->log.queue, SINK_WTMP, &record), 0);
	memcpy(&event, record.text, sizeof event);
	assert_int_equal(event.kind, RECORD_LEVEL);
	assert_int_equal(event.level, 'S');
	assert_int_equal(event.previous, 'S');
	fake_turns(in);
	fake_loader_ends(in, "r:S:respawn:x\ns:S:wait:x\n", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "s r");
	assert_int_equal(in->level.previous, 'S');
}

static void requests_are_taken_only_between_changes(void **state)
{
	struct init *in = *state;

	for (enum phase phase = PHASE_NONE; phase < PHASE_COUNT; phase++) {
		in->level.phase = phase;
		assert_int_equal(level_takes_requests(in), phase == PHASE_STEADY || phase == PHASE_ASK);
	}
	in->level.phase = PHASE_STEADY;
	level_request(in, 'U', -1);                     /* a new image is looked at, and then executed, first */
	assert_true(job_is_busy(in, JOB_IMAGE));
	assert_false(level_takes_requests(in));
	in->job[JOB_IMAGE] = (struct job){ 0 };
	in->level.image = IMAGE_OURS;
	assert_false(level_takes_requests(in));
}

/* --- reading again --- */

static void reading_again_stops_what_is_gone_or_changed(void **state)
{
	struct init *in = *state;
	pid_t groups[2];

	settle(in, "a:2:respawn:x\nb:2:respawn:x\nc:2:respawn:x\n");
	groups[0] = -fake_entry(in, "a")->pid;          /* behind the table in the order of the old one */
	groups[1] = -fake_entry(in, "b")->pid;
	change(in, 'q', "c:2:respawn:x\nb:2:once:x\nn:2:once:x\n");
	assert_true(fake_has_said(in, SINK_SYSLOG, "Re-reading inittab"));
	assert_killed("TERM", SIGTERM, groups, 2);
	assert_string_equal(fake_running(in), "a b c");
	fake_end(-groups[0], CLD_EXITED, 0);
	fake_end(-groups[1], CLD_EXITED, 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "c b n");
	assert_int_equal(in->level.now, '2');
	assert_int_equal(in->level.previous, 'N');
}

static void an_unreadable_table_leaves_everything_running(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\nb:2:once:x\n");
	level_request(in, 'Q', -1);
	fake_turns(in);
	fake_job_ends(in, JOB_LOADER, EISDIR);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "a b");
	assert_killed("nobody", 0, NULL, 0);
}

static void reading_again_and_changing_level_lift_the_guard(void **state)
{
	struct init *in = *state;

	for (const char *letter = "Q3A"; *letter; letter++) {
		settle(in, "a:23:respawn:x\n");
		while (fake_entry(in, "a")->pid) {
			fake_entry_ends(in, "a", 1);
			fake_turns(in);
		}
		assert_true(fake_has_said(in, SINK_SYSLOG, "respawning too fast"));
		change(in, *letter, "a:23:respawn:x\n");
		assert_true(fake_entry(in, "a")->pid > 0);
		assert_int_equal(fake_entry(in, "a")->guard_count, 1);
	}
}

static void while_nothing_forks_the_table_in_use_serves_and_is_read_afterwards(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\nb:3:respawn:x\n");
	fault_name("fork", -EAGAIN);
	level_request(in, '3', -1);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	fake_entry_ends(in, "a", 0);
	fake_turns(in);
	assert_int_equal(in->level.now, '3');
	fault_clear();
	fake_pass_ms(5000);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	fake_loader_ends(in, "b:3:respawn:x\nc:3:respawn:x\n", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "b c");
}

/* --- demand --- */

#define DEMAND "r:2:respawn:x\na:a:ondemand:x\nB:B2:once:x\nn:3:once:x\n"

static void a_demand_starts_the_entries_that_name_it_in_either_case(void **state)
{
	struct init *in = *state;

	settle(in, DEMAND);
	assert_string_equal(fake_running(in), "r B");
	fake_entry_ends(in, "B", 0);
	fake_turns(in);
	change(in, 'A', DEMAND);
	assert_true(fake_has_said(in, SINK_SYSLOG, "Activating demand-procedures for 'A'"));
	assert_string_equal(fake_running(in), "r a");
	change(in, 'b', DEMAND);
	assert_true(fake_has_said(in, SINK_SYSLOG, "Activating demand-procedures for 'B'"));
	assert_string_equal(fake_running(in), "r a B"); /* executed before, now once more */
	change(in, 'C', DEMAND);
	assert_string_equal(fake_running(in), "r a B");
}

static void what_was_demanded_stays_in_other_levels_but_not_in_s(void **state)
{
	struct init *in = *state;

	settle(in, DEMAND);
	change(in, 'a', DEMAND);
	change(in, '3', DEMAND);
	fake_entry_ends(in, "r", 0);
	fake_entry_ends(in, "B", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "a n");
	fake_kills(&(const struct fake_kill *){ NULL });
	change(in, 'S', DEMAND);
	assert_killed("TERM", SIGTERM, (pid_t[]){ -fake_entry(in, "a")->pid, -fake_entry(in, "n")->pid }, 2);
}

static void nothing_is_demanded_in_level_s(void **state)
{
	struct init *in = *state;

	in->level.now = in->level.wanted = 'S';
	settle(in, "s:S:respawn:x\na:a:ondemand:x\n");
	change(in, 'a', "s:S:respawn:x\na:a:ondemand:x\n");
	assert_string_equal(fake_running(in), "s");
	assert_int_equal(fake_entry(in, "a")->flags, 0);
}

/* --- signals and power --- */

#define KEYS "ca:2:ctrlaltdel:x\nkb:2:kbrequest:x\npf:2:powerfail:x\npw:2:powerwait:x\npo:2:powerokwait:x\n" \
	"pl:2:powerfailnow:x\nr:2:respawn:x\n"

static void each_event_starts_its_own_entries_once(void **state)
{
	static const struct {
		enum level_signal signal;
		const char *started;
	} cases[] = {
		{ LEVEL_SIGNAL_INT, "r ca" },
		{ LEVEL_SIGNAL_WINCH, "r kb" },
		{ LEVEL_SIGNAL_POWER_FAIL, "r pf pw" },
		{ LEVEL_SIGNAL_POWER_OK, "r po" },
		{ LEVEL_SIGNAL_POWER_LOW, "r pl" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct init *in = fake_init_begin();

		settle(in, KEYS);
		assert_string_equal(fake_running(in), "r");
		level_signal(in, cases[i].signal);
		level_signal(in, cases[i].signal);
		fake_turns(in);
		assert_string_equal(fake_running(in), cases[i].started);
		assert_int_equal(in->level.events, 0);
		for (int32_t at = 0; at < in->family.count; at++)
			if (in->family.entry[at].pid)
				fake_end(in->family.entry[at].pid, CLD_EXITED, 0);
		fake_turns(in);
		assert_string_equal(fake_running(in), "r");
		fake_init_end(in);
	}
}

#define AWAY "h:3:wait:x\nw:2:wait:x\nk:2:kbrequest:x\ng:23:respawn:x\n"

/* As in stock: also what a walk that waits does not come to, and what runs. */
static void what_has_no_place_in_the_new_level_is_as_if_born_anew(void **state)
{
	struct init *in = *state;

	settle(in, AWAY);
	fake_entry_ends(in, "w", 0);
	fake_turns(in);
	level_signal(in, LEVEL_SIGNAL_WINCH);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g k");
	level_signal(in, LEVEL_SIGNAL_WINCH);
	fake_turns(in);
	level_request(in, '3', -1);
	fake_turns(in);
	fake_loader_ends(in, AWAY, 0);
	fake_turns(in);
	fake_entry_ends(in, "k", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g h");
	level_request(in, '2', -1);
	fake_turns(in);
	fake_loader_ends(in, AWAY, 0);
	fake_turns(in);
	fake_entry_ends(in, "h", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g w");
	fake_entry_ends(in, "w", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g");
}

static void an_event_that_comes_while_its_entry_runs_starts_it_again(void **state)
{
	struct init *in = *state;

	settle(in, "k:2:kbrequest:x\np:2:powerfail:x\ng:2:respawn:x\n");
	for (int i = 0; i < 2; i++) {
		level_signal(in, LEVEL_SIGNAL_WINCH | LEVEL_SIGNAL_POWER_FAIL);
		fake_turns(in);
	}
	fake_entry_ends(in, "k", 0);
	fake_entry_ends(in, "p", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g k p");
	fake_entry_ends(in, "k", 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "g p");
}

static void signals_that_come_during_a_change_are_served_after_it(void **state)
{
	struct init *in = *state;

	settle(in, KEYS "z:2:respawn:x\n");
	level_request(in, 'q', -1);
	level_signal(in, LEVEL_SIGNAL_INT);
	level_signal(in, LEVEL_SIGNAL_HUP);
	fake_turns(in);
	fake_loader_ends(in, KEYS, 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	assert_int_equal(in->level.events, LEVEL_SIGNAL_INT | LEVEL_SIGNAL_HUP);
	fake_end(FAKE_FIRST_PID + 1, CLD_EXITED, 0);    /* z */
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_LOAD);  /* the HUP */
	fake_loader_ends(in, KEYS, 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "r ca");
}

static void a_halted_init_goes_on_when_told_to(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:respawn:x\n");
	level_halt(in, true);
	fake_entry_ends(in, "a", 0);
	assert_true(mono_is_never(fake_turns(in)));
	assert_string_equal(fake_running(in), "");
	level_halt(in, false);
	fake_turns(in);
	assert_string_equal(fake_running(in), "a");
}

static void that_nothing_is_left_is_said_once(void **state)
{
	struct init *in = *state;

	settle(in, "a:2:once:x\n");
	fake_entry_ends(in, "a", 0);
	assert_true(mono_is_never(fake_turns(in)));
	assert_string_equal(fake_said(in, SINK_CONSOLE), "no more processes left in this runlevel");
	fake_turns(in);
	level_signal(in, LEVEL_SIGNAL_INT);
	fake_turns(in);
	assert_null(fake_said(in, SINK_CONSOLE));
	change(in, '4', "");
	assert_false(fake_has_said(in, SINK_CONSOLE, "no more processes left in this runlevel"));
	change(in, 'S', "id:5:initdefault:\n~~:S:wait:x\n");
	fake_entry_ends(in, "~~", 0);
	fake_turns(in);
	assert_int_equal(in->level.now, '5');
	assert_true(fake_has_said(in, SINK_CONSOLE, "no more processes left in this runlevel"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_of_phase_and_event_does_as_the_table_says),
		cmocka_unit_test(every_phase_has_a_name_of_its_own),
		CASE(what_has_no_place_in_the_new_level_is_stopped_before_anything_starts),
		CASE(a_table_that_no_longer_names_the_level_stops_nothing_before_the_next_change),
		CASE(a_demand_stops_what_the_new_table_has_no_place_for),
		CASE(the_table_that_started_it_decides_what_a_change_stops),
		CASE(what_does_not_stop_is_killed_and_what_does_not_die_is_given_up),
		CASE(the_new_level_begins_when_the_last_has_died_of_the_second_signal),
		CASE(the_last_end_is_not_waited_for_beyond_its_moment),
		CASE(a_stop_time_stays_until_another_is_given),
		CASE(the_level_that_is_there_is_not_entered_again),
		CASE(a_level_is_recorded_with_the_one_before),
		CASE(levels_that_stop_the_machine_reset_the_console_line),
		CASE(an_unknown_letter_is_named_and_has_the_table_read),
		CASE(a_small_s_in_level_s_is_a_change_from_s_to_s),
		CASE(requests_are_taken_only_between_changes),
		CASE(reading_again_stops_what_is_gone_or_changed),
		CASE(an_unreadable_table_leaves_everything_running),
		CASE(reading_again_and_changing_level_lift_the_guard),
		CASE(while_nothing_forks_the_table_in_use_serves_and_is_read_afterwards),
		CASE(a_demand_starts_the_entries_that_name_it_in_either_case),
		CASE(what_was_demanded_stays_in_other_levels_but_not_in_s),
		CASE(nothing_is_demanded_in_level_s),
		cmocka_unit_test(each_event_starts_its_own_entries_once),
		CASE(what_has_no_place_in_the_new_level_is_as_if_born_anew),
		CASE(an_event_that_comes_while_its_entry_runs_starts_it_again),
		CASE(signals_that_come_during_a_change_are_served_after_it),
		CASE(a_halted_init_goes_on_when_told_to),
		CASE(that_nothing_is_left_is_said_once),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
