/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a crash does ends in an exec or never, so it happens in a forked child here, whose own processes are made up;
 * tests/system/init_reexec.py looks at the real thing. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/stream.h"
#include "init/survive.h"
#include "lib/io.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = *state = fake_init_begin();

	assert_int_equal(kept_open(in), 0);
	in->is_up = true;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static void ignore(int signal, siginfo_t *why, void *context)
{
	(void)signal;
	(void)why;
	(void)context;
}

static void the_fatal_signals_get_the_handler_on_a_stack_of_its_own(void **state)
{
	stack_t stack;

	(void)state;
	assert_int_equal(survive_install(ignore), 0);
	assert_int_equal(sigaltstack(NULL, &stack), 0);
	assert_true(stack.ss_size >= 16384 && !(stack.ss_flags & SS_DISABLE));
	for (int i = 0; survive_fatal[i]; i++) {
		struct sigaction action;

		assert_int_equal(sigaction(survive_fatal[i], NULL, &action), 0);
		assert_ptr_equal(action.sa_sigaction, ignore);
		assert_true(action.sa_flags & SA_ONSTACK);
		for (int other = 0; survive_fatal[other]; other++)
			assert_false(sigismember(&action.sa_mask, survive_fatal[other]));
		signal(survive_fatal[i], SIG_DFL);
	}
}

static void no_handler_is_an_error(void **state)
{
	int nth = 0;

	(void)state;
	do {
		fault_arm(++nth, -EINVAL);
		assert_int_equal(survive_install(ignore), fault_fired() ? -EINVAL : 0);
		fault_arm(nth, -EINVAL);
		(void)!survive_install(ignore);
	} while (fault_fired());
	assert_true(nth > 5);
}

