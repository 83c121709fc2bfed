/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the start of the machine to its level, by way of a shell, a question, level S, or a new image of pid 1. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/level.h"
#include "init/load.h"
#include "init/policy_exit.h"
#include "init/walk.h"
#include "initlog/sink_records.h"

#define TABLE "id:2:initdefault:\nsi::sysinit:x\nbw::bootwait:x\nbt::boot:x\nrc:2:wait:x\n1:23:respawn:x\n" \
	"s:S:wait:sulogin\n"

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

/* No SELinux here: as far as the console setter. policy_test.c has the other ways. */
static void boot_without_policy(struct init *in)
{
	level_boot(in);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_POLICY);
	fake_job_ends(in, JOB_POLICY, POLICY_EXIT_NOTHING);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "version " VERSION " booting");
}

/* As far as the first entries of this table. */
static void boot(struct init *in, const char *lines)
{
	boot_without_policy(in);
	fake_job_ends(in, JOB_CONSOLE, 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	fake_loader_ends(in, lines, 0);
	fake_turns(in);
}

static void ends(struct init *in, const char *id)
{
	fake_entry_ends(in, id, 0);
	fake_turns(in);
}

/* The kinds of the records that were put for wtmp, boot and level only; the level in lower case letters of its own. */
static const char *records(struct init *in)
{
	static char text[64];
	struct record record;
	size_t used = 0;

	while (!queue_take(in->log.queue, SINK_WTMP, &record)) {
		struct record_event event;

		memcpy(&event, record.text, sizeof event);
		queue_done(in->log.queue, SINK_WTMP, &record);
		if (event.kind == RECORD_BOOT)
			used += (size_t)snprintf(text + used, sizeof text - used, "boot ");
		else if (event.kind == RECORD_LEVEL)
			used += (size_t)snprintf(text + used, sizeof text - used, "%c%c ", event.previous, event.level);
		assert_true(used < sizeof text);
	}
	text[used] = '\0';
	return text;
}

static void the_boot_goes_through_sysinit_and_boot_to_the_default_level(void **state)
{
	struct init *in = *state;

	boot(in, TABLE);
	assert_int_equal(in->level.now, '#');
	assert_string_equal(in->title.text, "init boot");
	assert_string_equal(fake_running(in), "si");
	assert_string_equal(records(in), "");
	ends(in, "si");
	assert_int_equal(in->level.now, '*');
	assert_string_equal(fake_running(in), "bw");
	assert_string_equal(records(in), "boot ");
	ends(in, "bw");
	assert_int_equal(in->level.now, '2');
	assert_string_equal(fake_running(in), "bt rc");
	assert_string_equal(records(in), "N2 ");
	assert_string_equal(in->title.text, "init [2]");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Entering runlevel: 2");
	ends(in, "rc");
	assert_string_equal(fake_running(in), "bt 1");
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void the_boot_arguments_name_the_level(void **state)
{
	struct init *in = *state;

	in->boot.level = '3';
	boot(in, TABLE);
	ends(in, "si");
	assert_int_equal(in->level.now, '*');
	ends(in, "bw");
	assert_int_equal(in->level.now, '3');
	assert_string_equal(records(in), "boot N3 ");
	assert_string_equal(fake_running(in), "bt 1");
}

static void the_highest_level_of_initdefault_counts(void **state)
{
	struct init *in = *state;

	boot(in, "id:352:initdefault:\ni2:6:initdefault:\n");
	assert_int_equal(in->level.now, '5');
}

static void level_s_has_its_record_when_it_is_asked_for_during_the_boot(void **state)
{
	struct init *in = *state;

	boot(in, TABLE);
	level_request(in, LEVEL_SINGLE, -1);
	assert_string_equal(records(in), "boot NS ");
}

static void a_boot_into_s_leaves_by_way_of_the_boot_entries(void **state)
{
	struct init *in = *state;

	in->boot.level = 'S';
	boot(in, TABLE);
	ends(in, "si");
	assert_int_equal(in->level.now, 'S');
	assert_string_equal(fake_running(in), "s");
	assert_false(in->level.did_boot);
	fake_pass_ms(60000);
	ends(in, "s");
	assert_int_equal(in->level.now, '*');
	assert_string_equal(in->title.text, "init [S]"); /* as in stock, also below */
	assert_string_equal(fake_running(in), "bw");
	level_request(in, 'q', -1);
	fake_turns(in);
	fake_loader_ends(in, TABLE, 0);
	fake_turns(in);
	assert_string_equal(in->title.text, "init [*]");
	level_request(in, '*', -1);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	ends(in, "bw");
	assert_int_equal(in->level.now, '2');
	assert_string_equal(in->title.text, "init [2]");
	assert_int_equal(in->level.previous, 'N');
	fake_forget_said(in);
	level_request(in, 'S', -1);
	fake_turns(in);
	fake_loader_ends(in, TABLE, 0);
	fake_turns(in);
	ends(in, "rc");
	assert_int_equal(in->level.now, 'S');
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Going single user");
	fake_pass_ms(60000);
	ends(in, "s");
	assert_int_equal(in->level.now, '2');           /* the boot entries had their turn */
	assert_string_equal(fake_running(in), "bt rc");
}

static void what_is_demanded_during_the_boot_is_started_after_it(void **state)
{
	const char *lines = TABLE "d:a:ondemand:x\n";
	struct init *in = *state;

	boot(in, lines);
	level_request(in, 'a', -1);
	fake_turns(in);
	fake_loader_ends(in, lines, 0);
	fake_turns(in);
	ends(in, "si");
	assert_int_equal(in->level.now, '*');
	level_request(in, 'q', -1);
	fake_turns(in);
	fake_loader_ends(in, lines, 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "bw");
	ends(in, "bw");
	ends(in, "rc");
	assert_string_equal(fake_running(in), "bt 1 d");
}

static void a_level_that_is_entered_by_itself_is_said_whichever_was_before(void **state)
{
	struct init *in = *state;

	in->boot.level = 'S';
	boot(in, TABLE);
	ends(in, "si");
	fake_pass_ms(60000);
	ends(in, "s");
	fake_forget_said(in);
	ends(in, "bw");
	assert_int_equal(in->level.now, '2');
	assert_string_equal(fake_said(in, SINK_CONSOLE), "Entering runlevel: 2");
}

static void a_level_s_that_ends_at_once_is_paced(void **state)
{
	struct init *in = *state;
	struct mono next;

	boot(in, "id:S:initdefault:\ns:S:wait:sulogin\n");
	assert_int_equal(in->level.now, 'S');
	for (int i = 1; i <= 20; i++) {
		assert_int_equal(fake_forks(), 3 + i);  /* policy loader, console setter, loader */
		fake_entry_ends(in, "s", 1);
		next = fake_turns(in);
		assert_int_equal(next.ns - mono_now().ns, INT64_C(5000000000));
		fake_pass_ms(5000);
		fake_turns(in);
		assert_string_equal(fake_running(in), "s");
	}
	assert_int_equal(in->level.now, 'S');
}

/* --- the emergency shell --- */

static void an_emergency_shell_comes_before_all_else(void **state)
{
	struct init *in = *state;

	in->boot.emergency = true;
	boot_without_policy(in);
	fake_job_ends(in, JOB_CONSOLE, 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_EMERGENCY);
	assert_string_equal(fake_running(in), "~~");
	assert_string_equal(family_process(&in->family, fake_entry(in, "~~")), "/sbin/sulogin");
	assert_false(job_is_busy(in, JOB_LOADER));
	ends(in, "~~");
	assert_int_equal(in->level.phase, PHASE_LOAD);
	fake_loader_ends(in, TABLE "~~:S:wait:/sbin/sulogin\n", 0);
	fake_turns(in);
	assert_int_equal(in->level.now, '#');
	assert_string_equal(fake_running(in), "si");
	ends(in, "si");
	ends(in, "bw");
	level_request(in, 'S', -1);
	fake_turns(in);
	fake_loader_ends(in, TABLE "~~:S:wait:/sbin/sulogin\n", 0);
	fake_turns(in);
	ends(in, "rc");
	ends(in, "s");
	assert_string_equal(fake_running(in), "bt ~~");  /* that it ran before the boot does not count in level S */
}

static void an_emergency_shell_that_cannot_be_forked_is_tried_again(void **state)
{
	struct init *in = *state;

	in->boot.emergency = true;
	boot_without_policy(in);
	fault_name("fork", -EAGAIN);
	fake_job_ends(in, JOB_CONSOLE, 0);
	fake_turns(in);
	assert_string_equal(fake_running(in), "");
	fault_clear();
	fake_pass_ms(5000);
	fake_turns(in);
	assert_string_equal(fake_running(in), "~~");
}

/* --- without a level --- */

static void without_a_level_somebody_is_asked(void **state)
{
	struct init *in = *state;

	boot(in, "si::sysinit:x\nbw::bootwait:x\n1:4:respawn:x\n");
	ends(in, "si");
	assert_int_equal(in->level.phase, PHASE_ASK);
	assert_true(in->job[JOB_ASKER].pid > 0);
	level_answered(in, '4');
	fake_job_ends(in, JOB_ASKER, 0);
	fake_turns(in);
	assert_int_equal(in->level.now, '*');
	ends(in, "bw");
	assert_int_equal(in->level.now, '4');
	assert_string_equal(fake_running(in), "1");
	assert_string_equal(records(in), "boot N4 ");
}

static void an_invalid_initdefault_is_named_and_the_level_asked_for(void **state)
{
	struct init *in = *state;

	boot(in, "id:x:initdefault:\n");
	assert_true(fake_has_said(in, SINK_CONSOLE, "Initdefault level 'X' is invalid"));
	assert_int_equal(in->level.phase, PHASE_ASK);
}

static void when_nobody_answers_it_is_level_s(void **state)
{
	static const int statuses[] = { EIO, 0 };       /* no console to ask at; an asker that told nothing */

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct init *in = fake_init_begin();

		boot(in, "s:S:wait:sulogin\n");
		fake_job_ends(in, JOB_ASKER, statuses[i]);
		fake_turns(in);
		assert_int_equal(in->level.now, 'S');
		assert_string_equal(fake_running(in), "s");
		fake_init_end(in);
	}
}

static void what_is_no_level_is_no_answer(void **state)
{
	static const char wrong[] = "xA#*q \x80\n";

	(void)state;
	for (const char *letter = wrong; *letter; letter++) {
		struct init *in = fake_init_begin();

		boot(in, "s:S:wait:sulogin\n");
		level_answered(in, *letter);
		fake_job_ends(in, JOB_ASKER, 0);
		fake_turns(in);
		if (in->level.now != 'S')
			fail_msg("'%c' was taken for a level", *letter);
		fake_init_end(in);
	}
}

static void a_request_is_an_answer_too_and_ends_the_question(void **state)
{
	struct init *in = *state;
	const struct fake_kill *kill;
	pid_t asker;

	boot(in, "1:4:respawn:x\n");
	asker = in->job[JOB_ASKER].pid;
	assert_true(level_takes_requests(in));
	level_request(in, '4', -1);
	assert_int_equal(fake_kills(&kill), 1);
	assert_int_equal(kill->pid, asker);
	assert_int_equal(kill->signal, SIGKILL);
	fake_turns(in);
	fake_loader_ends(in, "1:4:respawn:x\n", 0);
	fake_end(asker, CLD_KILLED, SIGKILL);
	fake_turns(in);
	assert_int_equal(in->level.now, '4');
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_string_equal(fake_running(in), "1");
}

static void reading_again_while_asking_may_find_a_default(void **state)
{
	struct init *in = *state;

	boot(in, "1:4:respawn:x\n");
	level_signal(in, LEVEL_SIGNAL_HUP);
	fake_turns(in);
	fake_loader_ends(in, "id:4:initdefault:\n1:4:respawn:x\n", 0);
	fake_turns(in);
	assert_int_equal(in->level.now, '4');
	assert_string_equal(fake_running(in), "1");
	assert_false(job_is_busy(in, JOB_ASKER));
}

static void a_boot_without_any_table_ends_at_a_shell(void **state)
{
	struct init *in = *state;

	boot_without_policy(in);
	fake_job_ends(in, JOB_CONSOLE, 0);
	fake_turns(in);
	for (int i = 0; i <= LOAD_RETRIES; i++) {
		fake_pass_ms(LOAD_RETRY_S * 1000);
		fake_turns(in);
		fake_end(in->job[JOB_LOADER].pid, CLD_KILLED, SIGSEGV);
		fake_turns(in);
	}
	assert_int_equal(in->level.phase, PHASE_ASK);
	fake_job_ends(in, JOB_ASKER, EIO);
	fake_turns(in);
	assert_string_equal(fake_running(in), "~~");
}

static void a_console_that_cannot_be_set_holds_up_no_boot(void **state)
{
	struct init *in = *state;

	boot_without_policy(in);
	fake_pass_ms(5000);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_LOAD);
	assert_int_equal(in->job[JOB_CONSOLE].pid, 0);
}

