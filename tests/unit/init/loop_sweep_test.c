/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of an init in which each system call fails, the first, the second ... of its name, once and from then on, with
 * each of some errors: a boot, changes of level, a table that is read again, entries and orphans that end, a crash, a new image. When
 * the failures are over it must come to where it would have come without them, with no descriptor more.
 * Who crashes while nothing can be saved ends in the last resort: calls that fail on and on get a life without a crash. */
#include <errno.h>
#include <fcntl.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/loop.h"
#include "init/policy_exit.h"
#include "init/reap.h"
#include "init/report.h"
#include "init/stream.h"
#include "init/survive.h"
#include "init/takeover.h"
#include "lib/io.h"

enum {
	TURNS_MAX = 1000,
	LIFE_STEPS = 58,
	AFTERWARDS_MAX = 200,           /* steps of a second: well above every pause and deadline */
	NAMES_MAX = 64,
	FIRST_ORPHAN = 100,
	FIRST_FD = 3, FDS_MAX = 256, FAR_FD = 300,
};

static const int errors[] = { -EINTR, -EAGAIN, -EIO, -ENOMEM, -ENFILE, -ENOSPC };
#define LINES                                                                                      \
	"s:#:sysinit:/s\nb::bootwait:/b\nw:23:wait:/w\ng:23:respawn:/g\nh:2:respawn:/h\ni:3:respawn:/i\no:23:once:/o\n"

/* What the life waits for besides time: a table to hand out, and orphans to reap. */
struct life {
	struct init *in;
	const char *lines;
	int orphans, reaped_before;     /* by the images before */
	pid_t told;             /* the next fork whose end is to be decided */
	bool has_sigchld, has_crash;
	int images;
};

static jmp_buf executes;

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

/* --- pid 1 executes itself --- */

static void execute(const char *path)
{
	(void)path;
	longjmp(executes, 1);
}

static void pauses(const char *name)
{
	if (!strcmp(name, "sleep"))
		fail_msg("%s: it is in its last resort", failing);
}

/* Memory goes; a descriptor stays if it may. */
static void forget_mapping(int fd, void (*forget)(struct init *), struct init *in)
{
	int far = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FAR_FD), flags = fd < 0 ? 0 : fcntl(fd, F_GETFD);

	forget(in);
	if (far >= 0) {
		assert_int_equal(dup2(far, fd), fd);
		assert_int_equal(fcntl(fd, F_SETFD, flags), 0);
		assert_int_equal(close(far), 0);
	}
}

static void forget_queue(struct init *in)
{
	queue_free(in->log.queue);
}

static void forget_family(struct init *in)
{
	family_free(&in->family);
}

static void leave_image(struct life *life)
{
	struct init *in = life->in;

	fault_pause(true);
	forget_mapping(in->log.queue ? queue_fd(in->log.queue) : -1, forget_queue, in);
	forget_mapping(in->family.fd, forget_family, in);
	fault_pause(false);
	for (int fd = FIRST_FD; fd < FDS_MAX; fd++)
		if (fcntl(fd, F_GETFD) == FD_CLOEXEC)
			close(fd);
	life->reaped_before += (int)in->orphans;
	free(in);
}

static void open_log(struct init *in, int queue_fd)
{
	static const struct initlog_config config = { .ident = "init", .title = "init" };
	int err = initlog_open(&in->log, &config, &in->title, queue_fd);

	if (err == -EPROTO) {
		close(queue_fd);
		(void)!initlog_open(&in->log, &config, &in->title, -1);
	}
}

/* What main.c does, but for what this life has no part of. */
static void come_up(struct life *life)
{
	struct title title = life->in->title;
	int queue_fd = -1, family_fd = -1;
	bool has_state;
	struct init *in;

	leave_image(life);
	in = life->in = calloc(1, sizeof *in);
	assert_non_null(in);
	in->title = title;
	in->load_fd = in->kept_fd = in->children_fd = -1;
	in->epoll_fd = in->signal_fd = in->timer_fd = in->report_fd = in->report_child_fd = -1;
	in->reap_at = MONO_NEVER;
	family_init(&in->family);
	control_init(in);
	takeover_init(in);
	has_state = kept_take(in, &queue_fd, &family_fd);
	if (!has_state)
		kept_close_rest();
	if (!has_state && !takeover_is_due(in))
		fail_msg("%s: it would boot again under what runs", failing);
	if (in->takeover.stream_fd < 0)
		io_reserve(STREAM_FD);
	(void)!report_open(in);
	open_log(in, queue_fd);
	if (in->kept_fd < 0 && kept_open(in))
		(void)!kept_open(in);
	if (has_state)
		takeover_go_on(in, family_fd, &(struct record_flags){ 0 });
	else
		level_take_over(in);
	in->is_up = true;
	life->images++;
	if (life->has_crash && (!has_state || in->level.is_torn))
		fail_msg("%s: the image before is forgotten", failing);
}

