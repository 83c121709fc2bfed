/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/reap.h"
#include "initlog/sink_records.h"
#include "lib/sys.h"

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

/* A fork that belongs to this entry. */
static pid_t run(struct init *in, const char *id)
{
	pid_t pid = sys_fork();

	family_set_running(&in->family, fake_entry(in, id), pid);
	return pid;
}

/* The next record for wtmp; kind 0: there is none. */
static struct record_event recorded(struct init *in)
{
	struct record_event event = { 0 };
	struct record record;

	if (queue_take(in->log.queue, SINK_WTMP, &record))
		return event;
	assert_int_equal(record.len_bytes, sizeof event);
	memcpy(&event, record.text, sizeof event);
	queue_done(in->log.queue, SINK_WTMP, &record);
	return event;
}

static void an_end_is_marked_once_with_what_it_ended_by(void **state)
{
	struct init *in = *state;
	struct entry *entry;
	pid_t a, b;

	fake_adopt(in, "a:2:once:x\nb:2:once:y\n");
	a = run(in, "a");
	b = run(in, "b");
	fake_end(b, CLD_KILLED, SIGTERM);
	fake_end(a, CLD_EXITED, 3);
	assert_false(chld_handler(in));
	entry = fake_entry(in, "a");
	assert_int_equal(entry->pid, 0);
	assert_int_equal(entry->wait_code, CLD_EXITED);
	assert_int_equal(entry->wait_status, 3);
	entry = fake_entry(in, "b");
	assert_int_equal(entry->pid, 0);
	assert_int_equal(entry->wait_code, CLD_KILLED);
	assert_int_equal(entry->wait_status, SIGTERM);
	assert_null(family_find_pid(&in->family, a));
	assert_int_equal(in->family.running, 0);
	assert_int_equal(in->orphans, 0);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 0);
}

static void an_end_is_recorded_unless_the_entry_has_a_plus(void **state)
{
	struct init *in = *state;
	struct record_event event;
	pid_t a, b;

	fake_adopt(in, "a:2:once:x\nb:2:once:y\nno:2:once:+z\n");
	a = run(in, "a");
	b = run(in, "b");
	fake_end(run(in, "no"), CLD_EXITED, 0);
	fake_end(a, CLD_EXITED, 7);
	fake_end(b, CLD_DUMPED, SIGSEGV);
	assert_false(chld_handler(in));
	event = recorded(in);
	assert_int_equal(event.kind, RECORD_END);
	assert_int_equal(event.pid, a);
	assert_memory_equal(event.id, "a\0\0", 4);
	event = recorded(in);
	assert_int_equal(event.pid, b);
	assert_int_equal(recorded(in).kind, 0);
}

static void a_batch_ends_after_1024_and_says_that_there_may_be_more(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "");
	for (int i = 0; i < 2500; i++)
		fake_end(sys_fork(), CLD_EXITED, 0);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, 1024);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, 2048);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 2500);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 2500);
}

static void living_children_end_the_batch(void **state)
{
	struct init *in = *state;
	pid_t pid;

	fake_adopt(in, "a:2:once:x\n");
	run(in, "a");
	pid = sys_fork();
	assert_false(chld_handler(in));
	fake_end(pid, CLD_EXITED, 0);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 1);
	assert_int_equal(in->family.running, 1);
}

static void unknown_pids_are_counted_as_orphans(void **state)
{
	struct init *in = *state;
	pid_t known;

	fake_adopt(in, "a:2:once:x\n");
	known = run(in, "a");
	fake_end(77, CLD_EXITED, 0);                    /* never forked by us: came to us when its parent ended */
	fake_end(INT32_MAX, CLD_KILLED, 9);
	fake_end(known, CLD_EXITED, 0);
	fake_end(known, CLD_EXITED, 0);                 /* a new process of the same number */
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 3);
	assert_int_equal(in->family.running, 0);
	assert_null(fake_said(in, SINK_SYSLOG));
}

