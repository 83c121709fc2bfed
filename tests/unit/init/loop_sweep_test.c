/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of an init in which each system call fails, the first, the second ... of its name, once and from then on, with
 * each of some errors: a boot, changes of level, a table that is read again, entries and orphans that end. When the
 * failures are over it must come to where it would have come without them, with no descriptor more. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/loop.h"
#include "init/policy_exit.h"
#include "init/reap.h"
#include "init/report.h"

enum {
	TURNS_MAX = 1000,
	LIFE_STEPS = 36,
	AFTERWARDS_MAX = 200,           /* steps of a second: well above every pause and deadline */
	NAMES_MAX = 64,
	FIRST_ORPHAN = 100,
};

static const int errors[] = { -EINTR, -EAGAIN, -EIO, -ENOMEM, -ENFILE, -ENOSPC };
#define LINES                                                                                      \
	"s:#:sysinit:/s\nb::bootwait:/b\nw:23:wait:/w\ng:23:respawn:/g\nh:2:respawn:/h\ni:3:respawn:/i\no:23:once:/o\n"

/* What the life waits for besides time: a table to hand out, and orphans to reap. */
struct life {
	struct init *in;
	const char *lines;
	int orphans;
	pid_t told;             /* the next fork whose end is to be decided */
	bool has_sigchld;
};

static char failing[256];

/* --- the world: what children do --- */

static void dies(struct life *life, pid_t pid, int code, int status)
{
	fake_end(pid, code, status);
	life->has_sigchld = true;
}

static void end_job(struct life *life, enum job_kind kind)
{
	life->has_sigchld = true;
	fault_pause(true);
	if (kind == JOB_LOADER)
		fake_loader_ends(life->in, life->lines, 0);
	else
		fake_job_ends(life->in, kind, kind == JOB_POLICY ? POLICY_EXIT_NOTHING : 0);
	fault_pause(false);
}

static bool is_brief(const struct entry *entry)
{
	return entry->action != ACTION_RESPAWN;
}

/* Jobs and brief entries end as soon as they run. One that was told of is not told of again: it is reaped when pid 1 can. */
static void end_the_brief(struct life *life)
{
	struct init *in = life->in;

	for (; life->told < FAKE_FIRST_PID + fake_forks(); life->told++) {
		struct entry *entry = family_find_pid(&in->family, life->told);

		for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
			if (in->job[kind].pid == life->told)
				end_job(life, kind);
		if (entry && is_brief(entry))
			dies(life, life->told, CLD_EXITED, 0);
	}
}

/* Whoever gets a signal dies of it. */
static void let_them_die(struct life *life)
{
	const struct fake_kill *kill;
	int count = fake_kills(&kill);

	for (int i = 0; i < count; i++) {
		pid_t pid = kill[i].pid < 0 ? -kill[i].pid : kill[i].pid;

		if (family_find_pid(&life->in->family, pid))
			dies(life, pid, CLD_KILLED, kill[i].signal);
	}
}

/* What loop_turn() does but for its wait, until nothing is due. */
static void turns(struct life *life)
{
	struct init *in = life->in;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		struct mono now = mono_now(), next;

		in->reap_has_more |= life->has_sigchld || mono_is_due(in->reap_at, now);
		life->has_sigchld = false;
		if (in->reap_has_more)
			in->reap_has_more = chld_handler(in);
		(void)report_read(in);
		next = level_tend(in, now);
		next = mono_first(next, job_tend(in, now));
		next = mono_first(next, initlog_tend(&in->log, now));
		if (!in->reap_has_more && !mono_is_due(next, now))
			return;
	}
	fail_msg("%s: a thousand turns, and still something is due at once", failing);
}

static void second(struct life *life)
{
	turns(life);
	end_the_brief(life);
	turns(life);
	let_them_die(life);
	turns(life);
	fake_forget_said(life->in);
	fake_pass_ms(1000);
}

/* --- the life --- */

static void orphan_ends(struct life *life)
{
	dies(life, FIRST_ORPHAN + life->orphans++, CLD_EXITED, 0);
}

static void ask(struct life *life, char letter)
{
	if (level_takes_requests(life->in))
		level_request(life->in, letter, 3);
}

static void kill_entry(struct life *life, const char *id)
{
	struct entry *entry = fake_entry(life->in, id);

	if (entry && entry->pid)
		dies(life, entry->pid, CLD_KILLED, SIGKILL);
}

