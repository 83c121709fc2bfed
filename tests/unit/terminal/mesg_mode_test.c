/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "terminal/mesg_mode.h"

static void each_mode_has_its_answer_and_its_changes(void **state)
{
	static const struct {
		mode_t mode;
		bool is_open;
		mode_t closed, open, open_without_group;
	} rows[] = {
		{ 020600, false, 020600, 020620, 020622 },
		{ 020620, true, 020600, 020620, 020622 },
		{ 020602, true, 020600, 020622, 020622 },
		{ 020622, true, 020600, 020622, 020622 },
		{ 020644, false, 020644, 020664, 020666 },
		{ 020000, false, 020000, 020020, 020022 },
		{ 027777, true, 027755, 027777, 027777 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(mesg_mode_is_open(rows[i].mode), rows[i].is_open);
		assert_int_equal(mesg_mode_close(rows[i].mode), rows[i].closed);
		assert_int_equal(mesg_mode_open(rows[i].mode, true), rows[i].open);
		assert_int_equal(mesg_mode_open(rows[i].mode, false), rows[i].open_without_group);
	}
}

static void what_is_said_after_a_change_is_what_was_asked_for(void **state)
{
	(void)state;
	for (mode_t mode = 0; mode <= 07777; mode++) {
		assert_false(mesg_mode_is_open(mesg_mode_close(mode)));
		assert_true(mesg_mode_is_open(mesg_mode_open(mode, true)));
		assert_true(mesg_mode_is_open(mesg_mode_open(mode, false)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mode_has_its_answer_and_its_changes),
		cmocka_unit_test(what_is_said_after_a_change_is_what_was_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