static void crash(struct life *life)
{
	siginfo_t why = { .si_signo = SIGSEGV, .si_code = SI_USER };

	if (!setjmp(executes))
		survive_crashed(life->in, &why);
	come_up(life);
}

static void second(struct life *life)
{
	if (setjmp(executes))
		come_up(life);
	if (life->in->report_fd < 0)
		(void)!report_open(life->in);
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
	case 32:
		kill_entry(life, "h");
		orphan_ends(life);
		if (life->has_crash)
			crash(life);
		break;
	case 38:
		kill_entry(life, "g");
		orphan_ends(life);
		ask(life, 'U');
		break;
	case 44:
		ask(life, '3');
		break;
	case 50:
		kill_entry(life, "g");
		break;
	}
}

static void begin(struct life *life, bool has_crash)
{
	struct init *in = fake_init_begin();

	*life = (struct life){ .in = in, .lines = LINES, .told = FAKE_FIRST_PID, .has_crash = has_crash };
	fake_own_pid(1);
	fake_exec(execute);
	assert_int_equal(report_open(in), 0);
	io_reserve(STREAM_FD);
	assert_int_equal(kept_open(in), 0);
	in->is_up = true;
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
		if (kind != JOB_DOOR && job_is_busy(in, kind))  /* without a folder to watch it is looked for every few seconds */
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
	struct init *in;

	settle(life);
	ask(life, '2');
	settle(life);
	ask(life, 'Q');
	settle(life);
	for (int i = 0; i < 5; i++)
		second(life);
	in = life->in;                  /* an image that was still to come may have come */
	assert_int_equal(in->level.now, '2');
	for (const char *const *id = (const char *const[]){ "g", "h", "n", NULL }; *id; id++)
		if (!fake_entry(in, *id) || !fake_entry(in, *id)->pid)
			fail_msg("%s: %s does not run", failing, *id);
	if (strcmp(fake_running(in), "g h n") != 0 && in->family.running != 3)
		fail_msg("%s: what runs is %s", failing, fake_running(in));
	/* Jobs that were given up are nobody's, either. */
	if (life->reaped_before + (int)in->orphans < life->orphans || fake_ends_left())
		fail_msg("%s: %d orphans of %d are reaped, %d of the dead are not", failing, life->reaped_before + (int)in->orphans,
			life->orphans, fake_ends_left());
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

static int one_life(bool has_crash, void (*arm)(const char *name, int skip, int err), const char *name, int skip, int err)
{
	struct life life;
	int fds;

	begin(&life, has_crash);
	if (arm)
		arm(name, skip, err);
	else
		fault_tell(note);
	fds = live(&life);
	if (!arm)
		assert_int_equal(life.images, has_crash ? 2 : 1);
	fake_init_end(life.in);
	return fds;
}

static int undisturbed(bool has_crash)
{
	int fds;

	names = 0;
	memset(heard, 0, sizeof heard);
	fds = one_life(has_crash, NULL, NULL, 0, 0);
	fault_tell(NULL);
	return fds;
}

static void sweep(bool has_crash, void (*arm)(const char *name, int skip, int err), const char *what)
{
	int fds = undisturbed(has_crash), lives = 0, left;

	fault_tell(pauses);
	for (int at = 0; at < names; at++)
		for (int skip = 0; skip < heard[at].calls; skip += 1 + heard[at].calls / 24)
			for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++, lives++) {
				snprintf(failing, sizeof failing, "call %d of %s fails %s: %s", skip + 1, heard[at].name, what, strerror(-errors[i]));
				left = one_life(has_crash, arm, heard[at].name, skip, errors[i]);
				if (left > fds)
					fail_msg("%s: %d descriptors, and %d without", failing, left, fds);
			}
	fault_tell(NULL);
	print_message("# %d names, %d lives\n", names, lives);
}

static void a_call_that_fails_once_harms_nothing_for_long(void **state)
{
	(void)state;
	sweep(true, fault_name_once, "once");
}

static void calls_that_fail_for_a_time_harm_nothing_when_they_work_again(void **state)
{
	(void)state;
	sweep(false, fault_name_after, "from then on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_fails_once_harms_nothing_for_long),
		cmocka_unit_test(calls_that_fail_for_a_time_harm_nothing_when_they_work_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