/* --- a new image --- */

static void a_new_image_goes_on_with_the_phase_of_the_one_before(void **state)
{
	static const struct {
		enum phase phase, goes_on_in;
		enum job_kind job;
	} cases[] = {
		{ PHASE_BOOT, PHASE_BOOT, JOB_CONSOLE }, { PHASE_EMERGENCY, PHASE_EMERGENCY, JOB_COUNT },
		{ PHASE_STEADY, PHASE_LOAD, JOB_LOADER }, { PHASE_LOAD, PHASE_LOAD, JOB_LOADER },
		{ PHASE_TERM, PHASE_LOAD, JOB_LOADER }, { PHASE_KILL, PHASE_LOAD, JOB_LOADER },
		{ PHASE_ASK, PHASE_ASK, JOB_ASKER }, { PHASE_TAKE, PHASE_TAKE, JOB_STATE },
		{ PHASE_POLICY, PHASE_POLICY, JOB_POLICY }, { PHASE_HALT, PHASE_HALT, JOB_HALT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct init *in = fake_init_begin();

		fake_adopt(in, "~~:S:wait:sulogin\n");
		in->level.phase = cases[i].phase;
		in->level.wanted = '3';
		level_resume(in);
		assert_int_equal(in->level.phase, cases[i].goes_on_in);
		for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
			assert_int_equal(in->job[kind].is_wanted, kind == cases[i].job);
		if (cases[i].phase != PHASE_TAKE)
			assert_int_equal(in->level.wanted, '3');
		fake_init_end(in);
	}
	assert_int_equal(sizeof cases / sizeof cases[0], PHASE_COUNT - 1);
}

static void a_change_that_was_under_way_is_finished_by_the_new_image(void **state)
{
	struct init *in = *state;
	struct family taken;
	const struct fake_kill *kill;
	int32_t dropped;

	fake_adopt(in, "a:2:respawn:x\nb:3:respawn:x\n");
	fake_turns(in);
	level_request(in, '3', 9);
	fake_turns(in);
	fake_loader_ends(in, "a:2:respawn:x\nb:3:respawn:x\n", 0);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_TERM);
	assert_int_equal(family_attach(&taken, dup(in->family.fd), &dropped), 0);
	in->family = taken;                             /* the old image's mapping goes with its address space */
	in->level.deadline = MONO_NEVER;
	fake_kills(&kill);
	level_resume(in);
	fake_turns(in);
	fake_loader_ends(in, "a:2:respawn:x\nb:3:respawn:x\n", 0);
	fake_turns(in);
	assert_int_equal(fake_kills(&kill), 1);
	assert_int_equal(kill->pid, -FAKE_FIRST_PID);
	ends(in, "a");
	assert_int_equal(in->level.now, '3');
	assert_string_equal(fake_running(in), "b");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_boot_goes_through_sysinit_and_boot_to_the_default_level),
		CASE(the_boot_arguments_name_the_level),
		CASE(the_highest_level_of_initdefault_counts),
		CASE(level_s_has_its_record_when_it_is_asked_for_during_the_boot),
		CASE(a_boot_into_s_leaves_by_way_of_the_boot_entries),
		CASE(what_is_demanded_during_the_boot_is_started_after_it),
		CASE(a_level_that_is_entered_by_itself_is_said_whichever_was_before),
		CASE(a_level_s_that_ends_at_once_is_paced),
		CASE(an_emergency_shell_comes_before_all_else),
		CASE(an_emergency_shell_that_cannot_be_forked_is_tried_again),
		CASE(without_a_level_somebody_is_asked),
		CASE(an_invalid_initdefault_is_named_and_the_level_asked_for),
		cmocka_unit_test(when_nobody_answers_it_is_level_s),
		cmocka_unit_test(what_is_no_level_is_no_answer),
		CASE(a_request_is_an_answer_too_and_ends_the_question),
		CASE(reading_again_while_asking_may_find_a_default),
		CASE(a_boot_without_any_table_ends_at_a_shell),
		CASE(a_console_that_cannot_be_set_holds_up_no_boot),
		cmocka_unit_test(a_new_image_goes_on_with_the_phase_of_the_one_before),
		CASE(a_change_that_was_under_way_is_finished_by_the_new_image),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
