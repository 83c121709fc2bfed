/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/policy_kernel.h"
#include "lib/sys.h"

/* A socket of packets gives one record a read, as the kernel's log does. */
static int begin(void **state)
{
	static int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	*state = fds;
	return 0;
}

static int end(void **state)
{
	const int *fds = *state;

	fault_clear();
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static void log_record(const int *fds, const char *text)
{
	assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
}

static void note(void *context, const char *line)
{
	char *said = context;

	assert_true(strlen(said) + strlen(line) + 2 < 2048);
	strcat(strcat(said, line), "|");
}

static void what_is_about_selinux_is_handed_on(void **state)
{
	const int *fds = *state;
	char said[2048] = "";

	log_record(fds, "6,1,100,-;evm: security.selinux\n");
	log_record(fds, "3,2,101,-;SELinux:  policydb version 99 does not match my version range 15-33\n SUBSYSTEM=x\n");
	log_record(fds, "no record");
	log_record(fds, "3,3,102,-;SELinux: failed to \033[2J load policy\n");
	policy_kernel_said(fds[0], note, said);
	assert_string_equal(said, "SELinux:  policydb version 99 does not match my version range 15-33|"
		"SELinux: failed to ^[[2J load policy|");
}

static void of_many_lines_the_last_ones_count(void **state)
{
	const int *fds = *state;
	char said[2048] = "", text[64];

	for (int i = 1; i <= 100; i++) {
		(void)snprintf(text, sizeof text, "6,%d,1,-;SELinux:  Class %d not defined in policy.\n", i, i);
		log_record(fds, text);
	}
	policy_kernel_said(fds[0], note, said);
	assert_string_equal(said, "SELinux:  Class 97 not defined in policy.|SELinux:  Class 98 not defined in policy.|"
		"SELinux:  Class 99 not defined in policy.|SELinux:  Class 100 not defined in policy.|");
}

static void a_long_line_is_cut(void **state)
{
	const int *fds = *state;
	char said[2048] = "", text[1024] = "6,1,1,-;SELinux:";

	memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
	text[sizeof text - 1] = '\0';
	log_record(fds, text);
	policy_kernel_said(fds[0], note, said);
	assert_int_equal(strlen(said), 256);
}

static void a_log_that_fails_says_nothing_and_ends(void **state)
{
	static const int errors[] = { -EAGAIN, -EPIPE, -EINTR, -EIO };
	const int *fds = *state;

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		char said[2048] = "";

		fault_name("read", errors[i]);
		policy_kernel_said(fds[0], note, said);
		fault_clear();
		assert_string_equal(said, "");
	}
}

static void a_log_is_listened_to_from_its_end(void **state)
{
	struct init *in = fake_init_begin();
	char said[2048] = "";
	int fd;

	(void)state;
	assert_int_equal(policy_kernel_listen(), -ENOENT);
	fake_file("/dev/kmsg", "6,1,1,-;SELinux: of long ago\n", 0644);
	fd = policy_kernel_listen();
	assert_true(fd >= 0);
	policy_kernel_said(fd, note, said);
	assert_string_equal(said, "");
	close(fd);
	fault_name("lseek", -EINVAL);
	assert_int_equal(policy_kernel_listen(), -ENODATA);
	fault_clear();
	fake_init_end(in);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_about_selinux_is_handed_on),
		CASE(of_many_lines_the_last_ones_count),
		CASE(a_long_line_is_cut),
		CASE(a_log_that_fails_says_nothing_and_ends),
		CASE(a_log_is_listened_to_from_its_end),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
