/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake's TIOCCONS succeeds and does nothing: no test may redirect the console of the machine it runs on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/redirect.h"

static void what_is_written_comes_through_unchanged(void **state)
{
	static const char text[] = "a\nb\r\n\033[m\x03\x13\x04";
	struct redirect redirect;
	char got[64];

	(void)state;
	assert_int_equal(redirect_open(&redirect), 0);
	assert_int_equal(redirect_begin(&redirect), 0);
	assert_non_null(strstr(redirect.name, "/dev/"));
	assert_int_equal(read(redirect.master, got, sizeof got), -1);   /* and does not wait */
	assert_int_equal(write(redirect.slave, text, sizeof text), sizeof text);
	assert_int_equal(read(redirect.master, got, sizeof got), sizeof text);
	assert_memory_equal(got, text, sizeof text);
	redirect_close(&redirect);
}

static void a_refusal_is_told(void **state)
{
	struct redirect redirect;

	(void)state;
	assert_int_equal(redirect_open(&redirect), 0);
	fault_name("redirect_console", -EBUSY);
	assert_int_equal(redirect_begin(&redirect), -EBUSY);
	fault_clear();
	redirect_close(&redirect);
}

static void every_failure_leaves_nothing_open(void **state)
{
	struct redirect redirect;
	int nth = 0, before = fds_open();

	(void)state;
	do {
		int err;

		fault_arm(++nth, -EIO);
		err = redirect_open(&redirect);
		if (!err)
			redirect_close(&redirect);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_through_unchanged),
		cmocka_unit_test(a_refusal_is_told),
		cmocka_unit_test(every_failure_leaves_nothing_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
