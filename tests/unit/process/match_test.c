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

#include "fake/proc.h"
#include "fake/sys.h"
#include "lib/sys.h"
#include "process/match.h"

#define WORDS(text) .cmdline = text, .cmdline_len = sizeof text - 1

/* The file that stands for a program: its links in the tree lead to it. */
#define PROGRAM "/proc/self/exe"

static struct subject subject;
static struct match_rules rules;
static int proc;

static int begin(void **state)
{
	(void)state;
	fault_clear();
	rules = (struct match_rules){ .home = { .uid = 0 } };
	return procfs_open(fake_proc_begin(), &proc);
}

static int end(void **state)
{
	(void)state;
	sys_close(proc);
	fake_proc_end();
	return 0;
}

static bool is(const struct fake_process *process, const char *text, enum match_pass pass)
{
	struct target target;

	fake_proc_put(process);
	subject_begin(&subject, proc, process->pid, 0, NULL);
	target_set(&target, text);
	target_resolve(&target);
	return match_is(&subject, &target, &rules, pass);
}

static bool by_name(const struct fake_process *process, const char *text)
{
	assert_false(is(process, text, MATCH_BY_NAME));         /* a bare name is a matter of the first pass */
	return is(process, text, MATCH_BY_FILE);
}

static void a_bare_name_is_the_first_argument_or_its_base(void **state)
{
	const struct fake_process process = { .pid = 7, .comm = "slp", WORDS("d/slp\0" "100\0") };

	(void)state;
	assert_true(by_name(&process, "slp"));
	assert_true(by_name(&process, "d/slp"));
	assert_false(by_name(&process, "x/slp"));
	assert_false(by_name(&process, "sl"));
	assert_false(by_name(&process, "100"));
	assert_false(by_name(&process, ""));
	assert_false(by_name(&process, "slp/"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, WORDS("slp\0") }, "x/slp"));
}

static void the_kernels_name_counts_where_the_command_line_is_no_name(void **state)
{
	(void)state;
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "nginx", WORDS("nginx: master\0") }, "nginx"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "kthreadd" }, "kthreadd"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "empty", WORDS("\0") }, "empty"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "bash", WORDS("-bash\0") }, "bash"));
	assert_false(by_name(&(struct fake_process){ .pid = 7, .comm = "bash", WORDS("-bash\0more\0") }, "bash"));
	assert_false(by_name(&(struct fake_process){ .pid = 7, .comm = "other", WORDS("me\0") }, "other"));
	assert_false(by_name(&(struct fake_process){ .pid = 7, .comm = "ngin", WORDS("ngin x\0") }, "nginx"));
	assert_false(by_name(&(struct fake_process){ .pid = 7, .comm = "nginxx", WORDS("nginxx x\0") }, "nginx"));
}

static void a_name_that_the_kernel_cut_needs_its_file_for_a_witness(void **state)
{
	struct fake_process process = { .pid = 7, .comm = "a_name_of_twent", WORDS("a title\0") };

	(void)state;
	assert_true(by_name(&process, "a_name_of_twent"));
	assert_false(by_name(&process, "a_name_of_twenty_one"));
	process.exe = "/opt/a_name_of_twenty_one";
	assert_true(by_name(&process, "a_name_of_twenty_one"));
	assert_false(by_name(&process, "a_name_of_twenty"));
	process.exe = "/opt/a_name_of_twenty_one (deleted)";
	assert_true(by_name(&process, "a_name_of_twenty_one"));
}

static void scripts_are_found_when_they_are_asked_for(void **state)
{
	const struct fake_process script = { .pid = 7, .comm = "script_of_a_lon", WORDS("/bin/sh\0-e\0/etc/script_of_a_long_name\0") };
	const struct fake_process plain = { .pid = 7, .comm = "sh", WORDS("/bin/sh\0/etc/script_of_a_long_name\0") };

	(void)state;
	assert_false(by_name(&script, "script_of_a_long_name"));
	rules.with_scripts = true;
	assert_true(by_name(&script, "script_of_a_long_name"));
	assert_true(is(&script, "/etc/script_of_a_long_name", MATCH_BY_NAME) || !script.exe);
	assert_false(by_name(&plain, "script_of_a_long_name"));
}

static void zombies_are_left_out_unless_asked_for(void **state)
{
	const struct fake_process zombie = { .pid = 7, .comm = "dead", .state = 'Z' };

	(void)state;
	assert_false(by_name(&zombie, "dead"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "dead", .state = 'D' }, "dead"));
	assert_true(by_name(&(struct fake_process){ .pid = 7, .comm = "dead", .state = 'Z', .threads = 3 }, "dead"));
	rules.with_zombies = true;
	assert_true(by_name(&zombie, "dead"));
}