/* fake/sys.c leaves ECHILD in errno beside each success: the kernel may, too. */
static void a_stale_errno_drops_no_status(void **state)
{
	struct init *in = *state;
	pid_t a;

	fake_adopt(in, "a:2:wait:x\n");
	a = run(in, "a");
	fake_entry(in, "a")->flags |= ENTRY_WAITING;
	family_seal(fake_entry(in, "a"));
	errno = ECHILD;
	fake_end(a, CLD_EXITED, 5);
	errno = ECHILD;
	assert_false(chld_handler(in));
	assert_int_equal(fake_entry(in, "a")->wait_status, 5);
	assert_false(fake_entry(in, "a")->flags & ENTRY_WAITING);
}

static void an_error_ends_the_batch_and_is_said(void **state)
{
	static const int errors[] = { -EINVAL, -EINTR, -ENOSYS };
	struct init *in = *state;

	fake_adopt(in, "");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		char text[80];

		fault_name("wait", errors[i]);
		assert_false(chld_handler(in));
		assert_true(fault_calls() < 10);                /* tried no more in this turn */
		(void)snprintf(text, sizeof text, "cannot wait for children: %s", strerror(-errors[i]));
		assert_string_equal(fake_said(in, SINK_CONSOLE), text);
		assert_null(fake_said(in, SINK_CONSOLE));
		fault_clear();
	}
	fault_name("wait", -ECHILD);
	assert_false(chld_handler(in));
	fault_clear();
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void an_error_in_the_middle_loses_nobody(void **state)
{
	struct init *in = *state;
	pid_t a, b;

	fake_adopt(in, "a:2:once:x\nb:2:once:x\n");
	a = run(in, "a");
	b = run(in, "b");
	fake_end(a, CLD_EXITED, 0);
	fake_end(b, CLD_EXITED, 0);
	fault_name_after("wait", 1, -EINVAL);
	assert_false(chld_handler(in));
	fault_clear();
	assert_int_equal(in->family.running, 1);
	assert_false(chld_handler(in));
	assert_int_equal(in->family.running, 0);
	assert_int_equal(in->orphans, 0);
}

static void helpers_and_jobs_are_no_orphans(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "");
	in->log.helper[SINK_SYSLOG].pid = sys_fork();
	in->job[JOB_DOOR].pid = sys_fork();
	fake_end(in->log.helper[SINK_SYSLOG].pid, CLD_KILLED, SIGKILL);
	fake_end(in->job[JOB_DOOR].pid, CLD_EXITED, 0);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 0);
	assert_int_equal(in->log.helper[SINK_SYSLOG].pid, 0);
	assert_int_equal(in->job[JOB_DOOR].pid, 0);
}

static void real_children_are_reaped_each_exactly_once(void **state)
{
	struct init *in = *state;
	enum { CHILDREN = 50 };
	int64_t deadline = 30 * 100;
	pid_t pid[CHILDREN];

	fake_adopt(in, "a:2:once:x\n");
	fake_processes(0);
	for (int i = 0; i < CHILDREN; i++) {
		pid[i] = sys_fork();
		assert_true(pid[i] >= 0);
		if (!pid[i])
			_exit(i);
	}
	family_set_running(&in->family, fake_entry(in, "a"), pid[CHILDREN - 1]);
	while (in->orphans < CHILDREN - 1 || in->family.running) {
		assert_false(chld_handler(in));
		usleep(10000);                          /* poll of a condition, up to a deadline */
		assert_true(deadline-- > 0);
	}
	assert_int_equal(in->orphans, CHILDREN - 1);
	assert_int_equal(fake_entry(in, "a")->wait_status, CHILDREN - 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- by number --- */

static int waits, reads;

static void count(const char *name)
{
	waits += !strcmp(name, "wait");
	reads += !strcmp(name, "pread");
}

/* So many orphans whose pids lie so far apart. How often is waited for them. */
static int waits_for(struct init *in, int orphans, int apart)
{
	uint64_t before = in->orphans;

	for (int i = 0; i < orphans; i++)
		fake_end(100000 + i * apart, CLD_EXITED, 0);
	waits = 0;
	fault_tell(count);
	assert_false(chld_handler(in));
	fault_tell(NULL);
	assert_int_equal(in->orphans - before, orphans);
	return waits;
}

/* Once in vain for the pid behind the run, and once for anybody. Others are not waited for in vain. */
static void where_few_live_two_pids_in_a_row_begin_a_run(void **state)
{
	struct init *in = *state;

	assert_int_equal(waits_for(in, 100, 1), 100 + 2);
	assert_int_equal(waits_for(in, 100, 2), 100 + 1);
	assert_int_equal(waits_for(in, 1, 1), 1 + 1);
	assert_int_equal(waits_for(in, REAP_BATCH - 2, 1), REAP_BATCH - 2 + 2);
}

static void where_few_live_an_entry_in_a_run_ends_as_anywhere(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "a:2:once:x\n");
	family_set_running(&in->family, &in->family.entry[0], 100050);
	for (int i = 0; i < REAP_BATCH + 50; i++)
		fake_end(100000 + i, CLD_EXITED, i == 50 ? 9 : 0);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, REAP_BATCH - 1);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, REAP_BATCH + 50 - 1);
	assert_int_equal(in->family.running, 0);
	assert_int_equal(in->family.entry[0].wait_status, 9);
}

