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

#include <sys/stat.h>

#include "fake/proc.h"
#include "fake/sys.h"
#include "lib/systool.h"
#include "process/subject.h"

static const char *tree;
static int proc;
static struct subject subject;

static int begin(void **state)
{
	(void)state;
	fault_clear();
	tree = fake_proc_begin();
	return procfs_open(tree, &proc);
}

static int end(void **state)
{
	(void)state;
	fault_clear();
	sys_close(proc);
	fake_proc_end();
	return 0;
}

#define WORDS(text) .cmdline = text, .cmdline_len = sizeof text - 1

static void put(const struct fake_process *process)
{
	fake_proc_put(process);
	subject_begin(&subject, proc, process->pid, 0, NULL);
}

static void make_folder(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", tree, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void arguments_are_the_first_and_the_first_that_is_no_option(void **state)
{
	(void)state;
	put(&(struct fake_process){ .pid = 7, WORDS("/bin/sh\0-x\0--\0/etc/script\0more\0") });
	assert_string_equal(subject_argv0(&subject), "/bin/sh");
	assert_string_equal(subject_argv1(&subject), "/etc/script");
	put(&(struct fake_process){ .pid = 7, WORDS("a\0\0b\0") });
	assert_string_equal(subject_argv0(&subject), "a");
	assert_null(subject_argv1(&subject));
	put(&(struct fake_process){ .pid = 7, WORDS("\0") });
	assert_string_equal(subject_argv0(&subject), "");
	put(&(struct fake_process){ .pid = 7, WORDS("no end") });
	assert_string_equal(subject_argv0(&subject), "no end");
	assert_null(subject_argv1(&subject));
	put(&(struct fake_process){ .pid = 7 });
	assert_null(subject_argv0(&subject));
	assert_null(subject_argv1(&subject));
	subject_begin(&subject, proc, 8, 0, NULL);
	assert_null(subject_argv0(&subject));
	assert_null(subject_stat(&subject));
	assert_null(subject_exe(&subject));
}

static void a_long_command_line_is_cut(void **state)
{
	static char line[3 * SUBJECT_CMDLINE_SIZE];

	(void)state;
	memset(line, 'x', sizeof line);
	put(&(struct fake_process){ .pid = 7, .cmdline = line, .cmdline_len = sizeof line });
	assert_int_equal(strlen(subject_argv0(&subject)), SUBJECT_CMDLINE_SIZE - 1);
	assert_null(subject_argv1(&subject));
}

static void each_file_is_read_once(void **state)
{
	(void)state;
	put(&(struct fake_process){ .pid = 7, .comm = "it", WORDS("it\0"), .exe = "/bin/it" });
	assert_string_equal(subject_exe(&subject), "/bin/it");
	assert_string_equal(subject_stat(&subject)->comm, "it");
	assert_string_equal(subject_argv0(&subject), "it");
	fault_clear();
	assert_string_equal(subject_exe(&subject), "/bin/it");
	assert_string_equal(subject_stat(&subject)->comm, "it");
	assert_string_equal(subject_argv0(&subject), "it");
	assert_int_equal(fault_calls(), 0);
}

static void what_is_stuck_is_not_touched_and_what_is_touched_is_said(void **state)
{
	_Atomic int doing = 0;
	struct sys_identity identity;

	(void)state;
	put(&(struct fake_process){ .pid = 7, WORDS("it\0"), .exe = "/bin/it" });
	subject_begin(&subject, proc, 7, SUBJECT_CMDLINE | SUBJECT_EXE | SUBJECT_PLACES, &doing);
	assert_null(subject_argv0(&subject));
	assert_null(subject_exe(&subject));
	assert_int_equal(subject_identify_exe(&subject, &identity), -EAGAIN);
	assert_int_equal(subject_has_root_of(&subject, &(struct home){ 0 }), -EAGAIN);
	assert_false(subject_is_trusted(&subject, &(struct home){ 0 }));
	assert_int_equal(doing, 0);
	assert_string_equal(subject_stat(&subject)->comm, "name");
	subject_begin(&subject, proc, 7, SUBJECT_EXE, &doing);
	assert_string_equal(subject_argv0(&subject), "it");
	assert_int_equal(doing, SUBJECT_CMDLINE);
	subject_begin(&subject, proc, 7, SUBJECT_CMDLINE, &doing);
	assert_string_equal(subject_exe(&subject), "/bin/it");
	assert_int_equal(doing, SUBJECT_EXE);
}

static void another_thread_speaks_for_one_that_has_ended(void **state)
{
	(void)state;
	put(&(struct fake_process){ .pid = 7, .state = 'Z', .threads = 2 });
	assert_null(subject_argv0(&subject));           /* there is none to ask */
	make_folder("7/task");
	make_folder("7/task/7");
	make_folder("7/task/9");
	fake_proc_write("7/task/9/cmdline", "half dead", 9);
	subject_begin(&subject, proc, 7, 0, NULL);
	assert_string_equal(subject_argv0(&subject), "half dead");
	fake_proc_write("7/task/9/status", "Name:\tx\nUid:\t5\t5\t5\n", 20);
	assert_false(subject_is_trusted(&subject, &(struct home){ .uid = 6 }));
	assert_true(subject_is_trusted(&subject, &(struct home){ .uid = 5 }));
	put(&(struct fake_process){ .pid = 7, .state = 'Z', .threads = 1 });
	assert_null(subject_argv0(&subject));
}

static bool is_trusted(const char *uids, uid_t uid)
{
	put(&(struct fake_process){ .pid = 7, .uids = uids });
	return subject_is_trusted(&subject, &(struct home){ .uid = uid });
}

static void root_and_the_one_who_asks_are_trusted_in_both_ids(void **state)
{
	(void)state;
	assert_true(is_trusted("0\t0", 77));
	assert_true(is_trusted("77\t77", 77));
	assert_true(is_trusted("77\t0", 77));
	assert_false(is_trusted("78\t0", 77));
	assert_false(is_trusted("0\t78", 77));
	assert_false(is_trusted("78\t78", 0));
	assert_false(is_trusted("x", 0));
	fake_proc_remove("7/status");
	subject_begin(&subject, proc, 7, 0, NULL);
	assert_false(subject_is_trusted(&subject, &(struct home){ .uid = 0 }));
}

static void the_real_one_is_at_home(void **state)
{
	struct sys_identity exe;
	struct home home;
	int real;

	(void)state;
	assert_int_equal(procfs_open("/proc", &real), 0);
	home_find(&home, real);
	assert_true(home.has_root && home.has_mounts);
	assert_int_equal(home.uid, getuid());
	subject_begin(&subject, real, getpid(), 0, NULL);
	assert_int_equal(subject_has_root_of(&subject, &home), 1);
	assert_false(subject_is_apart(&subject, &home));
	assert_int_equal(subject_identify_exe(&subject, &exe), 0);
	assert_true(exe.inode > 0);
	home.mounts.inode++;
	assert_true(subject_is_apart(&subject, &home));
	home.mounts.inode--;
	home.root.inode++;
	assert_true(subject_is_apart(&subject, &home));
	assert_int_equal(subject_has_root_of(&subject, &home), 0);
	fault_name("identify", -EACCES);
	assert_int_equal(subject_has_root_of(&subject, &home), -EACCES);
	assert_false(subject_is_apart(&subject, &home));
	sys_close(real);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(arguments_are_the_first_and_the_first_that_is_no_option),
		CASE(a_long_command_line_is_cut),
		CASE(each_file_is_read_once),
		CASE(what_is_stuck_is_not_touched_and_what_is_touched_is_said),
		CASE(another_thread_speaks_for_one_that_has_ended),
		CASE(root_and_the_one_who_asks_are_trusted_in_both_ids),
		CASE(the_real_one_is_at_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
