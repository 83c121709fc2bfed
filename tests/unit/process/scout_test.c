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

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fake/proc.h"
#include "fake/sys.h"
#include "lib/sys.h"
#include "process/scout.h"

static struct match_rules rules;
static struct scout scout;
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
	fault_clear();
	scout_drop(&scout);
	sys_close(proc);
	fake_proc_end();
	return 0;
}

static void look_for(char *first, char *second)
{
	char *texts[] = { first, second };

	assert_int_equal(scout_begin(&scout, proc, &rules, texts, second ? 2 : 1), 0);
	scout.patience_ms = 400;
	assert_int_equal(scout_run(&scout), 0);
}

static void those_of_each_program_are_found(void **state)
{
	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 70, .comm = "one" });
	fake_proc_put(&(struct fake_process){ .pid = 80, .comm = "two", .cmdline = "t o", .cmdline_len = 3, .exe = "/no/two" });
	look_for((char[]){ "one" }, (char[]){ "/no/two" });
	assert_int_equal(scout.found[0].count, 1);
	assert_int_equal(scout.found[0].pid[0], 70);
	assert_int_equal(scout.found[1].count, 1);
	assert_int_equal(scout.found[1].pid[0], 80);
}

static void nobody_is_no_error(void **state)
{
	(void)state;
	look_for((char[]){ "one" }, (char[]){ "/no/two" });
	assert_int_equal(scout.found[0].count + scout.found[1].count, 0);
}

/* A FIFO for a command line is opened by nobody else: it stands for a lock that is never let go. */
static void one_that_hangs_holds_up_nobody(void **state)
{
	char path[256];
	FILE *file;

	(void)state;
	fake_proc_put(&(struct fake_process){ .pid = 70, .comm = "stuck" });
	fake_proc_put(&(struct fake_process){ .pid = 71, .comm = "free", .cmdline = "free", .cmdline_len = 4 });
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d/70/cmdline", proc);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	look_for((char[]){ "free" }, (char[]){ "stuck" });
	assert_int_equal(scout.found[0].count, 1);
	assert_int_equal(scout.found[0].pid[0], 71);
	assert_int_equal(scout.found[1].count, 1);
	assert_int_equal(scout.found[1].pid[0], 70);
	assert_true(scout.hazards >= 1);
	file = fopen("/proc/self/stat", "r");
	assert_non_null(file);
	fclose(file);
}

static void an_error_of_the_child_is_one(void **state)
{
	char *texts[] = { (char[]){ "one" } };

	(void)state;
	assert_int_equal(scout_begin(&scout, proc, &rules, texts, 1), 0);
	fault_name("getdents", -EIO);
	assert_int_equal(scout_run(&scout), -EPIPE);
	fault_name("fork", -EAGAIN);
	assert_int_equal(scout_run(&scout), -EAGAIN);
	fault_name("pipe", -EMFILE);
	assert_int_equal(scout_run(&scout), -EMFILE);
}

/* More than one batch, of real children. */
static void any_number_is_found_in_ascending_order(void **state)
{
	enum { MANY = 700 };
	static pid_t child[MANY];
	char *texts[] = { (char[]){ "scout_crowd" } };
	int real, fds[2], named[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(named), 0);
	for (int i = 0; i < MANY; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i])
			continue;
		prctl(PR_SET_NAME, "scout_crowd");
		close(fds[1]);
		_exit(write(named[1], "", 1) != 1 || read(fds[0], &byte, 1) != 0);
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(read(named[0], &byte, 1), 1);
	assert_int_equal(procfs_open("/proc", &real), 0);
	assert_int_equal(scout_begin(&scout, real, &rules, texts, 1), 0);
	scout.hazard = calloc(MANY, sizeof *scout.hazard);      /* so that the kernel's name alone is gone by */
	for (scout.hazards = 0; scout.hazards < MANY; scout.hazards++)
		scout.hazard[scout.hazards] = (struct scout_hazard){ child[scout.hazards], SUBJECT_CMDLINE };
	assert_int_equal(scout_run(&scout), 0);
	assert_int_equal(scout.found[0].count, MANY);
	for (int i = 1; i < MANY; i++)
		assert_true(scout.found[0].pid[i - 1] < scout.found[0].pid[i]);
	close(fds[1]);
	close(fds[0]);
	close(named[0]);
	close(named[1]);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(waitpid(child[i], NULL, 0), child[i]);
	sys_close(real);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(those_of_each_program_are_found),
		CASE(nobody_is_no_error),
		CASE(one_that_hangs_holds_up_nobody),
		CASE(an_error_of_the_child_is_one),
		CASE(any_number_is_found_in_ascending_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
