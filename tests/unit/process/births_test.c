/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/proc.h"
#include "fake/sys.h"
#include "process/births.h"

static void write_text(const char *name, const char *text)
{
	fake_proc_write(name, text, strlen(text));
}

static void the_better_file_is_asked_and_asked_anew(void **state)
{
	int proc = open(fake_proc_begin(), O_RDONLY | O_DIRECTORY), fd;

	(void)state;
	assert_int_equal(births_open(proc), -1);
	write_text("loadavg", "0.10 0.11 0.12 3/250 77\n");
	fd = births_open(proc);
	assert_int_equal(births_last(fd), 77);
	write_text("loadavg", "0.10 0.11 0.12 3/250 78\n");
	assert_int_equal(births_last(fd), 78);
	close(fd);
	fake_proc_folder("sys");
	fake_proc_folder("sys/kernel");
	write_text("sys/kernel/ns_last_pid", "4000000\n");
	fd = births_open(proc);
	assert_int_equal(births_last(fd), 4000000);
	close(fd);
	close(proc);
	fake_proc_end();
}

static void what_is_no_number_is_not_believed(void **state)
{
	static const char *const texts[] = { "", "\n", "12", "x\n", "1 2 x\n", "-5\n", "99999999999\n" };
	int proc = open(fake_proc_begin(), O_RDONLY | O_DIRECTORY), before = fds_open();

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		write_text("loadavg", texts[i]);
		assert_int_equal(births_open(proc), -1);
	}
	assert_int_equal(births_last(-1), -1);
	assert_int_equal(fds_open(), before);
	close(proc);
	fake_proc_end();
}

/* As lxcfs puts one over /proc/loadavg: here one of another file system. */
static void a_file_that_is_mounted_over_it_is_not_asked(void **state)
{
	int proc = open(fake_proc_begin(), O_RDONLY | O_DIRECTORY), real = open("/proc", O_RDONLY | O_DIRECTORY), fd;

	(void)state;
	assert_int_equal(symlinkat("/proc/loadavg", proc, "loadavg"), 0);
	assert_int_equal(births_open(proc), -1);
	fd = births_open(real);
	assert_true(fd < 0 || births_last(fd) > 0);     /* a container's may be such a file */
	close(fd);
	close(real);
	close(proc);
	fake_proc_end();
}

static void every_failure_leaves_nothing_open(void **state)
{
	int proc = open(fake_proc_begin(), O_RDONLY | O_DIRECTORY), before = fds_open(), nth = 0, fd;

	(void)state;
	write_text("loadavg", "1 2 3 4/5 6\n");
	do {
		fault_arm(++nth, -EIO);
		fd = births_open(proc);
		if (fd >= 0)
			close(fd);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	close(proc);
	fake_proc_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_better_file_is_asked_and_asked_anew),
		cmocka_unit_test(what_is_no_number_is_not_believed),
		cmocka_unit_test(a_file_that_is_mounted_over_it_is_not_asked),
		cmocka_unit_test(every_failure_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