static void a_path_is_a_program_file_deleted_or_not(void **state)
{
	struct fake_process process = { .pid = 7, WORDS("whatever\0"), .exe = "/nonexistent/tool" };

	(void)state;
	assert_true(is(&process, "/nonexistent/tool", MATCH_BY_FILE));
	assert_false(is(&process, "/nonexistent/tool", MATCH_BY_NAME));
	assert_false(is(&process, "/nonexistent/too", MATCH_BY_FILE));
	process.exe = "/nonexistent/tool (deleted)";
	assert_true(is(&process, "/nonexistent/tool", MATCH_BY_FILE));
	assert_false(is(&process, "tool", MATCH_BY_FILE));
}

static void elsewhere_the_same_path_needs_the_same_file(void **state)
{
	/* No root and no mounts in the tree: as if they were ours. With some of its own, it is elsewhere. */
	struct fake_process process = { .pid = 7, WORDS("sh\0"), .exe = "/bin/sh" };
	char real[PATH_MAX];

	(void)state;
	assert_non_null(realpath("/bin/sh", real));
	process.exe = real;
	assert_true(is(&process, "/bin/sh", MATCH_BY_FILE));
	fake_proc_write("7/root", "", 0);
	rules.home.has_root = true;
	assert_true(is(&process, "/bin/sh", MATCH_BY_FILE));    /* the link leads to the same file */
	process.exe = "/nonexistent/tool";
	assert_false(is(&process, "/nonexistent/tool", MATCH_BY_FILE));
	rules.same_root = true;
	process.exe = real;
	assert_false(is(&process, "/bin/sh", MATCH_BY_FILE));
}

static void who_calls_himself_a_path_is_believed_if_he_is_root(void **state)
{
	struct fake_process process = { .pid = 7, WORDS("/usr/bin/true\0"), .exe = "/usr/bin/sleep" };

	(void)state;
	assert_false(is(&process, "/usr/bin/true", MATCH_BY_FILE));
	assert_true(is(&process, "/usr/bin/true", MATCH_BY_NAME));
	process.uids = "65534\t65534";
	assert_false(is(&process, "/usr/bin/true", MATCH_BY_NAME));
	rules.with_scripts = true;
	assert_false(is(&process, "/usr/bin/true", MATCH_BY_NAME));
	rules.home.uid = 65534;
	assert_true(is(&process, "/usr/bin/true", MATCH_BY_NAME));
}

static void what_may_not_be_seen_goes_by_name_if_there_is_such_a_program(void **state)
{
	const struct fake_process hidden = { .pid = 7, .comm = "sh", WORDS("sh\0") };
	const struct fake_process other = { .pid = 7, .comm = "foo", WORDS("foo\0") };

	(void)state;
	assert_false(is(&hidden, "/bin/sh", MATCH_BY_NAME));            /* root sees all that have a file */
	rules.home.uid = 1000;
	assert_true(is(&hidden, "/bin/sh", MATCH_BY_NAME));
	assert_false(is(&other, "/nonexistent/foo", MATCH_BY_NAME));
}

static void one_that_is_stuck_goes_by_the_kernels_name(void **state)
{
	const struct fake_process process = { .pid = 7, .comm = "stuck", WORDS("stuck\0") };
	struct target target;

	(void)state;
	fake_proc_put(&process);
	subject_begin(&subject, proc, 7, SUBJECT_CMDLINE, NULL);
	target_set(&target, "stuck");
	assert_true(match_is(&subject, &target, &rules, MATCH_BY_FILE));
	target_set(&target, "other");
	assert_false(match_is(&subject, &target, &rules, MATCH_BY_FILE));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_bare_name_is_the_first_argument_or_its_base),
		CASE(the_kernels_name_counts_where_the_command_line_is_no_name),
		CASE(a_name_that_the_kernel_cut_needs_its_file_for_a_witness),
		CASE(scripts_are_found_when_they_are_asked_for),
		CASE(zombies_are_left_out_unless_asked_for),
		CASE(a_path_is_a_program_file_deleted_or_not),
		CASE(elsewhere_the_same_path_needs_the_same_file),
		CASE(who_calls_himself_a_path_is_believed_if_he_is_root),
		CASE(what_may_not_be_seen_goes_by_name_if_there_is_such_a_program),
		CASE(one_that_is_stuck_goes_by_the_kernels_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
