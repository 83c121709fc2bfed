/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/ttylist.h"

static void load(struct ttylist *list, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/tmp/ttylist_test.%d", (int)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	memset(list, 0xa5, sizeof *list);
	ttylist_load(list, path);
	unlink(path);
}

static void terminals_of_the_kernels_list_are_known(void **state)
{
	struct ttylist list;

	(void)state;
	load(&list,
		"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
		"/dev/console         /dev/console    5       1 system:console\n"
		"/dev/ptmx            /dev/ptmx       5       2 system\n"
		"/dev/vc/0            /dev/vc/0       4       0 system:vtmaster\n"
		"hvc                  /dev/hvc      229 0-7 system\n"
		"serial               /dev/ttyS       4 64-111 serial\n"
		"acm                  /dev/ttyACM   166 0-255 serial\n"
		"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
		"pty_master           /dev/ptm      128 0-1048575 pty:master\n"
		"unknown              /dev/tty        4 1-63 console\n");
	assert_true(ttylist_has(&list, makedev(4, 0)));
	assert_true(ttylist_has(&list, makedev(4, 63)));
	assert_true(ttylist_has(&list, makedev(4, 64)));
	assert_true(ttylist_has(&list, makedev(4, 111)));
	assert_false(ttylist_has(&list, makedev(4, 112)));
	assert_false(ttylist_has(&list, makedev(5, 0)));
	assert_true(ttylist_has(&list, makedev(5, 1)));
	assert_false(ttylist_has(&list, makedev(5, 2)));
	assert_true(ttylist_has(&list, makedev(229, 3)));
	assert_true(ttylist_has(&list, makedev(166, 255)));
	assert_false(ttylist_has(&list, makedev(166, 256)));
	assert_true(ttylist_has(&list, makedev(136, 1048575)));
	assert_false(ttylist_has(&list, makedev(128, 0)));
	assert_false(ttylist_has(&list, makedev(1, 3)));
	assert_false(ttylist_has(&list, makedev(10, 130)));     /* a watchdog */
	assert_false(ttylist_has(&list, makedev(9, 0)));        /* a tape */
}

static void knows_the_usual_ones(const struct ttylist *list)
{
	assert_true(ttylist_has(list, makedev(136, 12)));
	assert_true(ttylist_has(list, makedev(4, 1)));
	assert_true(ttylist_has(list, makedev(5, 1)));
	assert_false(ttylist_has(list, makedev(5, 0)));
	assert_false(ttylist_has(list, makedev(1, 3)));
}

static void without_a_list_the_usual_ones_are_known(void **state)
{
	struct ttylist list;

	(void)state;
	ttylist_load(&list, "/tmp/no such file");
	knows_the_usual_ones(&list);
	load(&list, "");
	knows_the_usual_ones(&list);
	load(&list, "x\nx y\nx y z\nx y 4 z serial\nx y 4 5\nx y 4 5- serial\n\n");
	knows_the_usual_ones(&list);
}

static void more_drivers_than_there_is_room_for_do_no_harm(void **state)
{
	char text[8192] = "";
	struct ttylist list;

	(void)state;
	for (unsigned i = 0; i < 2 * TTYLIST_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "d /dev/d %u 0 serial\n", 200 + i);
	load(&list, text);
	assert_int_equal(list.count, TTYLIST_MAX);
	assert_true(ttylist_has(&list, makedev(200 + TTYLIST_MAX - 1, 0)));
	assert_false(ttylist_has(&list, makedev(200 + TTYLIST_MAX, 0)));
}

static void this_kernel_names_pseudo_terminals(void **state)
{
	struct ttylist list;

	(void)state;
	ttylist_load(&list, "/proc/tty/drivers");
	assert_true(ttylist_has(&list, makedev(136, 0)));
	assert_false(ttylist_has(&list, makedev(1, 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminals_of_the_kernels_list_are_known),
		cmocka_unit_test(without_a_list_the_usual_ones_are_known),
		cmocka_unit_test(more_drivers_than_there_is_room_for_do_no_harm),
		cmocka_unit_test(this_kernel_names_pseudo_terminals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