/* --- in a crowd --- */

enum { CROWD = REAP_CROWD + 16, THOUSANDS = 2050, PAUSE_MS = 20 };

/* A process that does not end by itself. */
static pid_t somebody(void)
{
	pid_t pid = sys_fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);         /* it ends with the test, however that ends */
	for (;;)
		pause();
}

/* So many entries; what has these bytes takes the place of the kernel's list. */
static void crowd_of(struct init *in, int entries, const char *list, size_t len)
{
	static char lines[THOUSANDS * 24];
	size_t used = 0;
	int fd;

	for (int i = 0; i < entries; i++)
		used += (size_t)snprintf(lines + used, sizeof lines - used, "%d:2:once:x\n", i);
	fake_adopt(in, lines);
	for (int i = 0; i < entries; i++)
		family_set_running(&in->family, &in->family.entry[i], somebody());
	fd = sys_memfd("children", 1);
	assert_int_equal(write(fd, list, len), (ssize_t)len);
	reap_take_list(in, fd);
}

/* As many as make the kernel's list worth reading, and too few for a pause after a search. */
static void crowd(struct init *in, const char *list, size_t len)
{
	crowd_of(in, CROWD, list, len);
}

enum { STORM = 2500, APART = 64 };      /* pids that lie so far apart are no run */

/* A crowd, of which a list names the living and a storm to be; and the storm breaks loose. */
static void storm_in_crowd(struct init *in)
{
	static char list[40000];
	size_t used = 0;

	for (int i = 0; i < CROWD; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%d ", FAKE_FIRST_PID + i);
	for (int i = 0; i < STORM; i++) {
		used += (size_t)snprintf(list + used, sizeof list - used, "%d ", 100000 + i * APART);
		fake_end(100000 + i * APART, CLD_EXITED, 0);
	}
	crowd(in, list, used);
}

static void a_storm_in_a_crowd_keeps_to_its_batches(void **state)
{
	struct init *in = *state;

	storm_in_crowd(in);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, REAP_BATCH);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, 2 * REAP_BATCH);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, STORM);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, STORM);
	assert_int_equal(in->family.running, CROWD);
}

/* Until no search is due, either. */
static void reap_all(struct init *in)
{
	while (chld_handler(in) || !mono_is_never(in->reap_at))
		fake_clock_advance_ms(1);
}

