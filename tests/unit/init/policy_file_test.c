/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/policy_file.h"

/* The base's folder as the program finds it; for listing, which goes past lib/sys. */
#define BASE "/etc/policy"

static const struct policy_versions versions = { .kernel_max = 31, .library_min = 15, .library_max = 33 };

static int begin(void **state)
{
	*state = fake_init_begin();
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static void the_newest_is_found_first_and_the_next_below_it(void **state)
{
	struct policy_file file;

	(void)state;
	assert_int_equal(policy_first(&versions), 33);
	assert_int_equal(policy_first(&(struct policy_versions){ 34, 15, 33 }), 34);
	assert_int_equal(policy_find(BASE, &versions, 33, &file), -ENOENT);
	fake_file(BASE ".14", "", 0644);                /* nobody looks there */
	fake_file(BASE ".34", "", 0644);
	fake_file(BASE ".kern", "", 0644);
	assert_int_equal(policy_find(BASE, &versions, 33, &file), -ENOENT);
	fake_file(BASE ".15", "", 0644);
	fake_file(BASE ".30", "", 0644);
	fake_file(BASE ".33", "", 0644);
	assert_int_equal(policy_find(BASE, &versions, 33, &file), 0);
	assert_string_equal(file.path, BASE ".33");
	assert_int_equal(file.named, 33);
	assert_int_equal(policy_find(BASE, &versions, 32, &file), 0);
	assert_string_equal(file.path, BASE ".30");
	assert_int_equal(policy_find(BASE, &versions, 29, &file), 0);
	assert_string_equal(file.path, BASE ".15");
}

static void what_cannot_be_looked_at_is_not_passed_over(void **state)
{
	struct policy_file file;
	char base[PATH_MAX];

	(void)state;
	fault_name("stat", -EIO);
	assert_int_equal(policy_find(BASE, &versions, 33, &file), -EIO);
	fault_clear();
	memset(base, 'x', sizeof base - 1);
	base[sizeof base - 1] = '\0';
	assert_int_equal(policy_find(base, &versions, 33, &file), -ENAMETOOLONG);
}

static void what_there_is_can_be_told(void **state)
{
	char base[200], list[2048];

	(void)state;
	(void)snprintf(base, sizeof base, "%s" BASE, fake_root_dir());
	policy_list(base, list, sizeof list);
	assert_string_equal(list, "nothing");
	fake_file("/etc/policyx", "", 0644);
	policy_list(base, list, sizeof list);
	assert_string_equal(list, "nothing");
	fake_file(BASE ".\033[2J", "", 0644);
	policy_list(base, list, sizeof list);
	assert_string_equal(list, "policy.^[[2J");
	for (int i = 100; i < 400; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, BASE ".%d", i);
		fake_file(name, "", 0644);
	}
	policy_list(base, list, sizeof list);
	assert_true(strlen(list) > 1000 && strlen(list) < sizeof list);
}

/* --- reading --- */

static const char *why_not_read(const char *path, int expected)
{
	static char why[POLICY_WHY_MAX];
	struct policy_file file = { .named = 0 };

	strcpy(file.path, path);
	*why = '\0';
	assert_int_equal(policy_read(&file, why), expected);
	assert_null(file.image);
	return why;
}

static void a_file_is_read_whole(void **state)
{
	struct policy_file file = { .path = BASE };
	char why[POLICY_WHY_MAX];

	(void)state;
	fake_file(BASE, "what is in it", 0644);
	assert_int_equal(policy_read(&file, why), 0);
	assert_int_equal(file.size_bytes, 13);
	assert_memory_equal(file.image, "what is in it", 13);
	policy_drop(&file);
	assert_null(file.image);
}

static void what_is_no_file_is_not_read_and_holds_nobody_up(void **state)
{
	char full[200];

	(void)state;
	assert_string_equal(why_not_read(BASE, -ENOENT), strerror(ENOENT));
	fake_file("/etc/x/y", "", 0644);
	assert_string_equal(why_not_read("/etc/x", -EISDIR), strerror(EISDIR));
	(void)snprintf(full, sizeof full, "%s/etc/fifo", fake_root_dir());
	assert_int_equal(mkfifo(full, 0600), 0);
	(void)why_not_read("/etc/fifo", -EINVAL);
	(void)snprintf(full, sizeof full, "%s" BASE, fake_root_dir());
	fake_file(BASE, "", 0644);
	assert_int_equal(truncate(full, (off_t)POLICY_BYTES_MAX + 1), 0);
	assert_string_equal(why_not_read(BASE, -EFBIG), strerror(EFBIG));
}