static void happen(struct life *life, int step)
{
	switch (step) {
	case 8:
		ask(life, '3');
		break;
	case 13:
		kill_entry(life, "g");
		orphan_ends(life);
		break;
	case 16:
		life->lines = LINES "n:23:respawn:/n\n";
		ask(life, 'Q');
		break;
	case 21:
		kill_entry(life, "g");
		ask(life, '2');
		break;
	case 27:
		level_signal(life->in, LEVEL_SIGNAL_HUP);
		orphan_ends(life);
		break;
	}
}

static void begin(struct life *life)
{
	struct init *in = fake_init_begin();

	*life = (struct life){ .in = in, .lines = LINES, .told = FAKE_FIRST_PID };
	assert_int_equal(report_open(in), 0);
	level_boot(in);
	in->boot.level = '2';
}

static bool is_settled(const struct life *life)
{
	const struct init *in = life->in;
	int helpers = 0;

	for (unsigned sink = 0; sink < SINK_COUNT; sink++)
		helpers += in->log.helper[sink].pid > 0;
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
		if (job_is_busy(in, kind))
			return false;
	return in->level.phase == PHASE_STEADY && level_takes_requests(in) && helpers == SINK_COUNT;
}

static void settle(struct life *life)
{
	for (int step = 0; step < AFTERWARDS_MAX && !is_settled(life); step++)
		second(life);
	if (!is_settled(life))
		fail_msg("%s: stuck in phase '%s', level %c", failing, phase_name(life->in->level.phase), life->in->level.now);
}

/* The failures are over. A request that came while none could be taken is made again, as a person would. */
static void come_to_the_end(struct life *life)
{
	struct init *in = life->in;

	settle(life);
	ask(life, '2');
	settle(life);
	ask(life, 'Q');
	settle(life);
	for (int i = 0; i < 5; i++)
		second(life);
	assert_int_equal(in->level.now, '2');
	for (const char *const *id = (const char *const[]){ "g", "h", "n", NULL }; *id; id++)
		if (!fake_entry(in, *id) || !fake_entry(in, *id)->pid)
			fail_msg("%s: %s does not run", failing, *id);
	if (strcmp(fake_running(in), "g h n") != 0 && in->family.running != 3)
		fail_msg("%s: what runs is %s", failing, fake_running(in));
	/* Jobs that were given up are nobody's, either. */
	if ((int)in->orphans < life->orphans || fake_ends_left())
		fail_msg("%s: %d orphans of %d are reaped, %d of the dead are not", failing, (int)in->orphans, life->orphans,
			fake_ends_left());
	assert_int_equal(in->load_fd, -1);
}

/* -> the number of descriptors at the end. */
static int live(struct life *life)
{
	for (int step = 0; step < LIFE_STEPS; step++) {
		happen(life, step);
		second(life);
	}
	fault_clear();
	come_to_the_end(life);
	return fds_open();
}

/* --- the sweep --- */

static struct {
	const char *name;
	int calls;
} heard[NAMES_MAX];
static int names;

static void note(const char *name)
{
	int at = 0;

	while (at < names && strcmp(heard[at].name, name) != 0)
		at++;
	assert_true(at < NAMES_MAX);
	heard[at].name = name;
	heard[at].calls++;
	names += at == names;
}

static int one_life(void (*arm)(const char *name, int skip, int err), const char *name, int skip, int err)
{
	struct life life;
	int fds;

	begin(&life);
	if (arm)
		arm(name, skip, err);
	fds = live(&life);
	fake_init_end(life.in);
	return fds;
}

static int undisturbed(void)
{
	int fds;

	names = 0;
	memset(heard, 0, sizeof heard);
	fault_tell(note);
	fds = one_life(NULL, NULL, 0, 0);
	fault_tell(NULL);
	return fds;
}

static void sweep(void (*arm)(const char *name, int skip, int err), const char *what)
{
	int fds = undisturbed(), lives = 0;

	for (int at = 0; at < names; at++)
		for (int skip = 0; skip < heard[at].calls; skip += 1 + heard[at].calls / 24)
			for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++, lives++) {
				snprintf(failing, sizeof failing, "call %d of %s fails %s: %s", skip + 1, heard[at].name, what, strerror(-errors[i]));
				assert_true(one_life(arm, heard[at].name, skip, errors[i]) <= fds);
			}
	print_message("# %d names, %d lives\n", names, lives);
}

static void a_call_that_fails_once_harms_nothing_for_long(void **state)
{
	(void)state;
	sweep(fault_name_once, "once");
}

static void calls_that_fail_for_a_time_harm_nothing_when_they_work_again(void **state)
{
	(void)state;
	sweep(fault_name_after, "from then on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_fails_once_harms_nothing_for_long),
		cmocka_unit_test(calls_that_fail_for_a_time_harm_nothing_when_they_work_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
