/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "init/policy_wish.h"

static void the_command_line_goes_before_the_file_but_not_before_a_file_that_disables(void **state)
{
	static const struct {
		enum policy_setting setting;
		const char *cmdline;
		enum policy_wish wish;
	} cases[] = {
		{ SETTING_NONE, "", POLICY_PERMISSIVE },
		{ SETTING_PERMISSIVE, "", POLICY_PERMISSIVE },
		{ SETTING_ENFORCING, "", POLICY_ENFORCING },
		{ SETTING_DISABLED, "", POLICY_DISABLED },
		{ SETTING_NONE, "ro enforcing=1 quiet\n", POLICY_ENFORCING },
		{ SETTING_PERMISSIVE, "enforcing=1", POLICY_ENFORCING },
		{ SETTING_ENFORCING, "enforcing=0", POLICY_PERMISSIVE },
		{ SETTING_DISABLED, "enforcing=1", POLICY_DISABLED },
		{ SETTING_PERMISSIVE, "enforcing=2", POLICY_ENFORCING },
		{ SETTING_ENFORCING, "enforcing=", POLICY_PERMISSIVE },
		{ SETTING_ENFORCING, "enforcing=x", POLICY_PERMISSIVE },
		{ SETTING_PERMISSIVE, "enforcing=99999999999999999999", POLICY_ENFORCING },
		{ SETTING_PERMISSIVE, "enforcing", POLICY_PERMISSIVE },
		{ SETTING_PERMISSIVE, "xenforcing=1 enforcing.x=1", POLICY_PERMISSIVE },
		{ SETTING_PERMISSIVE, "enforcing=0 enforcing=1", POLICY_PERMISSIVE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (policy_wish(cases[i].setting, cases[i].cmdline) != cases[i].wish)
			fail_msg("setting %d, command line '%s'", cases[i].setting, cases[i].cmdline);
}

static void the_file_of_settings_is_read_as_its_library_does(void **state)
{
	static const struct {
		const char *text;
		enum policy_setting setting;
	} cases[] = {
		{ "", SETTING_NONE },
		{ "SELINUX=enforcing\n", SETTING_ENFORCING },
		{ "SELINUX=permissive", SETTING_PERMISSIVE },
		{ "SELINUX=disabled\n", SETTING_DISABLED },
		{ "SELINUX=Enforcing # so\n", SETTING_ENFORCING },
		{ "# SELINUX=disabled\n\nSELINUXTYPE=enforcing\nSELINUX=enforcing\n", SETTING_ENFORCING },
		{ "SELINUX=permissive\nSELINUX=enforcing\n", SETTING_PERMISSIVE },
		{ " SELINUX=enforcing\n", SETTING_NONE },
		{ "SELINUX = enforcing\n", SETTING_NONE },
		{ "XSELINUX=enforcing\n", SETTING_NONE },
		{ "SELINUX=\n", SETTING_NONE },
		{ "SELINUX= \tenforcing\n", SETTING_ENFORCING },
		{ "SELINUX=bogus\nSELINUX=enforcingly\n", SETTING_ENFORCING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (policy_setting(cases[i].text) != cases[i].setting)
			fail_msg("'%s'", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_goes_before_the_file_but_not_before_a_file_that_disables),
		cmocka_unit_test(the_file_of_settings_is_read_as_its_library_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
