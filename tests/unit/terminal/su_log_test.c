/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/su_log.h"

static char dir[64], path[128];

static int begin(void **state)
{
	FILE *file;

	(void)state;
	strcpy(dir, "/tmp/su_log.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/dev", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof path, "%s/dev/kmsg", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	fake_root(dir);
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	fault_clear();
	fake_root(NULL);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

static const char *kernel_has(void)
{
	static char text[1024];
	FILE *file = fopen(path, "r");
	size_t got;

	assert_non_null(file);
	got = fread(text, 1, sizeof text - 1, file);
	text[got] = '\0';
	fclose(file);
	return text;
}

/* connect(2) is no call by a path below the root: it is made to fail, so that the machine's syslog hears nothing. */
static void what_syslog_does_not_take_goes_to_the_kernel(void **state)
{
	(void)state;
	fault_name("connect", -ENOENT);
	su_log("wrong password on %s", "ttyS0");
	assert_string_equal(kernel_has(), "<86>sulogin: wrong password on ttyS0\n");
}

static void what_nobody_takes_is_lost_and_nothing_stays_open(void **state)
{
	int before = fds_open();

	(void)state;
	for (int nth = 1; nth <= 2; nth++) {            /* no socket; a socket that does not connect */
		fault_arm_always(nth, -EPERM);
		su_log("text");
		assert_true(fault_fired());
		assert_int_equal(fds_open(), before);
	}
	assert_string_equal(kernel_has(), "");
}

static void a_long_line_is_cut(void **state)
{
	static char text[5000];

	(void)state;
	memset(text, 't', sizeof text - 1);
	fault_name("connect", -ENOENT);
	su_log("%s", text);
	assert_true(strlen(kernel_has()) < 512);
	assert_int_equal(kernel_has()[strlen(kernel_has()) - 1], '\n');
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_syslog_does_not_take_goes_to_the_kernel),
		CASE(what_nobody_takes_is_lost_and_nothing_stays_open),
		CASE(a_long_line_is_cut),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
