/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
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

/* What complain() writes to standard error, and how often it asks for a socket. */
static int said(char *text, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO), asked;
	ssize_t len;

	assert_non_null(file);
	assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	fault_name("socket", -EMFILE);          /* nothing for this machine's syslog */
	complain("pidof", "a text");
	asked = fault_fired();
	fflush(stderr);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	len = pread(fileno(file), text, size - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	fclose(file);
	close(kept);
	return asked;
}

static void a_complaint_comes_on_standard_error_and_without_a_terminal_to_syslog(void **state)
{
	char text[64];
	int kept = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY), terminal = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_true(null >= 0 && terminal >= 0);
	assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	assert_true(said(text, sizeof text));
	assert_string_equal(text, "pidof: a text\n");
	assert_int_equal(dup2(terminal, STDIN_FILENO), STDIN_FILENO);
	assert_false(said(text, sizeof text));
	assert_string_equal(text, "pidof: a text\n");
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	close(null);
	close(terminal);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_complaint_comes_on_standard_error_and_without_a_terminal_to_syslog) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
