/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"
#include "power/downrecord.h"

static void the_record_is_the_one_that_last_knows(void **state)
{
	struct utmp_record record, rest = { 0 };
	struct utsname kernel;
	struct wall before;

	(void)state;
	tree_put("/var/log/wtmp", "");
	before = wall_now();
	assert_int_equal(downrecord_append(), 0);
	memcpy(&record, tree_get("/var/log/wtmp"), sizeof record);
	assert_int_equal(uname(&kernel), 0);
	assert_int_equal(record.type, UTMP_RUN_LVL);
	assert_int_equal(record.pid, 0);
	assert_string_equal(record.user, "shutdown");
	assert_memory_equal(record.id, "~~\0\0", 4);
	assert_string_equal(record.line, "~~");
	assert_string_equal(record.host, kernel.release);
	assert_true((uint32_t)record.s >= (uint32_t)before.s);
	assert_in_range(record.us, 0, 999999);
	assert_memory_equal(record.address, rest.address, sizeof rest.address);
	assert_memory_equal(record.reserved, rest.reserved, sizeof rest.reserved);
}

static void an_absent_file_is_not_made(void **state)
{
	(void)state;
	tree_dir("/var/log");
	assert_int_equal(downrecord_append(), 0);
	assert_false(tree_has("/var/log/wtmp"));
}

static void what_is_no_file_is_an_error(void **state)
{
	(void)state;
	tree_dir("/var/log/wtmp");
	assert_int_equal(downrecord_append(), -EISDIR);
}

/* Held by a process that never gives it back: libc's own wait is 10 s, and it then drops the record. */
static void a_lock_does_not_cost_the_record(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	int fds[2];
	pid_t pid;
	char byte;

	(void)state;
	tree_put("/var/log/wtmp", "");
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		int fd = open(tree_path("/var/log/wtmp"), O_RDWR);

		if (!fcntl(fd, F_SETLK, &lock) && write(fds[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(downrecord_append(), 0);
	assert_int_equal(stat(tree_path("/var/log/wtmp"), &st), 0);
	assert_int_equal(st.st_size, sizeof(struct utmp_record));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(the_record_is_the_one_that_last_knows),
		CASE(an_absent_file_is_not_made),
		CASE(what_is_no_file_is_an_error),
		CASE(a_lock_does_not_cost_the_record),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
