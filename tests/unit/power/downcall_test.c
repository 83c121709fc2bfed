/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "lib/sys.h"
#include "power/downcall.h"

enum { CAD_ON = (int)0x89abcdefu, CAD_OFF = 0, HALT = (int)0xcdef0123u, POWER_OFF = 0x4321fedc, RESTART = 0x01234567,
	KEXEC = 0x45584543, RESTART2 = (int)0xa1b2c3d4u };

/* calls: as reboot(2) sees them, up to a 1. */
static const struct row {
	struct downcall what;
	bool stops_init;
	int calls[6];
} rows[] = {
	{ { DOWNCALL_HALT, false, NULL }, true, { CAD_ON, HALT, CAD_OFF, 1 } },
	{ { DOWNCALL_POWEROFF, false, NULL }, true, { CAD_ON, POWER_OFF, HALT, CAD_OFF, 1 } },
	{ { DOWNCALL_REBOOT, false, NULL }, false, { RESTART, CAD_OFF, 1 } },
	{ { DOWNCALL_REBOOT, true, NULL }, false, { KEXEC, RESTART, CAD_OFF, 1 } },
	{ { DOWNCALL_REBOOT, false, "recovery" }, false, { RESTART2, RESTART, CAD_OFF, 1 } },
	{ { DOWNCALL_REBOOT, true, "recovery" }, false, { KEXEC, RESTART2, RESTART, CAD_OFF, 1 } },
};

static void each_act_has_its_calls_in_order(void **state)
{
	const struct fake_kill *kills;
	const int *calls;

	(void)state;
	fake_processes(1000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int count, sent;

		assert_int_equal(downcall_make("test", &rows[i].what), 0);
		count = fake_reboot_calls(&calls);
		for (int call = 0; call < count; call++)
			assert_int_equal(calls[call], rows[i].calls[call]);
		assert_int_equal(rows[i].calls[count], 1);
		sent = fake_kills(&kills);
		assert_int_equal(sent, rows[i].stops_init ? 2 : 1);
		assert_true(!rows[i].stops_init || (kills[0].pid == 1 && kills[0].signal == SIGTSTP));
		assert_true(kills[sent - 1].pid == 1 && kills[sent - 1].signal == SIGCONT);
	}
}

static int status;

static void make(void *arg)
{
	status = downcall_make("test", arg);
}

static void a_refusal_is_told_and_undone(void **state)
{
	struct downcall what = { .act = DOWNCALL_POWEROFF };
	const struct fake_kill *kills;

	(void)state;
	fake_processes(1000);
	fault_name("reboot", -EPERM);
	assert_string_equal(tree_said(2, make, &what),
		"test: power is not switched off, halting: Operation not permitted\n"
		"test: the kernel refuses to end the system: Operation not permitted\n");
	assert_int_equal(status, -EPERM);
	assert_int_equal(fake_kills(&kills), 2);
	assert_int_equal(kills[1].signal, SIGCONT);
}

static void sync_is_done_in_a_child(void **state)
{
	(void)state;
	fake_processes(0);
	fake_no_pauses();
	downcall_sync("test");
	assert_int_equal(fake_syncs(), 0);
	fault_name("fork", -EAGAIN);
	downcall_sync("test");
	assert_int_equal(fake_syncs(), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(each_act_has_its_calls_in_order),
		CASE(a_refusal_is_told_and_undone),
		CASE(sync_is_done_in_a_child),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
