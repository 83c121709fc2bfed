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

#include "process/omit.h"

static char said[512];

static void note(void *context, const char *piece)
{
	assert_string_equal(context, "context");
	assert_true(strlen(said) + strlen(piece) + 3 < sizeof said);
	strcat(said, "(");
	strcat(said, piece);
	strcat(said, ")");
}

/* The members of a list and what was said of its pieces, as text. */
static const char *of(const char *list, pid_t parent)
{
	static char text[1024];
	struct pidset set;
	size_t len = 0;

	said[0] = text[0] = '\0';
	assert_int_equal(pidset_begin(&set), 0);
	omit_add(&set, list, parent, note, (void *)(uintptr_t)"context");
	for (pid_t pid = pidset_next(&set, 0); pid; pid = pidset_next(&set, pid))
		len += (size_t)snprintf(text + len, sizeof text - len, "%d ", pid);
	(void)snprintf(text + len, sizeof text - len, "%s", said);
	pidset_end(&set);
	return text;
}

static void numbers_are_taken_at_each_separator(void **state)
{
	(void)state;
	assert_string_equal(of("12", 0), "12 ");
	assert_string_equal(of("12,34;56:7", 0), "7 12 34 56 ");
	assert_string_equal(of("5,5", 0), "5 ");
	assert_string_equal(of("12x,3 4", 0), "3 12 ");
}

static void what_gives_no_number_is_told(void **state)
{
	char digits[200];

	(void)state;
	assert_string_equal(of("", 0), "()");
	assert_string_equal(of("1,,2:", 0), "1 2 ()()");
	assert_string_equal(of("0;-4;x7;%PPID", 0), "(0)(-4)(x7)(%PPID)");
	memset(digits, '9', sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	assert_string_equal(of(digits, 0), "");
	memset(digits, 'x', sizeof digits - 1);
	assert_int_equal(strlen(of(digits, 0)), 63 + 2);
}

static void the_parent_has_a_name_where_one_is_given(void **state)
{
	(void)state;
	assert_string_equal(of("%PPID", 77), "77 ");
	assert_string_equal(of("3,%PPID,5", 77), "3 5 77 ");
	assert_string_equal(of("%PPIDx", 77), "(%PPIDx)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_taken_at_each_separator),
		cmocka_unit_test(what_gives_no_number_is_told),
		cmocka_unit_test(the_parent_has_a_name_where_one_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
