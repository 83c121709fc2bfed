/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
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
#include "lib/sys.h"
#include "process/hunt.h"

enum { KERNEL = 0x200000, SELF = 4000001, OWN_SESSION = 4000000 };

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

/* What was sent, in order, as "PID:SIGNAL ...". */
static const char *sent(void)
{
	static char text[4096];
	const struct fake_kill *kills;
	int count = fake_kills(&kills);
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < count && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%d:%d ", kills[i].pid, kills[i].signal);
	return text;
}

static void all_stop_at_once_and_go_on_when_each_has_its_signal(void **state)
{
	(void)state;
	assert_int_equal(run(SIGTERM), 3);
	assert_string_equal(sent(), "-1:19 50:15 51:15 61:15 -1:18 ");
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
	fake_proc_remove("40/stat");
	assert_int_equal(run(SIGTERM), 3);
	found = sent();
	assert_non_null(strstr(found, "50:19 "));
	assert_non_null(strstr(found, "60:19 "));       /* the zombie, at first sight; no more than that */
	assert_null(strstr(found, "60:15 "));
	assert_non_null(strstr(found, "50:15 "));
}

static void one_that_sleeps_uninterruptibly_is_told_once_and_not_waited_for(void **state)
{
	const char *found;

	(void)state;
	pidset_add(&omitted, 51);
	fake_proc_put(&(struct fake_process){ .pid = 70, .state = 'D' });
	assert_int_equal(run(SIGTERM), 3);
	found = sent();
	assert_non_null(strstr(found, "70:19 "));
	assert_non_null(strstr(found, "70:15 "));
	assert_null(strstr(strstr(found, "70:19 ") + 1, "70:19 "));
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
	/* Never stops, as one that spins in the kernel: the clock, which each look moves on, ends it. */
	fake_proc_put(&(struct fake_process){ .pid = 80, .state = 'R' });
	fake_clock_set(-1, -1);
	fault_name("sigmask", -EIO);
	fault_clear();
	assert_int_equal(hunt_begin(&hunt, tree, SIGTERM, &omitted), 0);
	fault_name("socketpair", -EMFILE);
	assert_int_equal(hunt_run(&hunt), 4);
	fault_clear();
	hunt_end(&hunt);
	assert_string_equal(sent(), "-1:19 50:15 51:15 61:15 80:15 -1:18 ");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(all_stop_at_once_and_go_on_when_each_has_its_signal),
		CASE(descriptors_of_processes_are_used_where_they_are),
		CASE(with_a_list_each_is_stopped_and_those_on_it_get_nothing),
		CASE(a_session_tells_enough_at_first_sight),
		CASE(one_that_sleeps_uninterruptibly_is_told_once_and_not_waited_for),
		CASE(what_cannot_be_read_is_decided_by_its_session),
		CASE(a_list_that_ends_early_is_an_error_and_all_go_on),
		CASE(nobody_is_stopped_when_it_cannot_begin),
		CASE(the_chase_has_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