/* What costs grows with who lives: a walk of the kernel's for each wait for anybody, and for each reading of the list. */
static void a_crowd_is_looked_through_for_orphans_alone_and_once(void **state)
{
	enum { DEAD = 2500 };
	struct init *in = *state;
	static char list[40000];
	size_t used = 0;

	for (int i = 0; i < DEAD; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%d ", 100000 + i * APART);
	crowd(in, list, used);
	fault_tell(count);
	waits = reads = 0;
	for (int i = 0; i < CROWD; i++)
		fake_end(FAKE_FIRST_PID + i, CLD_EXITED, 0);
	reap_all(in);
	assert_int_equal(waits, CROWD + 1);
	assert_int_equal(reads, 0);

	for (int i = 0; i < CROWD; i++)
		family_set_running(&in->family, &in->family.entry[i], FAKE_FIRST_PID + i);
	for (int i = 0; i < DEAD; i++)
		fake_end(100000 + i * APART, CLD_EXITED, 0);
	waits = 0;
	reap_all(in);
	fault_tell(NULL);
	assert_int_equal(in->orphans, DEAD);
	assert_in_range(waits, DEAD, DEAD + 4 + 2 * 8);        /* and behind each of the first two, in vain */
	assert_in_range(reads, used / 4096, used / 4096 + 2);
}

/* Two in three pids die: the others may be alive, or never were. */
static void a_run_of_orphans_is_found_by_number_and_the_list_is_not_read(void **state)
{
	struct init *in = *state;
	enum { DEAD = 900 };
	int died = 0;

	crowd(in, "x", 1);
	for (int i = 0; i < DEAD; i++)
		if (i % 3)
			died++, fake_end(100000 + i, CLD_EXITED, 0);
	fake_end(FAKE_FIRST_PID + 3, CLD_EXITED, 7);
	fault_tell(count);
	waits = reads = 0;
	while (chld_handler(in))
		;
	fault_tell(NULL);
	assert_int_equal(in->orphans, died);
	assert_int_equal(in->family.running, CROWD - 1);
	assert_in_range(waits, DEAD, DEAD + 20);
	assert_int_equal(reads, 0);
}

/* A search walks past the living. Who dies soon after one is found by the number that SIGCHLD gave, or else by the next. */
static void who_is_named_is_reaped_without_a_search(void **state)
{
	struct init *in = *state;
	struct mono search_at;

	crowd_of(in, THOUSANDS, "x", 1);
	assert_false(chld_handler(in));
	search_at = in->search_at;
	assert_int_equal(mono_left_ms(search_at, mono_now()), PAUSE_MS);

	fake_end(FAKE_FIRST_PID + 5, CLD_EXITED, 7);
	fake_end(200000, CLD_EXITED, 0);
	reap_died(in, FAKE_FIRST_PID + 5);
	assert_true(in->reap_has_more);
	fault_tell(count);
	waits = 0;
	assert_false(chld_handler(in));
	fault_tell(NULL);
	assert_int_equal(in->family.entry[5].wait_status, 7);
	assert_int_equal(in->family.running, THOUSANDS - 1);
	assert_int_equal(waits, 1 + 8);                         /* and behind it, in vain; none for anybody */
	assert_int_equal(in->orphans, 0);
	assert_int_equal(in->reap_at.ns, search_at.ns);

	fake_clock_advance_ms(PAUSE_MS - 1);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 0);
	fake_clock_advance_ms(1);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 1);
	assert_true(mono_is_never(in->reap_at));
}

/* One that goes on is not put off by who dies meanwhile, and one that was put off is not put off again. */
static void a_search_is_put_off_once(void **state)
{
	struct init *in = *state;
	enum { DEAD = REAP_BATCH + 100 };

	crowd_of(in, THOUSANDS, "x", 1);
	fake_end(FAKE_FIRST_PID + 5, CLD_EXITED, 0);
	fake_end(200000, CLD_EXITED, 0);
	reap_died(in, FAKE_FIRST_PID + 5);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 0);
	assert_int_equal(mono_left_ms(in->reap_at, mono_now()), PAUSE_MS);
	fake_clock_advance_ms(PAUSE_MS);
	fake_end(FAKE_FIRST_PID + 50, CLD_EXITED, 0);
	for (int i = 0; i < DEAD; i++)
		fake_end(300000 + i, CLD_EXITED, 0);
	reap_died(in, FAKE_FIRST_PID + 50);
	assert_true(chld_handler(in));
	assert_in_range(in->orphans, 1, REAP_BATCH);
	fake_end(FAKE_FIRST_PID + 90, CLD_EXITED, 0);
	reap_died(in, FAKE_FIRST_PID + 90);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, DEAD + 1);
	assert_int_equal(in->family.running, THOUSANDS - 3);
}

