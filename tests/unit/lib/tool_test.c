/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/tool.h"

static const char *named(const char *argv0)
{
	char text[64], *argv[] = { text, NULL };
	static char copy[64];

	snprintf(text, sizeof text, "%s", argv0);
	snprintf(copy, sizeof copy, "%s", tool_name(argv, "fallback"));
	return copy;
}

static void the_name_is_the_last_part_without_the_dash(void **state)
{
	char *none[] = { NULL };

	(void)state;
	assert_string_equal(named("halt"), "halt");
	assert_string_equal(named("/sbin/halt"), "halt");
	assert_string_equal(named("-halt"), "halt");
	assert_string_equal(named("/sbin/-halt"), "halt");
	assert_string_equal(named(""), "fallback");
	assert_string_equal(named("/sbin/"), "fallback");
	assert_string_equal(named("-"), "fallback");
	assert_string_equal(tool_name(none, "fallback"), "fallback");
}

/* What a function writes to this descriptor. */
static const char *written_to(int target, void (*say)(void))
{
	static char text[256];
	FILE *file = tmpfile();
	int kept = dup(target);
	ssize_t len;

	assert_non_null(file);
	assert_true(kept >= 0);
	assert_int_equal(dup2(fileno(file), target), target);
	say();
	fflush(stderr);
	assert_int_equal(dup2(kept, target), target);
	close(kept);
	len = pread(fileno(file), text, sizeof text - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	fclose(file);
	return text;
}

static void complain(void)
{
	tool_complain("last", "/var/log/wtmp", -2);
}

static void a_complaint_names_tool_object_and_reason(void **state)
{
	(void)state;
	assert_string_equal(written_to(2, complain), "last: /var/log/wtmp: No such file or directory\n");
}

static void finish_what_is_written_to_a_full_disk(void)
{
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	fputs("text", full);
	assert_int_equal(tool_finish("last", full, 0), TOOL_ERROR);
}

static void finish_what_failed_earlier(void)
{
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	fputs("text", full);
	assert_int_not_equal(fflush(full), 0);
	assert_int_equal(tool_finish("last", full, 0), TOOL_ERROR);
}

static void output_that_is_lost_is_said(void **state)
{
	(void)state;
	assert_string_equal(written_to(2, finish_what_is_written_to_a_full_disk),
		"last: write error: No space left on device\n");
	assert_non_null(strstr(written_to(2, finish_what_failed_earlier), "last: write error: "));
}

static void output_that_arrived_keeps_the_status(void **state)
{
	(void)state;
	assert_int_equal(tool_finish("last", fopen("/dev/null", "w"), 0), 0);
	assert_int_equal(tool_finish("last", fopen("/dev/null", "w"), 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_the_last_part_without_the_dash),
		cmocka_unit_test(a_complaint_names_tool_object_and_reason),
		cmocka_unit_test(output_that_is_lost_is_said),
		cmocka_unit_test(output_that_arrived_keeps_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