static void fail_to_execute(struct init *in, enum image image)
{
	const struct fake_kill *kill;
	pid_t getty;

	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	(void)fake_turns(in);
	getty = fake_entry(in, "g")->pid;
	assert_true(getty > 0);
	fake_kills(&kill);
	fake_forget_said(in);
	fault_name("exec", -ENOENT);
	job_want(in, JOB_POWER);
	in->level.image = image;
	survive_reexec(in);
	assert_true(fault_fired());
	fault_clear();
	assert_int_equal(in->level.image, IMAGE_NONE);
	assert_true(job_is_busy(in, JOB_POWER));        /* what was not through is done yet */
	assert_int_equal(fcntl(STREAM_FD, F_GETFD), FD_CLOEXEC);        /* reserved */
	assert_true(fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"));
	assert_int_equal(fake_entry(in, "g")->pid, getty);
	assert_int_equal(in->level.now, '2');
	for (int i = fake_kills(&kill); i-- > 0;)
		assert_int_not_equal(kill[i].pid, getty);
}

static void an_exec_that_fails_is_said_and_changes_nothing(void **state)
{
	fail_to_execute(*state, IMAGE_OURS);
}

static void nor_does_it_if_the_image_is_anothers(void **state)
{
	fail_to_execute(*state, IMAGE_FOREIGN);
}

static void whatever_call_fails_on_the_way_to_the_exec_it_is_said_and_nothing_is_left_open(void **state)
{
	struct init *in = *state;
	int before, nth = 0;
	bool fired;

	io_reserve(STREAM_FD);
	before = fds_open();
	do {
		io_reserve(STREAM_FD);
		in->level.image = IMAGE_OURS;
		fake_forget_said(in);
		fault_arm(++nth, -ENFILE);
		survive_reexec(in);
		fired = fault_fired();
		if (!fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"))
			fail_msg("call %d fails and it is not said", nth);
		assert_in_range(fds_open(), before - fired, before);    /* one less: it could not be reserved again */
	} while (fired);
	assert_int_equal(fcntl(KEPT_FD, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_true(nth > 8);
}

static void it_is_no_time_for_a_new_image_while_the_machine_boots(void **state)
{
	struct init *in = *state;

	for (const char *level = "#*789"; *level; level++) {
		in->level.now = *level;
		in->level.image = IMAGE_OURS;
		fault_name("exec", -ENOENT);
		survive_reexec(in);
		assert_false(fault_fired());
	}
}

static void without_a_state_to_leave_there_is_no_exec(void **state)
{
	struct init *in = *state;

	in->kept_fd = -1;
	in->level.image = IMAGE_OURS;
	fault_name("exec", -ENOENT);
	survive_reexec(in);
	assert_false(fault_fired());
	assert_true(fake_has_said(in, SINK_CONSOLE, "Attempt to re-exec failed"));
}

/* --- crashes --- */

enum { TICKS_MAX = 3000, TICK_US = 10000 };

/* What is executed writes down its words, and whether the state came along. */
static void put_image(const char *path)
{
	char script[256];

	(void)snprintf(script, sizeof script, "#!/bin/sh\nexec >%s/said 2>&1\necho \"$0 $*\"\n"
		"test -e /proc/$$/fd/%d && echo state\nprintenv A\nexit 0\n", fake_root_dir(), KEPT_FD);
	fake_file(path, script, 0755);
}

static const char *said_by_image(void)
{
	static char text[512];
	char path[128];
	FILE *file;
	size_t len = 0;

	(void)snprintf(path, sizeof path, "%s/said", fake_root_dir());
	file = fopen(path, "r");
	if (file) {
		len = fread(text, 1, sizeof text - 1, file);
		(void)fclose(file);
	}
	text[len] = '\0';
	return text;
}

/* In a child that takes itself for this process, with a queue that it can write to and we can read. */
static pid_t crash(struct init *in, pid_t own, int signal)
{
	pid_t pid;

	if (in->log.queue) {
		queue_free(in->log.queue);
		assert_int_equal(queue_create(&in->log.queue), 0);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fake_own_pid(own);
	survive_crashed(in, &(siginfo_t){ .si_signo = signal, .si_code = SEGV_MAPERR });
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The third crash never ends: waits until it has said so, and ends it. */
static void see_the_last_resort(struct init *in, pid_t pid)
{
	bool said = false;

	for (int tick = 0; !said && tick < TICKS_MAX; tick++) {
		said = fake_has_said(in, SINK_CONSOLE, "a shell for root is all that is left");
		usleep(said ? 0 : TICK_US);
	}
	assert_true(said);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)status_of(pid);
}

static void a_crash_says_so_and_executes_this_image_with_its_state(void **state)
{
	static const struct {
		int signal;
		const char *name;
	} cases[] = {
		{ SIGSEGV, "segmentation violation" }, { SIGBUS, "bus error" }, { SIGILL, "illegal instruction" },
		{ SIGFPE, "arithmetic error" }, { SIGABRT, "abort" },
	};
	struct init *in = *state;
	char text[128];

	put_image("/proc/self/exe");
	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	in->inherited[0] = (char[]){ "A=inherited" };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(status_of(crash(in, 1, cases[i].signal)), 0);
		(void)snprintf(text, sizeof text, "PANIC: %s! Executing init again.", cases[i].name);
		assert_string_equal(fake_said(in, SINK_CONSOLE), text);
		assert_non_null(strstr(said_by_image(), "/proc/self/exe --init\nstate\ninherited\n"));
		fake_file("/said", "", 0600);
	}
}

static void a_call_that_fails_once_does_not_cost_the_state(void **state)
{
	struct init *in = *state;
	const char *const names[] = { "pwrite", "set_cloexec" };

	put_image("/proc/self/exe");
	queue_free(in->log.queue);                      /* crash() makes none then, by calls that would fail */
	in->log.queue = NULL;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		pid_t pid;

		fake_file("/said", "", 0600);
		fault_name_once(names[i], 0, -EIO);
		pid = crash(in, 1, SIGSEGV);
		fault_clear();
		assert_int_equal(status_of(pid), 0);
		assert_non_null(strstr(said_by_image(), "/proc/self/exe --init\nstate\n"));
	}
}

static void an_image_that_is_gone_is_looked_for_on_the_disk(void **state)
{
	struct init *in = *state;

	put_image("/sbin/init");
	assert_int_equal(status_of(crash(in, 1, SIGSEGV)), 0);
	assert_non_null(strstr(said_by_image(), "/sbin/init --init\nstate\n"));
}

static void the_state_tells_of_the_crash(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	int queue, family;

	put_image("/proc/self/exe");
	in->crash_ns[2] = 5;
	assert_int_equal(status_of(crash(in, 1, SIGSEGV)), 0);
	control_init(next);
	assert_true(kept_take(next, &queue, &family));
	assert_int_equal(next->crash_ns[0], 0);
	assert_int_equal(next->crash_ns[1], 5);
	assert_int_equal(next->crash_ns[2], FAKE_MONO_NS);
	free(next);
}

static void the_third_crash_within_a_minute_is_the_last(void **state)
{
	static const int64_t window_ns = INT64_C(60000000000);
	struct init *in = *state;

	put_image("/proc/self/exe");
	in->crash_ns[1] = FAKE_MONO_NS - window_ns;     /* a minute ago: counts no more */
	in->crash_ns[2] = FAKE_MONO_NS - 1;
	assert_int_equal(status_of(crash(in, 1, SIGSEGV)), 0);
	assert_true(fake_has_said(in, SINK_CONSOLE, "Executing init again."));
	in->crash_ns[1]++;
	fake_file("/said", "", 0600);
	see_the_last_resort(in, crash(in, 1, SIGSEGV));
	assert_string_equal(said_by_image(), "");
}

static void a_crash_in_a_crash_is_the_last(void **state)
{
	struct init *in = *state;
	pid_t pid;

	put_image("/proc/self/exe");
	in->is_crashing = true;
	pid = crash(in, 1, SIGSEGV);
	usleep(20 * TICK_US);                           /* to see that it does not end */
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)status_of(pid);
	assert_null(fake_said(in, SINK_CONSOLE));
	assert_string_equal(said_by_image(), "");
}

/* What the image before left is not this one's to write anew, but for the count of crashes. */
static void a_crash_of_an_image_that_is_not_up_leaves_what_it_found(void **state)
{
	struct init *in = *state, *next = calloc(1, sizeof *next);
	int queue, family;

	put_image("/proc/self/exe");
	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	in->level.now = '5';
	assert_int_equal(kept_save(in), 0);
	in->level.now = '3';
	in->is_up = false;
	for (int crashes = 1; crashes <= 2; crashes++) {
		assert_int_equal(status_of(crash(in, 1, SIGSEGV)), 0);
		control_init(next);
		assert_true(kept_take(next, &queue, &family));
		assert_int_equal(next->level.now, '5');
		assert_int_equal(family, in->family.fd);
		assert_int_equal(next->crash_ns[2], FAKE_MONO_NS);
		assert_int_equal(next->crash_ns[1], crashes == 1 ? 0 : FAKE_MONO_NS);
	}
	see_the_last_resort(in, crash(in, 1, SIGSEGV));
	free(next);
}

static void a_signal_from_outside_damages_no_record(void **state)
{
	struct init *in = *state;
	struct family taken;
	int32_t dropped;

	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	in->family.entry[0].flags ^= ENTRY_EXECUTED;    /* found in the middle of a change */
	assert_int_equal(family_attach(&taken, dup(in->family.fd), &dropped), 0);
	assert_int_equal(dropped, 1);
	fake_adopt(in, "g:2:respawn:/bin/getty\n");
	in->family.entry[0].flags ^= ENTRY_EXECUTED;
	family_seal_all(&in->family);
	assert_int_equal(family_attach(&taken, dup(in->family.fd), &dropped), 0);
	assert_int_equal(dropped, 0);
}

static void without_an_image_or_a_state_the_shell_is_what_is_left(void **state)
{
	struct init *in = *state;
	pid_t pid;

	for (int round = 0; round < 2; round++) {
		if (round)
			put_image("/proc/self/exe");
		in->kept_fd = round ? -1 : KEPT_FD;
		pid = crash(in, 1, SIGSEGV);
		usleep(20 * TICK_US);                   /* likewise */
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)status_of(pid);
		assert_string_equal(said_by_image(), "");
	}
}

static void a_crash_before_there_is_a_queue_is_survived(void **state)
{
	struct init *in = *state;

	put_image("/proc/self/exe");
	queue_free(in->log.queue);
	in->log.queue = NULL;
	assert_int_equal(status_of(crash(in, 1, SIGSEGV)), 0);
	assert_non_null(strstr(said_by_image(), "--init\nstate\n"));
}

/* Between fork and the moment when it has handlers of its own. */
static void a_crash_of_a_child_of_pid_1_is_its_own(void **state)
{
	struct init *in = *state;
	int status;

	put_image("/proc/self/exe");
	put_image("/sbin/init");
	status = status_of(crash(in, 77, SIGSEGV));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGSEGV);
	assert_null(fake_said(in, SINK_CONSOLE));
	assert_string_equal(said_by_image(), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_fatal_signals_get_the_handler_on_a_stack_of_its_own),
		CASE(no_handler_is_an_error),
		CASE(an_exec_that_fails_is_said_and_changes_nothing),
		CASE(nor_does_it_if_the_image_is_anothers),
		CASE(whatever_call_fails_on_the_way_to_the_exec_it_is_said_and_nothing_is_left_open),
		CASE(it_is_no_time_for_a_new_image_while_the_machine_boots),
		CASE(without_a_state_to_leave_there_is_no_exec),
		CASE(a_crash_says_so_and_executes_this_image_with_its_state),
		CASE(a_call_that_fails_once_does_not_cost_the_state),
		CASE(an_image_that_is_gone_is_looked_for_on_the_disk),
		CASE(the_state_tells_of_the_crash),
		CASE(the_third_crash_within_a_minute_is_the_last),
		CASE(a_crash_in_a_crash_is_the_last),
		CASE(a_crash_of_an_image_that_is_not_up_leaves_what_it_found),
		CASE(a_signal_from_outside_damages_no_record),
		CASE(without_an_image_or_a_state_the_shell_is_what_is_left),
		CASE(a_crash_before_there_is_a_queue_is_survived),
		CASE(a_crash_of_a_child_of_pid_1_is_its_own),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