static void the_pause_is_half_a_second_at_most(void **state)
{
	struct init *in = *state;
	int32_t running;

	crowd(in, "x", 1);
	running = in->family.running;
	in->family.running = INT32_MAX;
	assert_false(chld_handler(in));
	assert_int_equal(mono_left_ms(in->search_at, mono_now()), 500);
	in->family.running = running;
}

static void a_wrong_name_loses_nobody(void **state)
{
	static const pid_t names[] = { 0, -1, 1, INT32_MIN, INT32_MAX, FAKE_FIRST_PID, 999999 };
	struct init *in = *state;

	crowd(in, "x", 1);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		fake_end(300000 + (pid_t)i * APART, CLD_EXITED, 0);
		reap_died(in, names[i]);
		reap_all(in);
		assert_int_equal(in->orphans, i + 1);
	}
	assert_int_equal(in->family.running, CROWD);
}

/* The pid that SIGCHLD names next is no better than where the last turn had to stop. */
static void a_run_that_a_turn_did_not_end_is_gone_on_with(void **state)
{
	struct init *in = *state;
	enum { DEAD = REAP_BATCH + 100 };

	crowd_of(in, THOUSANDS, "x", 1);
	assert_false(chld_handler(in));
	for (int i = 0; i < DEAD; i++)
		fake_end(100000 + i, CLD_EXITED, 0);
	reap_died(in, 100000);
	assert_true(chld_handler(in));
	assert_int_equal(in->orphans, REAP_BATCH);
	reap_died(in, 100000 + DEAD - 1);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, DEAD);
}

static void an_entry_in_a_run_of_orphans_ends_as_anywhere(void **state)
{
	struct init *in = *state;

	crowd(in, "x", 1);
	family_set_ended(&in->family, &in->family.entry[0], CLD_EXITED, 0);
	family_set_running(&in->family, &in->family.entry[0], 100050);
	for (int i = 0; i < 100; i++)
		fake_end(100000 + i, CLD_EXITED, i == 50 ? 9 : 0);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 99);
	assert_int_equal(in->family.running, CROWD - 1);
	assert_int_equal(in->family.entry[0].wait_status, 9);
}

static void a_run_ends_at_the_last_pid(void **state)
{
	struct init *in = *state;

	crowd(in, "x", 1);
	fake_end(INT32_MAX, CLD_EXITED, 0);
	assert_false(chld_handler(in));
	assert_int_equal(in->orphans, 1);
}

static void entries_end_in_a_crowd_as_anywhere(void **state)
{
	struct init *in = *state;
	static char list[CROWD * 8];
	size_t used = 0;

	for (int i = 0; i < CROWD; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%d ", FAKE_FIRST_PID + i);
	crowd(in, list, used);
	for (int i = 0; i < CROWD; i++)
		fake_end(FAKE_FIRST_PID + i, CLD_EXITED, i);
	while (chld_handler(in))
		;
	assert_int_equal(in->family.running, 0);
	assert_int_equal(in->orphans, 0);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(in->family.entry[i].wait_status, i);
}

static void a_list_of_whatever_bytes_loses_nobody(void **state)
{
	static const char *const lists[] = { "", " ", "   ", "x y z ", "1 2 3", "-1 0 -40000 ", "99999999999999999999 ",
		"40000", "40000 40000 40000 100000 100000 " };
	unsigned seed = 11;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct init *in = fake_init_begin();
		char bytes[8192];
		size_t len = sizeof bytes;

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = "0123456789 \0x"[(seed = seed * 1103515245u + 12345u) >> 16 & 11];
		if (round < (int)(sizeof lists / sizeof lists[0])) {
			len = strlen(lists[round]);
			memcpy(bytes, lists[round], len);
		}
		crowd(in, bytes, len);
		for (int i = 0; i < 50; i++)
			fake_end(100000 + i, CLD_EXITED, 0);
		fake_end(FAKE_FIRST_PID, CLD_EXITED, 7);
		assert_false(chld_handler(in));
		assert_int_equal(in->orphans, 50);
		assert_int_equal(in->family.running, CROWD - 1);
		fake_init_end(in);
	}
}

