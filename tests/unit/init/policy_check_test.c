/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Over policies that libsepol makes here: good ones of every version, and what damage makes of them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sepol/policydb.h>

#include <cmocka.h>

#include "fake/policy.h"
#include "fake/sys.h"
#include "init/policy_check.h"

/* A sanitizer takes more address space than any limit leaves. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_LIMIT RLIM_INFINITY
#else
#define MEMORY_LIMIT ((rlim_t)2 << 30)
#endif

static const struct apart_limits limits = { MEMORY_LIMIT, 60 };

static struct policy_versions versions(int kernel_max)
{
	return (struct policy_versions){ kernel_max, sepol_policy_kern_vers_min(), sepol_policy_kern_vers_max() };
}

static int newest(void)
{
	return sepol_policy_kern_vers_max();
}

/* What becomes of this image under a name of this version. The reason stays until the next call. */
static char why[POLICY_WHY_MAX];

static int judge_for(unsigned char *image, size_t size_bytes, int named, int kernel_max)
{
	struct policy_file file = { .named = named, .image = image, .size_bytes = size_bytes };
	const struct policy_versions known = versions(kernel_max);
	int err;

	*why = '\0';
	err = policy_head(&file, &known, why);
	return err ? err : policy_check(&file, &known, &limits, why);
}

static int judge(unsigned char *image, size_t size_bytes)
{
	return judge_for(image, size_bytes, newest(), newest());
}

static void a_good_policy_of_any_version_is_good_with_levels_or_without(void **state)
{
	static const int tried[] = { 24, 26, 28, 30, 31, 32, 33 };

	(void)state;
	for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
		for (int has_mls = 0; has_mls <= 1; has_mls++) {
			size_t size;
			unsigned char *image = fake_policy(has_mls, tried[i], &size);

			if (judge(image, size))
				fail_msg("version %d, mls %d: %s", tried[i], has_mls, why);
			assert_string_equal(why, "");
			free(image);
		}
	}
}

static void a_policy_that_ends_too_early_is_damaged_wherever_it_ends(void **state)
{
	size_t size;
	unsigned char *image = fake_policy(true, newest(), &size);
	unsigned char *copy;

	(void)state;
	assert_true(size > 500);
	for (size_t cut = 0; cut < size; cut += cut < 64 || size - cut < 16 ? 1 : 13) {
		copy = malloc(cut + 1);                 /* of its own size, so that reading on is seen */
		memcpy(copy, image, cut);
		if (judge(copy, cut) != -EBADMSG)
			fail_msg("cut at %zu of %zu: %s", cut, size, why);
		assert_true(strstr(why, "truncated") || strstr(why, "empty"));
		free(copy);
	}
	free(image);
}

/* Not every damage can be seen; but none may end the check itself, which always says something of what it refuses. */
static void whatever_byte_is_damaged_the_check_comes_to_an_end(void **state)
{
	size_t size;
	unsigned char *image = fake_policy(true, newest(), &size);
	int refused = 0;

	(void)state;
	for (size_t at = 20; at < size; at += 5) {
		int err;

		image[at] ^= 0xff;
		err = judge(image, size);
		image[at] ^= 0xff;
		if (err && err != -EBADMSG && err != -ENOMEM)
			fail_msg("byte %zu: %d, %s", at, err, why);
		assert_int_equal(!err, !*why);
		refused += err != 0;
	}
	assert_true(refused > 20);
	assert_int_equal(judge(image, size), 0);
	free(image);
}

static void a_newer_policy_is_tried_out_as_an_older_one(void **state)
{
	size_t size;
	unsigned char *image = fake_policy(true, newest(), &size);

	(void)state;
	assert_int_equal(judge_for(image, size, newest(), newest() - 1), 0);
	assert_int_equal(judge_for(image, size, newest(), 24), 0);
	assert_int_equal(judge_for(image, size, newest(), 16), -ENOTSUP);       /* which knows no levels */
	assert_non_null(strstr(why, "cannot be made a policy of version 16"));
	assert_int_equal(judge_for(image, size, newest() - 1, newest() - 1), -EBADMSG);
	free(image);
}

static void what_libsepol_does_not_know_is_left_to_the_kernel(void **state)
{
	unsigned char newer[24] = { 0x8c, 0xff, 0x7c, 0xf9, 8, 0, 0, 0, 'S', 'E', ' ', 'L', 'i', 'n', 'u', 'x' };

	(void)state;
	newer[16] = (unsigned char)(newest() + 1);
	assert_int_equal(judge_for(newer, sizeof newer, newest() + 1, newest() + 1), 0);
}

static void what_keeps_the_check_from_being_made_is_said(void **state)
{
	static const char *const calls[] = { "fork", "pipe", "set_core_limit" };
	size_t size;
	unsigned char *image = fake_policy(false, newest(), &size);

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		fault_name(calls[i], -EAGAIN);
		assert_int_equal(judge(image, size), -EAGAIN);
		assert_non_null(strstr(why, "could not be checked"));
		fault_clear();
	}
	free(image);
}

static void the_limits_of_the_program_are_enough(void **state)
{
	size_t size;
	unsigned char *image = fake_policy(true, newest(), &size);
	struct policy_file file = { .named = newest(), .version = newest(), .image = image, .size_bytes = size };
	const struct policy_versions known = versions(newest());
	struct apart_limits own = policy_check_limits;

	(void)state;
	if (MEMORY_LIMIT == RLIM_INFINITY)
		own.memory_bytes = RLIM_INFINITY;
	assert_int_equal(policy_check(&file, &known, &own, why), 0);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_policy_of_any_version_is_good_with_levels_or_without),
		cmocka_unit_test(a_policy_that_ends_too_early_is_damaged_wherever_it_ends),
		cmocka_unit_test(whatever_byte_is_damaged_the_check_comes_to_an_end),
		cmocka_unit_test(a_newer_policy_is_tried_out_as_an_older_one),
		cmocka_unit_test(what_libsepol_does_not_know_is_left_to_the_kernel),
		cmocka_unit_test(what_keeps_the_check_from_being_made_is_said),
		cmocka_unit_test(the_limits_of_the_program_are_enough),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
