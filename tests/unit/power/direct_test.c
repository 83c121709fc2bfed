/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include <sys/mman.h>

#include "include/paths.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"
#include "power/direct.h"

enum { MAX = 32 };

/* What a child did, which closes its descriptors. */
static struct trace {
	int status, kills, reboots, syncs;
	struct fake_kill kill[MAX];
	int reboot[MAX];
} *trace;

static int refuse_fork(const char *name)
{
	return strcmp(name, "fork") ? 0 : -EPERM;
}

static int refuse_fork_and_reboot(const char *name)
{
	return strcmp(name, "reboot") ? refuse_fork(name) : -EPERM;
}

static int refuse_kill(const char *name)
{
	return strcmp(name, "kill") ? 0 : -EPERM;
}

/* No signal leaves this test and no program is executed: the kills are noted, forks refused. */
static void go(const struct order *order, int (*refuse)(const char *name))
{
	const struct fake_kill *kills;
	const int *reboots;
	pid_t pid;

	trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(trace, MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 2);
		fake_processes(1000);
		fault_draw(refuse);
		trace->status = direct_go(order);
		trace->kills = fake_kills(&kills);
		memcpy(trace->kill, kills, sizeof trace->kill);
		trace->syncs = fake_syncs();
		trace->reboots = fake_reboot_calls(&reboots);
		memcpy(trace->reboot, reboots, sizeof trace->reboot);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_kill(int at, pid_t pid, int signal)
{
	assert_int_equal(trace->kill[at].pid, pid);
	assert_int_equal(trace->kill[at].signal, signal);
}

static void processes_go_before_the_record_and_the_power(void **state)
{
	static const struct {
		char level;
		enum order_halt halt;
		int calls[5];
	} rows[] = {
		{ '0', ORDER_HALT_UNSAID, { (int)0x89abcdefu, (int)0xcdef0123u, 0, 1 } },
		{ '0', ORDER_HALT_HALT, { (int)0x89abcdefu, (int)0xcdef0123u, 0, 1 } },
		{ '0', ORDER_HALT_POWEROFF, { (int)0x89abcdefu, 0x4321fedc, (int)0xcdef0123u, 0, 1 } },
		{ '6', ORDER_HALT_UNSAID, { 0x01234567, 0, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct order order = { .level = rows[i].level, .halt = rows[i].halt, .stop_s = 0 };
		int calls = 0;

		tree_put(WTMP_PATH, "");
		go(&order, refuse_fork);
		assert_int_equal(trace->status, 0);
		assert_kill(0, 1, SIGTSTP);
		assert_kill(1, -1, SIGTERM);
		assert_kill(2, -1, SIGKILL);
		assert_kill(trace->kills - 1, 1, SIGCONT);
		assert_int_equal(trace->syncs, 2);
		while (rows[i].calls[calls] != 1)
			calls++;
		assert_int_equal(trace->reboots, calls);
		assert_memory_equal(trace->reboot, rows[i].calls, (size_t)calls * sizeof(int));
		assert_int_equal(memcmp(tree_get(WTMP_PATH), "\1", 1), 0);
	}
}

static void an_init_that_cannot_be_stopped_ends_it_there(void **state)
{
	struct order order = { .level = '6' };

	(void)state;
	go(&order, refuse_kill);
	assert_int_equal(trace->status, 1);
	assert_int_equal(trace->kills, 0);
	assert_int_equal(trace->reboots, 0);
}

static void a_kernel_that_refuses_is_an_error_and_init_goes_on(void **state)
{
	static const struct order orders[] = { { .level = '0' }, { .level = '0', .halt = ORDER_HALT_POWEROFF }, { .level = '6' } };

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		go(&orders[i], refuse_fork_and_reboot);
		assert_int_equal(trace->status, 1);
		assert_kill(0, 1, SIGTSTP);
		assert_kill(trace->kills - 1, 1, SIGCONT);
	}
}

static void say(void *text)
{
	direct_say(text);
}

static char text[] = "some words\n";

static void what_is_said_waits_for_nobody(void **state)
{
	static char filler[65536];
	int fds[2], saved = dup(2);

	(void)state;
	assert_string_equal(tree_said(2, say, text), text);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	while (write(fds[1], filler, sizeof filler) > 0)
		;
	while (write(fds[1], filler, 1) > 0)
		;
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	dup2(fds[1], 2);
	direct_say(text);               /* would never come back */
	dup2(saved, 2);
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(processes_go_before_the_record_and_the_power),
		CASE(an_init_that_cannot_be_stopped_ends_it_there),
		CASE(a_kernel_that_refuses_is_an_error_and_init_goes_on),
		CASE(what_is_said_waits_for_nobody),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