static void a_list_that_cannot_be_read_is_done_without(void **state)
{
	struct init *in = *state;

	crowd(in, "x", 1);
	for (int i = 0; i < 50; i++)
		fake_end(100000 + i, CLD_EXITED, 0);
	fault_name("pread", -EIO);
	assert_false(chld_handler(in));
	fault_clear();
	assert_int_equal(in->orphans, 50);
}

static void a_new_list_takes_the_place_of_the_old(void **state)
{
	struct init *in = *state;
	int before;

	crowd(in, "x", 1);
	before = fds_open();
	for (int i = 0; i < 3; i++)
		reap_take_list(in, sys_memfd("children", 1));
	assert_int_equal(fds_open(), before);
	reap_take_list(in, -1);
	assert_int_equal(in->children_fd, -1);
	assert_int_equal(fds_open(), before - 1);
}

static void a_real_storm_in_a_real_crowd_is_reaped_each_exactly_once(void **state)
{
	struct init *in = *state;
	enum { DEAD = 300 };
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		skip();                                 /* a kernel without CONFIG_PROC_CHILDREN */
	fake_processes(0);
	crowd(in, "", 0);
	reap_take_list(in, fd);
	for (int i = 0; i < DEAD; i++) {
		pid_t pid = sys_fork();

		assert_true(pid >= 0);
		if (!pid)
			_exit(0);
	}
	for (int64_t ticks = 3000; in->orphans < DEAD && ticks; ticks--) {
		reap_all(in);
		usleep(in->orphans < DEAD ? 10000 : 0);
	}
	assert_int_equal(in->orphans, DEAD);
	assert_int_equal(in->family.running, CROWD);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(kill(in->family.entry[i].pid, SIGKILL), 0);
	for (int64_t ticks = 3000; in->family.running && ticks; ticks--) {
		reap_all(in);
		usleep(in->family.running ? 10000 : 0);
	}
	assert_int_equal(in->family.running, 0);
	assert_int_equal(in->orphans, DEAD);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(an_end_is_marked_once_with_what_it_ended_by),
		CASE(an_end_is_recorded_unless_the_entry_has_a_plus),
		CASE(a_batch_ends_after_1024_and_says_that_there_may_be_more),
		CASE(living_children_end_the_batch),
		CASE(unknown_pids_are_counted_as_orphans),
		CASE(a_stale_errno_drops_no_status),
		CASE(an_error_ends_the_batch_and_is_said),
		CASE(an_error_in_the_middle_loses_nobody),
		CASE(helpers_and_jobs_are_no_orphans),
		CASE(where_few_live_two_pids_in_a_row_begin_a_run),
		CASE(where_few_live_an_entry_in_a_run_ends_as_anywhere),
		CASE(real_children_are_reaped_each_exactly_once),
		CASE(a_storm_in_a_crowd_keeps_to_its_batches),
		CASE(a_crowd_is_looked_through_for_orphans_alone_and_once),
		CASE(a_run_of_orphans_is_found_by_number_and_the_list_is_not_read),
		CASE(who_is_named_is_reaped_without_a_search),
		CASE(a_search_is_put_off_once),
		CASE(the_pause_is_half_a_second_at_most),
		CASE(a_wrong_name_loses_nobody),
		CASE(a_run_that_a_turn_did_not_end_is_gone_on_with),
		CASE(an_entry_in_a_run_of_orphans_ends_as_anywhere),
		CASE(a_run_ends_at_the_last_pid),
		CASE(entries_end_in_a_crowd_as_anywhere),
		cmocka_unit_test(a_list_of_whatever_bytes_loses_nobody),
		CASE(a_list_that_cannot_be_read_is_done_without),
		CASE(a_new_list_takes_the_place_of_the_old),
		CASE(a_real_storm_in_a_real_crowd_is_reaped_each_exactly_once),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