static void whatever_call_fails_it_is_said_and_nothing_stays_open(void **state)
{
	int before, nth = 0;

	(void)state;
	fake_file(BASE, "text", 0644);
	before = fds_open();
	do {
		struct policy_file file = { .path = BASE };
		char why[POLICY_WHY_MAX] = "";

		fault_arm(++nth, -EIO);
		if (policy_read(&file, why) == 0)
			policy_drop(&file);
		else
			assert_string_equal(why, strerror(EIO));
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 3);
}

/* --- the head --- */

struct head {
	unsigned char byte[24];
	size_t size_bytes;
};

static struct head head_of(uint32_t magic, uint32_t len, const char *text, uint32_t version)
{
	struct head head = { .size_bytes = sizeof head.byte };
	const uint32_t word[] = { magic, len };

	memset(head.byte, 0, sizeof head.byte);
	for (size_t i = 0; i < 8; i++)
		head.byte[i] = (unsigned char)(word[i / 4] >> 8 * (i % 4));
	memcpy(head.byte + 8, text, 8);
	for (size_t i = 0; i < 4; i++)
		head.byte[16 + i] = (unsigned char)(version >> 8 * i);
	return head;
}

/* "": it is good. */
static const char *verdict(struct head head, int named)
{
	static char why[POLICY_WHY_MAX];
	struct policy_file file = { .named = named, .image = head.byte, .size_bytes = head.size_bytes };

	int err;

	*why = '\0';
	err = policy_head(&file, &versions, why);
	assert_int_equal(err, *why ? -EBADMSG : 0);
	if (!err)
		assert_int_equal(file.version, head.byte[16]);
	return why;
}

#define MAGIC 0xf97cff8c
#define RANGE ": this kernel takes versions up to 31, libsepol reads 15 to 33"

static void a_head_tells_the_version(void **state)
{
	(void)state;
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 31), 31), "");
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 15), 0), "");
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 20), 33), "");
}

static void a_newer_one_is_made_older_when_its_name_says_so(void **state)
{
	(void)state;
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 33), 33), "");
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 32), 33), "");
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 33), 31), "policy of version 33" RANGE);
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 32), 0), "policy of version 32" RANGE);
}

static void a_version_that_nobody_knows_is_named(void **state)
{
	(void)state;
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 34), 33), "policy of version 34" RANGE);
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 14), 31), "policy of version 14" RANGE);
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 0), 31), "policy of version 0" RANGE);
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE Linux", 0xffffffff), 31), "policy of version 2147483647" RANGE);
}

static void what_is_no_policy_is_told_apart(void **state)
{
	struct head head = head_of(MAGIC, 8, "SE Linux", 31);

	(void)state;
	for (head.size_bytes = 0; head.size_bytes < 20; head.size_bytes++)
		assert_string_equal(verdict(head, 31), head.size_bytes ? "truncated in its head" : "the file is empty");
	assert_string_equal(verdict(head, 31), "");
	assert_string_equal(verdict(head_of(0x464c457f, 8, "SE Linux", 31), 31),
		"no SELinux policy: it begins with 0x464c457f, not 0xf97cff8c");
	assert_string_equal(verdict(head_of(MAGIC, 8, "XenFlask", 31), 31), "a policy for Xen, not for Linux");
	assert_string_equal(verdict(head_of(MAGIC, 8, "SE LinuX", 31), 31),
		"no SELinux policy: its head does not say \"SE Linux\"");
	assert_string_equal(verdict(head_of(MAGIC, 9, "SE Linux", 31), 31),
		"no SELinux policy: its head does not say \"SE Linux\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_newest_is_found_first_and_the_next_below_it),
		CASE(what_cannot_be_looked_at_is_not_passed_over),
		CASE(what_there_is_can_be_told),
		CASE(a_file_is_read_whole),
		CASE(what_is_no_file_is_not_read_and_holds_nobody_up),
		CASE(whatever_call_fails_it_is_said_and_nothing_stays_open),
		CASE(a_head_tells_the_version),
		CASE(a_newer_one_is_made_older_when_its_name_says_so),
		CASE(a_version_that_nobody_knows_is_named),
		CASE(what_is_no_policy_is_told_apart),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
