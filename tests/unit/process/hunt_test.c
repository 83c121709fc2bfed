/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/proc.h"
#include "fake/sys.h"
#include "include/paths.h"
#include "lib/sys.h"
#include "process/hunt.h"

enum { EXITING = 0x4, KERNEL = 0x200000, SELF = 4000001, OWN_SESSION = 4000000 };

static struct hunt hunt;
static struct pidset omitted;
static const char *tree;

static int begin(void **state)
{
	(void)state;
	fault_clear();
	tree = fake_proc_begin();
	fake_processes(3999000);        /* the guard is the first of them, and does not exist either */
	fake_own_pid(SELF);
	fake_session(OWN_SESSION, 0);
	fake_clock_set(1000000000, 0);
	fake_proc_put(&(struct fake_process){ .pid = 1, .comm = "init" });
	fake_proc_put(&(struct fake_process){ .pid = 2, .comm = "kthreadd", .flags = KERNEL });
	fake_proc_put(&(struct fake_process){ .pid = 40, .comm = "mate", .session = OWN_SESSION });
	fake_proc_put(&(struct fake_process){ .pid = 50, .comm = "stopped", .state = 'T' });
	fake_proc_put(&(struct fake_process){ .pid = 51, .comm = "other", .state = 'T' });
	fake_proc_put(&(struct fake_process){ .pid = 60, .comm = "dead", .state = 'Z' });
	fake_proc_put(&(struct fake_process){ .pid = 61, .comm = "half dead", .state = 'Z', .threads = 2 });
	fake_proc_put(&(struct fake_process){ .pid = SELF, .comm = "killall5", .session = 1 });
	return pidset_begin(&omitted);
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	pidset_end(&omitted);
	fake_pidfds(false);
	fake_session(0, 0);
	fake_own_pid(0);
	fake_processes(0);
	fake_clock_set(-1, -1);
	fake_proc_end();
	return 0;
}

static int run(int signal)
{
	int count;

	assert_int_equal(hunt_begin(&hunt, tree, signal, &omitted), 0);
	/* The guard cannot say that it stands: without one it goes on, too. */
	fault_name("socketpair", -EMFILE);
	count = hunt_run(&hunt);
	fault_clear();
	hunt_end(&hunt);
	return count;
}

/* What was sent, the last so many of it in order, as "PID:SIGNAL ...". */
static const char *sent_of(int most)
{
	static char text[4096];
	const struct fake_kill *kills;
	int count = fake_kills(&kills);
	size_t len = 0;

	text[0] = '\0';
	for (int i = count > most ? count - most : 0; i < count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%d:%d ", kills[i].pid, kills[i].signal);
	return text;
}

static const char *sent(void)
{
	return sent_of(INT_MAX);
}

static void all_stop_at_once_and_go_on_when_each_has_its_signal(void **state)
{
	(void)state;
	assert_int_equal(run(SIGTERM), 3);
	assert_string_equal(sent(), "-1:19 50:15 51:15 61:15 -1:18 ");
}

/* What waits for everybody to be gone would wait for ever for those that shed the signal. */
static void helpers_of_process_1_are_neither_signalled_nor_counted(void **state)
{
	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 1, .comm = "init", .exe = "/sbin/init" });
	fake_proc_put(&(struct fake_process){ .pid = 55, .comm = HELPER_COMM, .exe = "/sbin/init" });
	assert_int_equal(run(SIGTERM), 3);
	assert_string_equal(sent(), "-1:19 50:15 51:15 61:15 -1:18 ");
	pidset_add(&omitted, 51);
	assert_int_equal(run(SIGTERM), 2);
	assert_null(strstr(strcpy((char[4096]){ 0 }, sent()), " 55:"));
}

static void descriptors_of_processes_are_used_where_they_are(void **state)
{
	int before = fds_open();

	(void)state;
	fake_pidfds(true);
	fault_name("kill", -EPERM);
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	assert_int_equal(hunt_run(&hunt), 3);
	fault_clear();
	hunt_end(&hunt);
	assert_string_equal(sent(), "50:15 51:15 61:15 ");
	assert_int_equal(fds_open(), before);
}

