/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records row by row: tests/system/runlevel_reads.py. Here what a failing call leaves. */
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
#include "lib/sys.h"
#include "lib/utmpfile.h"
#include "records/runlevels.h"

static char dir[64];

static int place_begin(void **state)
{
	char path[128];

	(void)state;
	strcpy(dir, "/tmp/runlevels_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/var", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	strcat(path, "/run");
	assert_int_equal(mkdir(path, 0755), 0);
	fake_root(dir);
	return 0;
}

static int place_end(void **state)
{
	static const char *const names[] = { "/var/run/utmp", "/var/run/runlevel", "/var/run", "/var", "" };
	char path[128];

	(void)state;
	fault_clear();
	fake_root(NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

static void put(const char *name, const void *bytes, size_t len)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void a_level_is_what_init_records(void **state)
{
	(void)state;
	for (const char *c = "0123456789SsABCN"; *c; c++)
		assert_true(runlevels_is_level(*c));
	assert_false(runlevels_is_level(0));
	assert_false(runlevels_is_level(-1));
	assert_false(runlevels_is_level(255));
	assert_false(runlevels_is_level('#'));
}

static void only_what_can_be_a_level_is_taken_from_the_file(void **state)
{
	char level = '?';

	(void)state;
	assert_false(runlevels_in_file(&level));
	put("/var/run/runlevel", "", 0);
	assert_false(runlevels_in_file(&level));
	put("/var/run/runlevel", "\n0", 2);
	assert_false(runlevels_in_file(&level));
	assert_int_equal(level, '?');
	put("/var/run/runlevel", "0\n", 2);
	assert_true(runlevels_in_file(&level));
	assert_int_equal(level, '0');
}

static void a_failing_call_is_no_level_and_leaves_nothing_open(void **state)
{
	struct utmp_record record = { .type = UTMP_RUN_LVL, .pid = '6' + 256 * '2' };
	int before = fds_open(), nth = 0;
	bool found;

	(void)state;
	put("/var/run/utmp", &record, sizeof record);
	do {
		char previous = '?', present = '?';

		fault_arm(++nth, -EIO);
		found = runlevels_in_utmp("/var/run/utmp", &previous, &present);
		assert_int_equal(present, found ? '6' : '?');
		assert_int_equal(previous, found ? '2' : '?');
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(found);
	assert_true(nth > 3);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
	const struct CMUnitTest tests[] = {
		CASE(a_level_is_what_init_records),
		CASE(only_what_can_be_a_level_is_taken_from_the_file),
		CASE(a_failing_call_is_no_level_and_leaves_nothing_open),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
