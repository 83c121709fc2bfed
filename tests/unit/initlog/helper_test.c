/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real helper processes with sinks of this test in place of the real ones; a stage in shared memory
 * lets the test say what they do and see what they did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/initlog.h"
#include "initlog/sink.h"

enum { LONG_MS = 20000, DEADLINE_MS = 50, DELIVERIES = 4096, WAITS = 16 };

struct delivery {
	uint64_t lost;
	int64_t when_s;
	char text[64];
};

struct stage {
	_Atomic bool refuses, blocks;           /* what deliver() does */
	_Atomic int sleeps;                     /* so many times until it looks at its deadline */
	_Atomic int refuse_next, refuse_at;     /* so many fail, once so many succeeded */
	_Atomic int offers, delivered, waits, overran, timer_left_on;
	_Atomic int64_t backoff_ms[WAITS];
	_Atomic uint64_t state_in_wait, state_in_deliver;
	_Atomic int helper, may_end;            /* of a writer that is a process of its own */
	char offered[64];
	struct delivery delivery[DELIVERIES];
};

static struct stage *stage;
static struct initlog log_;
static struct title title;
static const struct initlog_config config = { .ident = "init", .title = "init" };

/* --- the sinks --- */

static void *stage_open(const struct initlog_config *with, struct queue *queue)
{
	assert(with->ident && queue);
	return stage;
}

static int stage_deliver(void *state, const struct record *record, struct mono deadline)
{
	struct stage *it = state;
	int nth = it->delivered;

	it->offers++;
	it->state_in_deliver = queue_status(log_.queue, SINK_CONSOLE).state;
	memcpy(it->offered, record->text, sizeof it->offered - 1);
	for (; it->sleeps; it->sleeps--)
		pause();
	while (it->blocks)
		if (pause() < 0 && mono_is_due(deadline, mono_now())) {
			it->overran++;
			return -EINTR;
		}
	if (it->refuses)
		return -EIO;
	if (it->refuse_next && nth >= it->refuse_at) {
		it->refuse_next--;
		return -EIO;
	}
	it->delivery[nth].lost = record->lost;
	it->delivery[nth].when_s = record->when.s;
	memcpy(it->delivery[nth].text, record->text, sizeof it->delivery[nth].text - 1);
	it->delivered = nth + 1;
	return 0;
}

static void stage_wait(void *state, struct mono until)
{
	struct stage *it = state;
	struct itimerval timer;
	int nth = it->waits;

	it->state_in_wait = queue_status(log_.queue, SINK_CONSOLE).state;
	if (!getitimer(ITIMER_REAL, &timer) && (timer.it_value.tv_sec || timer.it_value.tv_usec))
		it->timer_left_on++;
	if (nth < WAITS)
		it->backoff_ms[nth] = mono_left_ms(until, mono_now());
	it->waits = nth + 1;
}

#define STAGE_OPS(says, ms)                                                                        \
	{                                                                                          \
		.name = "stage", .deadline_ms = DEADLINE_MS, .open = stage_open,                   \
		.deliver = stage_deliver, .wait = stage_wait, .says_lost = says, .linger_ms = ms   \
	}
const struct sink_ops sink_console_ops = STAGE_OPS(true, 0);
const struct sink_ops sink_syslog_ops = STAGE_OPS(true, 5);
const struct sink_ops sink_records_ops = STAGE_OPS(false, 0);
const struct sink_ops sink_wtmp_ops = STAGE_OPS(false, 0);

/* --- the test's side --- */

#define until(condition)                                                                           \
	do {                                                                                       \
		struct mono end_ = mono_after_ms(mono_now(), LONG_MS);                             \
		while (!(condition)) {                                                             \
			if (mono_is_due(end_, mono_now()))                                         \
				fail_msg("never: %s", #condition);                                 \
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);                         \
		}                                                                                  \
	} while (0)

/* One helper alone, the others do not start. */
static pid_t start(enum sink sink)
{
	for (unsigned other = 0; other < SINK_COUNT; other++)
		log_.helper[other].start_at = other == sink ? (struct mono){ 0 } : MONO_NEVER;
	assert_true(mono_is_never(initlog_tend(&log_, mono_now())));
	return log_.helper[sink].pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(initlog_child_ended(&log_, pid, mono_now()));
}