static void with_a_list_each_is_stopped_and_those_on_it_get_nothing(void **state)
{
	(void)state;
	pidset_add(&omitted, 51);
	assert_int_equal(run(SIGKILL), 2);
	assert_null(strstr(strcpy((char[4096]){ 0 }, sent()), "51:"));
	assert_int_equal(run(SIGKILL), 2);
	assert_non_null(strstr(sent(), "50:9 61:9 50:18 61:18 "));
}

static void a_session_tells_enough_at_first_sight(void **state)
{
	const char *found;

	(void)state;
	fake_session(OWN_SESSION, 77);
	pidset_add(&omitted, 2);        /* whose session is 0 in truth */
	fake_proc_put(&(struct fake_process){ .pid = 40, .state = 'T', .session = 77 });
	assert_int_equal(run(SIGTERM), 4);
	found = sent();
	assert_non_null(strstr(found, "50:19 "));
	assert_non_null(strstr(found, "60:19 "));       /* the zombie, at first sight; no more than that */
	assert_null(strstr(found, "60:15 "));
	assert_non_null(strstr(found, "50:15 "));
}

static int times(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)); text++)
		count++;
	return count;
}

/* Before all others, since only that keeps it from ending a fork; and once. */
static void one_that_sleeps_uninterruptibly_is_told_once_and_has_its_signal_at_once(void **state)
{
	const char *found;

	(void)state;
	for (int list = 0; list < 2; list++) {
		if (list)
			pidset_add(&omitted, 51);
		fake_proc_put(&(struct fake_process){ .pid = 70, .state = 'D' });
		assert_int_equal(run(SIGTERM), list ? 3 : 4);
		found = sent();
		assert_int_equal(times(found, "70:19 "), 1);
		assert_int_equal(times(found, "70:15 "), 1);
		assert_true(strstr(found, " 70:15 ") < strstr(found, " 50:15 "));
	}
}

/* Which would take its stop back. */
static void one_that_sleeps_has_its_sigcont_with_all_others(void **state)
{
	const char *found;

	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 70, .state = 'D' });
	assert_int_equal(run(SIGCONT), 4);
	found = sent();
	assert_true(strstr(found, " 50:18 ") < strstr(found, " 70:18 "));
}

/* Of one that is on its way out no stop is seen any more. */
static void one_that_ends_is_not_waited_for(void **state)
{
	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 70, .state = 'R', .flags = EXITING });
	assert_int_equal(run(SIGKILL), 4);
	assert_int_equal(times(sent(), "70:9 "), 1);
}

static void put_thread(pid_t pid, pid_t thread, char state)
{
	char name[64], text[256];

	(void)snprintf(name, sizeof name, "%d/task", pid);
	fake_proc_folder(name);
	(void)snprintf(name, sizeof name, "%d/task/%d", pid, thread);
	fake_proc_folder(name);
	(void)snprintf(name, sizeof name, "%d/task/%d/stat", pid, thread);
	(void)snprintf(text, sizeof text, "%d (thread) %c 1 1 %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 4711 0 0 0 0 0\n", thread, state, pid);
	fake_proc_write(name, text, strlen(text));
}

/* The first may be stopped while another is inside of fork(2). */
static void all_threads_of_a_process_must_stand(void **state)
{
	int before = fds_open();

	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 71, .state = 'T', .threads = 2 });
	put_thread(71, 71, 'T');
	put_thread(71, 72, 'D');
	assert_int_equal(run(SIGTERM), 4);
	assert_true(strstr(strcpy((char[4096]){ 0 }, sent()), " 71:15 50:15 ") != NULL);
	put_thread(71, 72, 't');
	assert_int_equal(run(SIGTERM), 4);
	assert_non_null(strstr(sent(), " 61:15 71:15 "));
	assert_int_equal(fds_open(), before);
}

/* Calls that a run makes. */
static int calls_with(const char *births, const char *next)
{
	int before;

	fake_proc_write("loadavg", births, strlen(births));
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	assert_true(hunt.births >= 0);
	fault_name("socketpair", -EMFILE);
	fake_proc_write("loadavg", next, strlen(next));
	before = fault_calls();
	assert_int_equal(hunt_run(&hunt), 3);
	before = fault_calls() - before;
	fault_clear();
	hunt_end(&hunt);
	(void)sent();
	return before;
}

