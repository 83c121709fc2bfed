/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts are noted down and not made. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/policy_place.h"

static int begin(void **state)
{
	*state = fake_init_begin();
	fake_forget_mounted();
	return 0;
}

static int end(void **state)
{
	fake_forget_mounted();
	fake_init_end(*state);
	return 0;
}

static void what_is_mounted_is_left_as_it_is(void **state)
{
	struct policy_place place;

	(void)state;
	fake_file("/proc/cmdline", "", 0444);
	fake_file("/sys/kernel/x", "", 0444);
	fake_file("/sys/fs/selinux/policyvers", "33", 0444);
	assert_int_equal(policy_place_enter(&place), 0);
	assert_int_equal(policy_place_version(), 33);
	policy_place_leave(&place, false);
	assert_string_equal(fake_mounted(), "");
}

static void what_is_missing_is_mounted_and_taken_away_again(void **state)
{
	struct policy_place place;

	(void)state;
	assert_int_equal(policy_place_enter(&place), 0);
	assert_string_equal(fake_mounted(), "+/proc+/sys+/sys/fs/selinux");
	fake_forget_mounted();
	policy_place_leave_selinux(&place);
	assert_string_equal(fake_mounted(), "-/sys/fs/selinux");
	fake_forget_mounted();
	policy_place_leave(&place, false);      /* libselinux may have left it there */
	assert_string_equal(fake_mounted(), "-/sys/fs/selinux-/sys-/proc");
}

static void with_a_policy_loaded_sys_stays(void **state)
{
	struct policy_place place;

	(void)state;
	assert_int_equal(policy_place_enter(&place), 0);
	policy_place_leave_selinux(&place);
	fake_forget_mounted();
	policy_place_leave(&place, true);
	assert_string_equal(fake_mounted(), "-/proc");
}

static void a_kernel_without_selinux_has_no_place_for_it(void **state)
{
	struct policy_place place;

	(void)state;
	fake_file("/proc/cmdline", "", 0444);
	fake_file("/proc/filesystems", "nodev\tsysfs\nnodev\tselinuxfs2\n\text4\n", 0444);
	assert_int_equal(policy_place_enter(&place), -ENODEV);
	policy_place_leave(&place, false);
	assert_string_equal(fake_mounted(), "");
}

static void one_with_it_says_so(void **state)
{
	struct policy_place place;

	(void)state;
	fake_file("/proc/cmdline", "", 0444);
	fake_file("/proc/filesystems", "nodev\tsysfs\nnodev\tselinuxfs\n\text4\n", 0444);
	assert_int_equal(policy_place_enter(&place), 0);
	assert_string_equal(fake_mounted(), "+/sys+/sys/fs/selinux");
}

static void what_cannot_be_mounted_is_told_and_not_taken_away(void **state)
{
	struct policy_place place;

	(void)state;
	fault_name("mount", -EPERM);
	assert_int_equal(policy_place_enter(&place), -EPERM);
	fault_name_after("mount", 2, -ENODEV);
	assert_int_equal(policy_place_enter(&place), -ENODEV);
	fault_clear();
	assert_string_equal(fake_mounted(), "+/proc+/sys");
	fake_forget_mounted();
	policy_place_leave(&place, false);
	assert_string_equal(fake_mounted(), "-/sys-/proc");
}

static void a_version_is_a_number(void **state)
{
	static const char *const bad[] = { "", "x", "0", "-3", "33 x", "99999" };

	(void)state;
	assert_int_equal(policy_place_version(), -ENOENT);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fake_file("/sys/fs/selinux/policyvers", bad[i], 0444);
		assert_true(policy_place_version() < 0);
	}
}

static void a_context_tells_that_a_policy_is_loaded(void **state)
{
	(void)state;
	assert_false(policy_place_is_loaded());
	fake_file("/proc/1/attr/current", "kernel", 0444);
	assert_false(policy_place_is_loaded());
	fake_file("/proc/1/attr/current", "", 0444);
	assert_false(policy_place_is_loaded());
	fake_file("/proc/1/attr/current", "system_u:system_r:init_t", 0444);
	assert_true(policy_place_is_loaded());
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_mounted_is_left_as_it_is),
		CASE(what_is_missing_is_mounted_and_taken_away_again),
		CASE(with_a_policy_loaded_sys_stays),
		CASE(a_kernel_without_selinux_has_no_place_for_it),
		CASE(one_with_it_says_so),
		CASE(what_cannot_be_mounted_is_told_and_not_taken_away),
		CASE(a_version_is_a_number),
		CASE(a_context_tells_that_a_policy_is_loaded),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
