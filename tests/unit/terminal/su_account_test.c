/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/su_account.h"

static char dir[64];

static int begin(void **state)
{
	char path[128];

	(void)state;
	strcpy(dir, "/tmp/su_account.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/etc", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	fake_root(dir);
	/* Nobody asks the name service of the machine that the test runs on. */
	fake_processes(40000);
	return 0;
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/etc/%s", dir, name);
	if (!text) {
		unlink(path);
		return;
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int end(void **state)
{
	char path[128];

	(void)state;
	fault_clear();
	fake_processes(0);
	fake_root(NULL);
	put("passwd", NULL);
	put("shadow", NULL);
	snprintf(path, sizeof path, "%s/etc", dir);
	rmdir(path);
	rmdir(dir);
	return 0;
}

static struct su_account account_of(const char *passwd, const char *shadow)
{
	struct su_account account;

	put("passwd", passwd);
	put("shadow", shadow);
	su_account_read(&account, MONO_AT_ONCE);
	return account;
}

static void the_fields_of_root_are_taken(void **state)
{
	struct su_account a = account_of("user:x:1:1:root:/:/bin/no\nroot:$1$a$b:0:0:gecos:/home:/bin/bash\nroot:second:0:0::/:/\n", NULL);

	(void)state;
	assert_int_equal(a.secret, SU_SECRET_SET);
	assert_true(a.is_known);
	assert_string_equal(a.hash, "$1$a$b");
	assert_string_equal(a.home, "/home");
	assert_string_equal(a.shell, "/bin/bash");
	assert_string_equal(a.why, "");
}

static void shadow_is_asked_for_an_x_alone(void **state)
{
	(void)state;
	assert_string_equal(account_of("root:x:0:0::/:/bin/sh\n", "root:$y$j$k:1::::::\n").hash, "$y$j$k");
	assert_string_equal(account_of("root:X:0:0::/:/bin/sh\n", "root:$y$j$k:1::::::\n").hash, "X");
	assert_int_equal(account_of("root::0:0::/:/bin/sh\n", "root:$y$j$k:1::::::\n").secret, SU_SECRET_BLANK);
	assert_int_equal(account_of("root:x:0:0::/:/bin/sh\n", "root::1::::::\n").secret, SU_SECRET_BLANK);
	assert_int_equal(account_of("root:x:0:0::/:/bin/sh\n", "root:x:1::::::\n").secret, SU_SECRET_SET);
}

static void locks_are_told_from_passwords(void **state)
{
	static const char *const locked[] = { "*", "!", "!!", "!$6$a$b", "*LK*" };
	static const char *const set[] = { "x!", "0123456789012", "$6$0123456789abcdef$x", "$9$a$b", " ", "NP", "$" };

	(void)state;
	for (size_t i = 0; i < sizeof locked / sizeof locked[0]; i++) {
		char line[128];

		snprintf(line, sizeof line, "root:%s:0:0::/:/bin/sh\n", locked[i]);
		assert_int_equal(account_of(line, NULL).secret, SU_SECRET_LOCKED);
	}
	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
		char line[128];

		snprintf(line, sizeof line, "root:%s:0:0::/:/bin/sh\n", set[i]);
		assert_int_equal(account_of(line, NULL).secret, SU_SECRET_SET);
	}
}

static void what_is_missing_is_absent_and_named(void **state)
{
	struct su_account a;

	(void)state;
	a = account_of(NULL, "root:secret:1::::::\n");
	assert_int_equal(a.secret, SU_SECRET_ABSENT);
	assert_false(a.is_known);
	assert_string_equal(a.home, "/");
	assert_string_equal(a.shell, "");
	assert_string_equal(a.why, "/etc/passwd: No such file or directory");
	a = account_of("rooty:x:0:0::/:/\nxroot:x:0:0::/:/\nroot\n", NULL);
	assert_int_equal(a.secret, SU_SECRET_ABSENT);
	assert_string_equal(a.why, "/etc/passwd: no entry for root");
	a = account_of("root:x:0:0::/root:/bin/sh\n", NULL);
	assert_int_equal(a.secret, SU_SECRET_ABSENT);
	assert_true(a.is_known);
	assert_string_equal(a.home, "/root");
	assert_string_equal(a.why, "/etc/shadow: No such file or directory");
	assert_string_equal(account_of("root:x:0:0::/root:/bin/sh\n", "a:b\n").why, "/etc/shadow: no entry for root");
}

/* A disk that is broken has no password to give; a process that has no descriptor left does not know. */
static void an_error_is_no_missing_password_unless_the_disk_is_gone(void **state)
{
	static const struct {
		int err;
		enum su_secret secret;
	} rows[] = {
		{ -ENOENT, SU_SECRET_ABSENT }, { -ENOTDIR, SU_SECRET_ABSENT }, { -EIO, SU_SECRET_ABSENT },
		{ -EUCLEAN, SU_SECRET_ABSENT }, { -EMFILE, SU_SECRET_UNREADABLE }, { -ENFILE, SU_SECRET_UNREADABLE },
		{ -ENOMEM, SU_SECRET_UNREADABLE }, { -EACCES, SU_SECRET_UNREADABLE }, { -EPERM, SU_SECRET_UNREADABLE },
		{ -EINTR, SU_SECRET_UNREADABLE }, { -ENOSYS, SU_SECRET_UNREADABLE },
	};
	struct su_account a;

	(void)state;
	put("passwd", "root:x:0:0::/:/bin/sh\n");
	put("shadow", "root:secret:1::::::\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (int skip = 0; skip < 2; skip++) {
			fault_name_after("open", skip, rows[i].err);
			su_account_read(&a, MONO_AT_ONCE);
			fault_clear();
			assert_int_equal(a.secret, rows[i].secret);
			assert_non_null(strstr(a.why, skip ? "/etc/shadow: " : "/etc/passwd: "));
		}
}

static void no_failure_of_a_call_opens_a_door_or_leaves_a_file_open(void **state)
{
	struct su_account a;
	int before = fds_open(), nth = 0;

	(void)state;
	put("passwd", "root:x:0:0::/:/bin/sh\n");
	put("shadow", "root:secret:1::::::\n");
	do {
		fault_arm(++nth, -ENOMEM);
		su_account_read(&a, MONO_AT_ONCE);
		assert_true(a.secret == SU_SECRET_SET || a.secret == SU_SECRET_UNREADABLE);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 4);
}

/* A disk that tore the file off, or wrote zeros over it, has made no blank password. */
static void a_damaged_entry_is_not_blank(void **state)
{
	static const char zeros[] = "root:\0\0\0:0:0::/:/\n";
	struct su_account a;
	char path[128];
	FILE *file;

	(void)state;
	assert_int_equal(account_of("root:", NULL).secret, SU_SECRET_ABSENT);
	assert_int_equal(account_of("root:\n", NULL).secret, SU_SECRET_ABSENT);
	assert_int_equal(account_of("root:x:0:0::/:/\n", "root:").secret, SU_SECRET_ABSENT);
	assert_int_equal(account_of("root:x:0:0::/:/\n", "root:$6$torn").secret, SU_SECRET_SET);
	snprintf(path, sizeof path, "%s/etc/passwd", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(zeros, 1, sizeof zeros - 1, file), sizeof zeros - 1);
	fclose(file);
	su_account_read(&a, MONO_AT_ONCE);
	assert_int_equal(a.secret, SU_SECRET_SET);
}

static void what_is_no_file_is_not_waited_for(void **state)
{
	char path[128];
	struct su_account a;

	(void)state;
	snprintf(path, sizeof path, "%s/etc/passwd", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	su_account_read(&a, MONO_AT_ONCE);
	assert_int_equal(a.secret, SU_SECRET_ABSENT);
}

static void long_lines_are_one_line_each(void **state)
{
	static char text[20000];

	(void)state;
	for (size_t len = 200; len < 9000; len = len * 3 / 2) {
		memset(text, 'g', len);
		memcpy(text, "user:", 5);
		strcpy(text + len, "root:::::::\nroot:secret:0:0::/:/bin/sh");
		assert_string_equal(account_of(text, NULL).hash, "secret");
	}
	memset(text, 'h', 19000);
	memcpy(text, "root:", 5);
	strcpy(text + 19000, ":0:0::/:/bin/sh\n");
	assert_int_equal(account_of(text, NULL).secret, SU_SECRET_SET);
}

static void random_files_make_no_blank_password(void **state)
{
	static const char letters[] = "root:x\n\n::*!$6/ \t";
	char text[400];

	(void)state;
	srand(11);
	for (int round = 0; round < 500; round++) {
		int len = rand() % (int)(sizeof text - 1);
		bool has_blank;

		for (int i = 0; i < len; i++)
			text[i] = letters[rand() % (int)(sizeof letters - 1)];
		text[len] = '\0';
		has_blank = !strncmp(text, "root::", 6) || strstr(text, "\nroot::");
		if (account_of(text, NULL).secret == SU_SECRET_BLANK)
			assert_true(has_blank);
	}
}

static void the_answer_is_judged_by_crypt(void **state)
{
	static const char *const salts[] = { "$6$0123456789abcdef$", "$5$rounds=1000$salt$", "$2b$04$abcdefghijklmnopqrstuu", "ab" };
	struct su_account a = { .secret = SU_SECRET_SET };

	(void)state;
	for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
		snprintf(a.hash, sizeof a.hash, "%s", crypt("right", salts[i]));
		assert_int_equal(su_account_judge(&a, "right"), 1);
		assert_int_equal(su_account_judge(&a, "wrong"), 0);
		assert_int_equal(su_account_judge(&a, ""), 0);
		a.hash[strlen(a.hash) - 1] ^= 1;
		assert_int_equal(su_account_judge(&a, "right"), 0);
	}
}

static void what_crypt_does_not_know_is_never_right(void **state)
{
	static const char *const hashes[] = { "x", "foo", "$9$a$b", "$6$", "*0", "*1", "!", "", "$y$" };
	struct su_account a = { .secret = SU_SECRET_SET };

	(void)state;
	for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
		strcpy(a.hash, hashes[i]);
		assert_true(su_account_judge(&a, hashes[i]) <= 0);
		assert_true(su_account_judge(&a, "") <= 0);
		assert_true(su_account_judge(&a, "*0") <= 0);
		assert_true(su_account_judge(&a, "*1") <= 0);
	}
	strcpy(a.hash, crypt("right", "$6$a$"));
	a.secret = SU_SECRET_LOCKED;
	assert_int_equal(su_account_judge(&a, "right"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_fields_of_root_are_taken),
		CASE(shadow_is_asked_for_an_x_alone),
		CASE(locks_are_told_from_passwords),
		CASE(what_is_missing_is_absent_and_named),
		CASE(an_error_is_no_missing_password_unless_the_disk_is_gone),
		CASE(no_failure_of_a_call_opens_a_door_or_leaves_a_file_open),
		CASE(a_damaged_entry_is_not_blank),
		CASE(what_is_no_file_is_not_waited_for),
		CASE(long_lines_are_one_line_each),
		CASE(random_files_make_no_blank_password),
		CASE(the_answer_is_judged_by_crypt),
		CASE(what_crypt_does_not_know_is_never_right),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
