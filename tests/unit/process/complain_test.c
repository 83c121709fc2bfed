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

#include "fake/sys.h"
#include "process/complain.h"

static void a_complaint_comes_on_standard_error_under_the_name(void **state)
{
	char text[64] = "";
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);

	(void)state;
	fault_clear();
	assert_non_null(file);
	assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	fault_name("socket", -EMFILE);          /* nothing for this machine's syslog */
	complain("pidof", "a text");
	fault_clear();
	fflush(stderr);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	assert_true(pread(fileno(file), text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "pidof: a text\n");
	fclose(file);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_complaint_comes_on_standard_error_under_the_name) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
