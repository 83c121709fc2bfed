/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "terminal/su_context.h"

/* With SELinux not enabled, as on every machine that builds this, a built-in one does what one that is left out does. */
static void without_selinux_nothing_is_set_and_nothing_fails(void **state)
{
	(void)state;
	assert_null(su_context_set());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_selinux_nothing_is_set_and_nothing_fails),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