static int set_up(void **state)
{
	(void)state;
	stage = mmap(
		NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(stage, MAP_FAILED);
	log_ = (struct initlog){ 0 };
	assert_int_equal(initlog_open(&log_, &config, &title, -1), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage->may_end = 1;
	initlog_stop_helpers(&log_);
	while (waitpid(-1, NULL, 0) > 0)
		;
	queue_free(log_.queue);
	munmap(stage, sizeof *stage);
	return 0;
}

static void read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	FILE *file;
	size_t len;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
}

static uint64_t status_mask(pid_t pid, const char *field)
{
	char text[4096], *at;

	read_proc(pid, "status", text, sizeof text);
	at = strstr(text, field);
	assert_non_null(at);
	/* 32 and 33 are glibc's own: it lets nobody touch what it inherited for them. */
	return strtoull(at + strlen(field), NULL, 16) & ~(UINT64_C(3) << 31);
}

static int fds_of(pid_t pid)
{
	char path[64];
	DIR *folder;
	int count = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	folder = opendir(path);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* In a futex wait with no time-out: "202 address op value timeout ...". */
static bool sleeps_for_good(pid_t pid)
{
	unsigned long long number, address, op, value, timeout;
	char text[256];

	read_proc(pid, "syscall", text, sizeof text);
	return sscanf(text, "%llu %llx %llx %llx %llx", &number, &address, &op, &value, &timeout) ==
		       5 &&
	       number == SYS_futex && !timeout;
}

/* --- what a helper is --- */

static void fatal_handler(int signal)
{
	_exit(signal);
}

static void a_helper_sheds_what_it_inherits(void **state)
{
	uint64_t open = 0, caught;
	char text[4096], link[64];
	sigset_t all, old;
	ssize_t len;
	pid_t pid;
	int high = fcntl(0, F_DUPFD, 200);

	(void)state;
	assert_true(high >= 200);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);           /* as pid 1 has it */
	signal(SIGUSR1, SIG_IGN);
	signal(SIGSEGV, fatal_handler);
	pid = start(SINK_CONSOLE);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(high);
	until(sleeps_for_good(pid));
	assert_int_equal(getsid(pid), pid);
	assert_int_equal(fds_of(pid), 1);
	read_proc(pid, "cmdline", text, sizeof text);
	assert_string_equal(text, "init [log: stage]");
	snprintf(link, sizeof link, "/proc/%d/cwd", pid);
	len = readlink(link, text, sizeof text);
	assert_int_equal(len, 1);
	assert_int_equal(text[0], '/');
	assert_int_equal(status_mask(pid, "SigIgn:"), 0);
	caught = status_mask(pid, "SigCgt:");
	assert_true(caught & 1 << (SIGALRM - 1));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_int_equal(caught, 1 << (SIGALRM - 1));
#endif
	open = ~status_mask(pid, "SigBlk:");
	assert_false(open & (1 << (SIGTERM - 1) | 1 << (SIGHUP - 1) | 1 << (SIGINT - 1) |
				    1 << (SIGCHLD - 1)));
	assert_true(open & 1 << (SIGALRM - 1));
	assert_true(open & 1 << (SIGSEGV - 1));
}

static void only_a_kill_ends_a_helper(void **state)
{
	pid_t pid = start(SINK_CONSOLE);
	int status;

	(void)state;
	until(sleeps_for_good(pid));
	for (int signal = 1; signal < NSIG; signal++)
		if (signal != SIGKILL && signal != SIGSTOP && signal != SIGSEGV &&
			signal != SIGBUS && signal != SIGILL && signal != SIGFPE &&
			signal != SIGABRT && signal != SIGTRAP && signal != SIGSYS &&
			signal != 32 && signal != 33 && signal != 34) /* libc's own */
			kill(pid, signal);
	initlog(&log_, LOG_TO_CONSOLE, "still there");
	until(stage->delivered == 1);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void an_idle_helper_has_no_timer_running(void **state)
{
	pid_t pid = start(SINK_SYSLOG);

	(void)state;
	for (int i = 0; i < 5; i++) {
		until(sleeps_for_good(pid));
		assert_int_equal(queue_status(log_.queue, SINK_SYSLOG).state, SINK_IDLE);
		initlog(&log_, LOG_TO_SYSLOG, "line %d", i);
		until(stage->delivered == i + 1);
	}
	until(sleeps_for_good(pid));
}

/* --- delivering --- */

static void lines_are_delivered_in_order(void **state)
{
	(void)state;
	initlog(&log_, LOG_TO_CONSOLE, "line 0");
	start(SINK_CONSOLE);
	for (int i = 1; i < 1000; i++) {
		initlog(&log_, LOG_TO_CONSOLE, "line %d", i);
		if (i % 100 == 0)
			until(stage->delivered == i + 1);
	}
	until(stage->delivered == 1000);
	for (int i = 0; i < 1000; i++) {
		char expected[64];

		snprintf(expected, sizeof expected, "line %d", i);
		assert_string_equal(stage->delivery[i].text, expected);
	}
	until(queue_status(log_.queue, SINK_CONSOLE).delivered == 1000);
	assert_int_equal(stage->offers, 1000);
	assert_int_equal(stage->state_in_deliver, SINK_DELIVERING);
}

static void a_sink_that_refuses_is_asked_again_ever_later(void **state)
{
	static const int64_t backoff_ms[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
	enum { COUNT = sizeof backoff_ms / sizeof backoff_ms[0] };

	(void)state;
	stage->refuses = true;
	start(SINK_CONSOLE);
	initlog(&log_, LOG_TO_CONSOLE, "refused");
	until(stage->waits >= COUNT);
	stage->refuses = false;
	until(stage->delivered == 1);
	for (int i = 0; i < COUNT; i++)
		assert_in_range(stage->backoff_ms[i], backoff_ms[i] - 900, backoff_ms[i]);
	assert_int_equal(stage->state_in_wait, SINK_BACKING_OFF);
	assert_int_equal(stage->timer_left_on, 0);
	until(queue_status(log_.queue, SINK_CONSOLE).state == SINK_IDLE);

	/* Success starts it over. */
	stage->waits = 0;
	stage->refuse_next = 1;
	initlog(&log_, LOG_TO_CONSOLE, "once more");
	until(stage->delivered == 2);
	assert_in_range(stage->backoff_ms[0], 100, 1000);
}

/* wait() of this test returns at once, so the helper alone keeps the pace. */
static void a_sink_whose_wait_lies_does_not_make_a_busy_loop(void **state)
{
	struct mono begin;

	(void)state;
	stage->refuses = true;
	start(SINK_CONSOLE);
	initlog(&log_, LOG_TO_CONSOLE, "refused");
	until(stage->offers == 1);
	begin = mono_now();
	until(stage->offers == 6);
	assert_true(mono_is_due(mono_after_ms(begin, 450), mono_now()));
}

static void a_delivery_that_sleeps_is_interrupted_at_its_deadline(void **state)
{
	(void)state;
	stage->blocks = true;
	start(SINK_CONSOLE);
	initlog(&log_, LOG_TO_CONSOLE, "slow");
	until(stage->overran == 3);
	stage->blocks = false;
	until(stage->delivered == 1);
	assert_int_equal(stage->timer_left_on, 0);
}

/* The first signal may come when it does not sleep yet. */
static void a_delivery_that_goes_on_sleeping_is_interrupted_again(void **state)
{
	(void)state;
	stage->sleeps = 5;
	start(SINK_CONSOLE);
	initlog(&log_, LOG_TO_CONSOLE, "slower");
	until(stage->delivered == 1);
	assert_int_equal(stage->offers, 1);
}

static void a_loss_is_a_line_before_what_follows(void **state)
{
	(void)state;
	stage->refuses = true;
	start(SINK_CONSOLE);
	initlog(&log_, LOG_TO_CONSOLE, "in hand");
	until(stage->offers > 0);
	for (int i = 0; i < QUEUE_SLOTS + 25; i++)
		queue_put(log_.queue, LOG_TO_CONSOLE, (struct wall){ 1000 + i, 0 }, "later", 5);
	stage->refuses = false;
	until(stage->delivered == QUEUE_SLOTS + 2);
	assert_string_equal(stage->delivery[0].text, "in hand");
	assert_string_equal(stage->delivery[1].text, "25 messages lost");
	assert_int_equal(stage->delivery[1].when_s, 1025);
	assert_string_equal(stage->delivery[2].text, "later");
	assert_int_equal(stage->delivery[2].when_s, 1025);
	until(queue_status(log_.queue, SINK_CONSOLE).delivered == QUEUE_SLOTS + 1);
	assert_int_equal(queue_status(log_.queue, SINK_CONSOLE).lost, 25);
	assert_int_equal(queue_status(log_.queue, SINK_CONSOLE).pending, 0);
}

static void lap(enum sink sink)
{
	for (int i = 0; i < QUEUE_SLOTS + 7; i++)
		queue_put(log_.queue, SINK_BIT(sink), (struct wall){ 0 }, "later", 5);
}

/* The helper is killed while the loss is refused, then while the record behind it is. */
static void neither_loss_nor_record_is_said_twice(void **state)
{
	pid_t pid;

	(void)state;
	lap(SINK_CONSOLE);
	stage->refuses = true;
	pid = start(SINK_CONSOLE);
	until(stage->offers > 0);
	assert_string_equal(stage->offered, "7 messages lost");
	end(pid);
	stage->refuses = false;
	pid = start(SINK_CONSOLE);
	until(stage->delivered > 1);
	stage->refuses = true;
	end(pid);
	assert_string_equal(stage->delivery[0].text, "7 messages lost");
	assert_string_equal(stage->delivery[1].text, "later");
	stage->refuses = false;
	start(SINK_CONSOLE);
	until(queue_status(log_.queue, SINK_CONSOLE).pending == 0);
	for (int i = 1; i < stage->delivered; i++)
		assert_string_equal(stage->delivery[i].text, "later");
	assert_in_range(stage->delivered, 1 + QUEUE_SLOTS, 1 + QUEUE_SLOTS + 1);
	assert_int_equal(queue_status(log_.queue, SINK_CONSOLE).lost, 7);
}

static void a_refused_record_does_not_repeat_the_loss_before_it(void **state)
{
	(void)state;
	lap(SINK_CONSOLE);
	stage->refuse_at = 1;
	stage->refuse_next = 2;
	start(SINK_CONSOLE);
	until(stage->delivered == QUEUE_SLOTS + 1);
	assert_int_equal(stage->waits, 2);
	assert_string_equal(stage->delivery[0].text, "7 messages lost");
	for (int i = 1; i <= QUEUE_SLOTS; i++)
		assert_string_equal(stage->delivery[i].text, "later");
}

static void a_sink_that_says_no_losses_sees_the_number(void **state)
{
	(void)state;
	lap(SINK_RECORDS);
	start(SINK_RECORDS);
	until(stage->delivered == QUEUE_SLOTS);
	assert_int_equal(stage->delivery[0].lost, 7);
	assert_string_equal(stage->delivery[0].text, "later");
	assert_int_equal(stage->delivery[1].lost, 0);
	until(queue_status(log_.queue, SINK_RECORDS).delivered == QUEUE_SLOTS);
	assert_int_equal(queue_status(log_.queue, SINK_RECORDS).lost, 7);
}

static void helpers_killed_at_any_step_lose_nothing(void **state)
{
	enum { HELPERS = 60 };
	int said = 0, last = -1, twice = 0;

	(void)state;
	for (int helper = 0; helper < HELPERS; helper++) {
		pid_t pid = start(SINK_CONSOLE);

		for (int i = 0; i < 8; i++)
			initlog(&log_, LOG_TO_CONSOLE, "%d", said++);
		nanosleep(&(struct timespec){ 0, helper * 37 % 60 * 20000 }, NULL);
		end(pid);
	}
	start(SINK_CONSOLE);
	until(queue_status(log_.queue, SINK_CONSOLE).pending == 0);
	for (int i = 0; i < stage->delivered; i++) {
		int number = atoi(stage->delivery[i].text);

		assert_in_range(number, last < 0 ? 0 : last, last + 1);
		twice += number == last;
		last = number;
	}
	assert_int_equal(last, said - 1);
	assert_in_range(twice, 0, HELPERS);
	assert_int_equal(queue_status(log_.queue, SINK_CONSOLE).lost, 0);
}

/* --- one that outlives its writer --- */

enum { STAY_S = 1 };

/* A writer that says these lines, and a last one when it is told to end; its helper, which is ours to wait for when it has. */
static pid_t writer_start(int lines, pid_t *helper)
{
	pid_t writer;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	stage->helper = stage->may_end = 0;
	writer = fork();
	if (!writer) {
		stage->helper = initlog_leave_helper(&log_, SINK_SYSLOG, STAY_S);
		for (int i = 0; i < lines; i++)
			initlog(&log_, LOG_TO_SYSLOG, "line %d", i);
		while (!stage->may_end)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		initlog(&log_, LOG_TO_SYSLOG, "the last");
		_exit(0);
	}
	until(stage->helper);
	*helper = stage->helper;
	return writer;
}

static void writer_end(pid_t writer)
{
	stage->may_end = 1;
	assert_int_equal(waitpid(writer, NULL, 0), writer);
}

/* It is a zombie of the writer, or ours already. */
static bool has_ended(pid_t pid)
{
	char text[512], *at;

	read_proc(pid, "stat", text, sizeof text);
	at = strrchr(text, ')');
	return at && at[2] == 'Z';
}

static void one_that_outlives_its_writer_ends_when_all_is_delivered(void **state)
{
	pid_t helper, writer;
	int status;

	(void)state;
	stage->refuses = true;
	writer = writer_start(3, &helper);
	until(stage->offers > 0);
	writer_end(writer);
	stage->refuses = false;
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(stage->delivered, 4);
	assert_string_equal(stage->delivery[0].text, "line 0");
	assert_string_equal(stage->delivery[2].text, "line 2");
	assert_string_equal(stage->delivery[3].text, "the last");
}

static void it_stays_while_its_writer_does(void **state)
{
	pid_t helper, writer = writer_start(1, &helper);

	(void)state;
	until(stage->delivered == 1);
	nanosleep(&(struct timespec){ 0, 300 * 1000000 }, NULL);        /* more than one of its looks */
	assert_int_equal(kill(helper, 0), 0);
	writer_end(writer);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	assert_int_equal(stage->delivered, 2);
	assert_string_equal(stage->delivery[1].text, "the last");
}

static void a_sink_that_never_takes_anything_keeps_it_no_longer_than_told(void **state)
{
	pid_t helper, writer;
	struct mono begun;
	int status;

	(void)state;
	stage->refuses = true;
	writer = writer_start(1, &helper);
	begun = mono_now();
	writer_end(writer);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(mono_is_due(mono_after_s(begun, STAY_S), mono_now()));
	assert_int_equal(stage->delivered, 0);
}

/* What is meant for everybody ends it where it waits, and never before a first try is over. */
static void it_ends_by_sigterm_where_it_waits(void **state)
{
	pid_t helper, writer;
	int status;

	(void)state;
	stage->blocks = true;
	writer = writer_start(1, &helper);
	until(stage->offers > 0);
	kill(helper, SIGTERM);
	until(has_ended(helper));
	assert_true(stage->overran > 0);
	writer_end(writer);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void it_ends_by_sigterm_when_it_has_nothing_to_do(void **state)
{
	pid_t helper, writer = writer_start(1, &helper);
	int status;

	(void)state;
	until(stage->delivered == 1);
	kill(helper, SIGTERM);
	until(has_ended(helper));
	writer_end(writer);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFSIGNALED(status));
}

int main(int argc, char **argv, char **envp)
{
	char text[TITLE_MAX];
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_helper_sheds_what_it_inherits),
		CASE(only_a_kill_ends_a_helper),
		CASE(an_idle_helper_has_no_timer_running),
		CASE(lines_are_delivered_in_order),
		CASE(a_sink_that_refuses_is_asked_again_ever_later),
		CASE(a_sink_whose_wait_lies_does_not_make_a_busy_loop),
		CASE(a_delivery_that_sleeps_is_interrupted_at_its_deadline),
		CASE(a_delivery_that_goes_on_sleeping_is_interrupted_again),
		CASE(a_loss_is_a_line_before_what_follows),
		CASE(neither_loss_nor_record_is_said_twice),
		CASE(a_refused_record_does_not_repeat_the_loss_before_it),
		CASE(a_sink_that_says_no_losses_sees_the_number),
		CASE(helpers_killed_at_any_step_lose_nothing),
		CASE(one_that_outlives_its_writer_ends_when_all_is_delivered),
		CASE(it_stays_while_its_writer_does),
		CASE(a_sink_that_never_takes_anything_keeps_it_no_longer_than_told),
		CASE(it_ends_by_sigterm_where_it_waits),
		CASE(it_ends_by_sigterm_when_it_has_nothing_to_do),
	};

	(void)argc;
	title_init(&title, argv, envp, text);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