/* The number that moved between opening and the first look costs nothing: the first round begins after it. */
static void two_calm_rounds_end_it_and_without_the_last_number_there_are_more(void **state)
{
	int seeing, blind;

	(void)state;
	seeing = calls_with("0.00 0.01 0.05 1/99 4711\n", "0.00 0.01 0.05 1/99 4712\n");
	fake_proc_remove("loadavg");
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	assert_int_equal(hunt.births, -1);
	fault_name("socketpair", -EMFILE);
	blind = fault_calls();
	assert_int_equal(hunt_run(&hunt), 3);
	blind = fault_calls() - blind;
	fault_clear();
	hunt_end(&hunt);
	assert_true(blind > seeing);
}

static void what_cannot_be_read_is_decided_by_its_session(void **state)
{
	(void)state;
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	fake_session(OWN_SESSION, 77);
	fault_name("openat", -EMFILE);
	assert_true(hunt_run(&hunt) >= 3);
	fault_clear();
	hunt_end(&hunt);
	assert_non_null(strstr(sent(), "50:15 "));
	fake_session(OWN_SESSION, OWN_SESSION);
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	fault_name("openat", -EMFILE);
	assert_int_equal(hunt_run(&hunt), 0);
	fault_clear();
	hunt_end(&hunt);
	assert_string_equal(sent(), "3999001:9 -1:19 -1:18 ");
}

static void a_list_that_ends_early_is_an_error_and_all_go_on(void **state)
{
	(void)state;
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	fault_name("getdents", -EIO);
	assert_int_equal(hunt_run(&hunt), -EIO);
	fault_clear();
	hunt_end(&hunt);
	assert_non_null(strstr(sent(), "-1:18 "));
}

static void nobody_is_stopped_when_it_cannot_begin(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		fault_arm(++nth, -EIO);
		if (!hunt_begin(&hunt, tree, SIGTERM, &omitted))
			hunt_end(&hunt);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_string_equal(sent(), "");
}

static void the_chase_has_its_bound(void **state)
{
	(void)state;
	/* Never stops, as one that spins in the kernel: the clock, which each pause moves on, ends it. */
	fake_proc_put(&(struct fake_process){ .pid = 80, .state = 'R' });
	assert_int_equal(run(SIGTERM), 4);
	assert_non_null(strstr(sent_of(16), "50:15 51:15 61:15 80:15 -1:18 "));
}

static void a_round_is_calm_when_all_stand_and_no_number_was_handed_out(void **state)
{
	static const struct {
		int calm, expected;
		struct hunt_round round;
	} rows[] = {
		{ 0, 1, { 0, 0, 7, 7 } }, { 1, 2, { 0, 0, 7, 7 } }, { 0, 1, { 5, 0, 7, 7 } }, { 1, 1, { 5, 0, 7, 7 } },
		{ 1, 0, { 0, 1, 7, 7 } }, { 1, 0, { 0, 0, 7, 8 } }, { 1, 0, { 0, 0, 32767, 300 } }, { 3, 4, { 0, 0, -1, -1 } },
		{ 1, 0, { 1, 1, 7, 7 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(hunt_calm_after(rows[i].calm, &rows[i].round), rows[i].expected);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(all_stop_at_once_and_go_on_when_each_has_its_signal),
		CASE(helpers_of_process_1_are_neither_signalled_nor_counted),
		CASE(descriptors_of_processes_are_used_where_they_are),
		CASE(with_a_list_each_is_stopped_and_those_on_it_get_nothing),
		CASE(a_session_tells_enough_at_first_sight),
		CASE(one_that_sleeps_uninterruptibly_is_told_once_and_has_its_signal_at_once),
		CASE(one_that_sleeps_has_its_sigcont_with_all_others),
		CASE(one_that_ends_is_not_waited_for),
		CASE(all_threads_of_a_process_must_stand),
		CASE(two_calm_rounds_end_it_and_without_the_last_number_there_are_more),
		CASE(what_cannot_be_read_is_decided_by_its_session),
		CASE(a_list_that_ends_early_is_an_error_and_all_go_on),
		CASE(nobody_is_stopped_when_it_cannot_begin),
		CASE(the_chase_has_its_bound),
		CASE(a_round_is_calm_when_all_stand_and_no_number_was_handed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
