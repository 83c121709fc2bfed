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
#include "lib/utmpfile.h"
#include "power/nowlevel.h"

static void set_witnesses(char utmp, char file, char title)
{
	const struct utmp_record record = { .type = UTMP_RUN_LVL, .pid = utmp + 256 * 'N' };
	const char text[] = { file, '\0' }, name[] = { 'i', 'n', 'i', 't', ' ', '[', title, ']', ' ', '\0' };

	tree_put_bytes("/var/run/utmp", &record, utmp ? sizeof record : 0);
	tree_put("/var/run/runlevel", text);
	tree_put_bytes("/proc/1/cmdline", name, title ? sizeof name : 0);
}

/* 0: not there. */
static const struct row {
	const char *version, *runlevel;
	char utmp, file, title;
	int found;
} rows[] = {
	{ NULL, NULL, 0, 0, 0, 0 },
	{ NULL, NULL, '2', '3', 0, '2' },
	{ NULL, NULL, 0, '0', 0, '0' },         /* no utmp, as with musl: not what lies in memory beside it */
	{ NULL, NULL, 0, '6', '2', '6' },
	{ "x", "0", 0, 0, 0, '0' },             /* nobody else says anything */
	{ "x", "0", '0', '2', '2', '0' },
	{ "x", "0", '2', '0', '2', '0' },
	{ "x", "6", '2', '2', '6', '6' },       /* records that a lock kept from being written */
	{ "x", "0", '2', 0, 0, '2' },           /* a variable that is left from somewhere */
	{ "x", "0", 0, '3', 0, '3' },
	{ "x", "6", '2', '2', '2', '2' },
	{ NULL, "0", '2', 0, 0, '2' },
	{ "x", NULL, '2', 0, 0, '2' },
	{ "x", "06", 0, 0, 0, 0 },              /* one character, and a level */
	{ "x", "", 0, 0, 0, 0 },
	{ "x", "z", 0, 0, 0, 0 },
};

static void the_variables_count_when_a_witness_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		set_witnesses(rows[i].utmp, rows[i].file, rows[i].title);
		if (nowlevel_find(rows[i].version, rows[i].runlevel) != rows[i].found)
			fail_msg("row %zu", i);
	}
}

static void a_title_that_tells_no_level_is_no_witness(void **state)
{
	static const char *const titles[] = { "init", "init []", "init [", "init [06]", "init [#]", "" };

	(void)state;
	set_witnesses('2', 0, 0);
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
		tree_put("/proc/1/cmdline", titles[i]);
		assert_int_equal(nowlevel_find("x", "0"), '2');
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(the_variables_count_when_a_witness_agrees),
		CASE(a_title_that_tells_no_level_is_no_witness),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
