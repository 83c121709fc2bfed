/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fake/record.h"
#include "fake/sys.h"
#include "records/alive.h"

/* A machine that came up at 1,700,000,000 and has run for 1,000 s. */
#define BOOT_S INT64_C(1700000000)
#define UPTIME_S INT64_C(1000)

static char dir[64];

static void in_dir(const char *name, char path[128])
{
	snprintf(path, 128, "%s%s", dir, name);
}

static void folder(const char *name)
{
	char path[128];

	in_dir(name, path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/alive_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	folder("/proc");
	folder("/dev");
	folder("/dev/pts");
	fake_root(dir);
	fake_clock_set(UPTIME_S * 1000000000, (BOOT_S + UPTIME_S) * 1000000000);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	fault_clear();
	fake_root(NULL);
	fake_clock_set(-1, -1);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

/* This process, with a terminal and a start as told. */
static void process(unsigned tty, int64_t started_s)
{
	char name[64], path[128];
	FILE *file;

	snprintf(name, sizeof name, "/proc/%d", (int)getpid());
	in_dir(name, path);
	if (access(path, F_OK))
		folder(name);
	snprintf(name, sizeof name, "/proc/%d/stat", (int)getpid());
	in_dir(name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d (a) b) c) S 1 2 3 %u 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %lld 20 21 22\n", (int)getpid(), tty,
		(long long)started_s * sysconf(_SC_CLK_TCK));
	assert_int_equal(fclose(file), 0);
}

static bool is_alive(int32_t pid, const char *line, int64_t s)
{
	struct fake_file file = { .layout = layout_native(false) };
	struct record record;

	fake_add(&file, 7, pid, line, "bob", s);
	record = fake_record(&file, 0);
	return alive_session(NULL, &record);
}

static void a_process_that_is_no_more_ends_it(void **state)
{
	(void)state;
	fault_name("kill", -ESRCH);
	assert_false(is_alive(4711, "tty1", BOOT_S + 5));
	fault_name("kill", -EPERM);
	assert_true(is_alive(4711, "tty1", BOOT_S + 5));
}

static void without_a_pid_nothing_is_known(void **state)
{
	(void)state;
	fault_name("kill", -ESRCH);
	assert_true(is_alive(0, "tty1", BOOT_S + 5));
	assert_true(is_alive(-3, "tty1", BOOT_S + 5));
}

static void a_process_that_began_after_the_record_is_another(void **state)
{
	(void)state;
	process(0, 500);
	assert_true(is_alive(getpid(), "tty1", BOOT_S + 500));
	assert_true(is_alive(getpid(), "tty1", BOOT_S + 500 - ALIVE_SLACK_S));
	assert_false(is_alive(getpid(), "tty1", BOOT_S + 500 - ALIVE_SLACK_S - 1));
	assert_true(is_alive(getpid(), "tty1", BOOT_S + 900));
}

static void a_process_on_another_terminal_is_another(void **state)
{
	struct stat st;
	char path[128];

	(void)state;
	in_dir("/dev/null0", path);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	process((major(st.st_rdev) & 0xfff) << 8 | (minor(st.st_rdev) & 0xff), 500);
	assert_true(is_alive(getpid(), "null0", BOOT_S + 600));
	process((major(st.st_rdev) & 0xfff) << 8 | (minor(st.st_rdev) & 0xff) << 1, 500);
	assert_false(is_alive(getpid(), "null0", BOOT_S + 600));
	process(0, 500);
	assert_true(is_alive(getpid(), "null0", BOOT_S + 600));
}

/* The name is a stranger's: nothing outside of /dev is looked at. */
static void a_line_that_is_no_terminal_says_nothing(void **state)
{
	(void)state;
	process(0x8801, 500);
	assert_true(is_alive(getpid(), ":0", BOOT_S + 600));
	assert_true(is_alive(getpid(), "pts/77", BOOT_S + 600));
	assert_true(is_alive(getpid(), "", BOOT_S + 600));
	fault_name("stat", -EIO);
	assert_true(is_alive(getpid(), "../null", BOOT_S + 600));
	assert_false(fault_fired());
}

static void without_proc_the_pid_must_do(void **state)
{
	(void)state;
	assert_true(is_alive(getpid(), "tty1", 5));
	process(0, 500);
	fault_name("open", -EACCES);
	assert_true(is_alive(getpid(), "tty1", 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_process_that_is_no_more_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_pid_nothing_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_that_began_after_the_record_is_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_on_another_terminal_is_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_that_is_no_terminal_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_proc_the_pid_must_do, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
