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
#include "power/nics.h"

static const struct row {
	const char *mounts, *swaps;
	bool remote;
} rows[] = {
	{ "/dev/sda1 / ext4 rw 0 0\n", "Filename Type\n/dev/sda2 partition 1 0 -2\n", false },
	{ "server:/root / nfs rw 0 0\nproc /proc proc rw 0 0\n", "", true },
	{ "server:/root / nfs4 rw 0 0\n", "", true },
	{ "/dev/nbd0 / ext4 rw 0 0\n", "", true },
	{ "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs rw 0 0\n", "", false },
	{ "rootfs / rootfs rw 0 0\nserver:/root / nfs rw 0 0\n", "", true },    /* the last one at a place counts */
	{ "server:/root / nfs rw 0 0\n/dev/sda1 / ext4 rw 0 0\n", "", false },
	{ "/dev/sda1 / ext4 rw 0 0\n", "Filename Type\n/dev/nbd1 partition 1 0 -2\n", true },
	{ "", "", false },
	{ "\n\n/\n/ /\n", "\n", false },
};

static void the_network_carries_root_when_its_file_system_or_swap_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		tree_put("/proc/mounts", rows[i].mounts);
		tree_put("/proc/swaps", rows[i].swaps);
		if (nics_carry_root() != rows[i].remote)
			fail_msg("row %zu", i);
	}
}

static void down(void *arg)
{
	nics_down(arg);
}

static char name[] = "test";

static void interfaces_under_the_root_stay_up(void **state)
{
	(void)state;
	tree_put("/proc/mounts", "server:/root / nfs rw 0 0\n");
	fault_name("fork", -EAGAIN);
	assert_string_equal(tree_said(2, down, name),
		"test: the root file system or swap needs the network: interfaces stay up\n");
	assert_false(fault_fired());
}

/* No interface of this machine is touched: the call for one fails. */
static void each_failing_interface_is_told(void **state)
{
	const char *said;

	(void)state;
	tree_put("/proc/mounts", "/dev/sda1 / ext4 rw 0 0\n");
	fault_name("if_get_flags", -EPERM);
	said = tree_said(2, down, name);
	assert_non_null(strstr(said, "test: lo: Operation not permitted\n"));
	fault_name("socket", -EAFNOSUPPORT);
	assert_string_equal(tree_said(2, down, name),
		"test: network interfaces: Address family not supported by protocol\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(the_network_carries_root_when_its_file_system_or_swap_says_so),
		CASE(interfaces_under_the_root_stay_up),
		CASE(each_failing_interface_is_told),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
