/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/control.h"
#include "init/report.h"
#include "lib/io.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(report_open(in), 0);
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* Any bytes and descriptors, as a child gone wrong would send them. */
static void send_raw(struct init *in, const void *bytes, size_t len, const int *fds, int count)
{
	struct iovec data = { (void *)bytes, len };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} control;

	memset(&control, 0, sizeof control);
	if (count) {
		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE((size_t)count * sizeof *fds);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN((size_t)count * sizeof *fds);
		memcpy(CMSG_DATA(&control.head), fds, (size_t)count * sizeof *fds);
	}
	assert_int_equal(sendmsg(in->report_child_fd, &message, MSG_DONTWAIT), (ssize_t)len);
}

static void lines_go_to_the_sinks_they_name(void **state)
{
	struct init *in = *state;

	report_log_in_child(in, LOG_TO_BOTH, "both %d", 1);
	report_log_in_child(in, LOG_TO_CONSOLE, "console %s", "2");
	report_log_in_child(in, LOG_TO_SYSLOG, "syslog");
	report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "both 1");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "console 2");
	assert_null(fake_said(in, SINK_CONSOLE));
	assert_string_equal(fake_said(in, SINK_SYSLOG), "both 1");
	assert_string_equal(fake_said(in, SINK_SYSLOG), "syslog");
	assert_null(fake_said(in, SINK_SYSLOG));
}

static void a_child_cannot_write_records(void **state)
{
	struct init *in = *state;

	report_log_in_child(in, ~0u, "%s", "\001\001 not a record");
	report_read(in);
	assert_null(fake_said(in, SINK_RECORDS));
	assert_null(fake_said(in, SINK_WTMP));
	assert_non_null(fake_said(in, SINK_CONSOLE));
}

static void what_is_said_is_text_whatever_percent_signs_it_has(void **state)
{
	struct init *in = *state;

	report_log_in_child(in, LOG_TO_CONSOLE, "%s", "%s%n%s 100%");
	report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "%s%n%s 100%");
}

static void a_long_line_is_cut(void **state)
{
	struct init *in = *state;
	char text[REPORT_TEXT_MAX * 3];

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	report_log_in_child(in, LOG_TO_CONSOLE, "%s", text);
	report_read(in);
	assert_int_equal(strlen(fake_said(in, SINK_CONSOLE)), REPORT_TEXT_MAX);
}

static void the_console_that_was_found_is_remembered(void **state)
{
	struct init *in = *state;
	char long_name[200];

	report_in_child(in, REPORT_CONSOLE, "/dev/ttyS0", NULL, 0);
	report_read(in);
	assert_string_equal(in->console, "/dev/ttyS0");
	memset(long_name, 'y', sizeof long_name);
	long_name[sizeof long_name - 1] = '\0';
	report_in_child(in, REPORT_CONSOLE, long_name, NULL, 0);
	report_in_child(in, REPORT_CONSOLE, "", NULL, 0);
	report_read(in);
	assert_string_equal(in->console, "/dev/ttyS0");
}

static void answers_and_power_go_where_they_belong(void **state)
{
	struct init *in = *state;

	report_in_child(in, REPORT_LEVEL, "4", NULL, 0);
	report_in_child(in, REPORT_POWER, "O", NULL, 0);
	report_read(in);
	assert_int_equal(in->level.answered, '4');
	assert_int_equal(in->level.events, LEVEL_SIGNAL_POWER_OK);
}

static void sixty_four_reports_are_read_a_turn(void **state)
{
	struct init *in = *state;

	for (int i = 0; i < 100; i++)
		report_log_in_child(in, LOG_TO_CONSOLE, "%d", i);
	assert_true(report_read(in));
	for (int i = 0; i < 64; i++)
		assert_int_equal(atoi(fake_said(in, SINK_CONSOLE)), i);
	assert_null(fake_said(in, SINK_CONSOLE));
	assert_false(report_read(in));
	for (int i = 64; i < 100; i++)
		assert_int_equal(atoi(fake_said(in, SINK_CONSOLE)), i);
	assert_false(report_read(in));
}

/* --- what is not a report --- */

static void reports_of_any_kind_and_length_do_no_harm(void **state)
{
	static const uint32_t kinds[] = { REPORT_NONE, REPORT_LOG, REPORT_CONSOLE, REPORT_DOOR, REPORT_LEVEL,
		REPORT_POWER, REPORT_MOUNTS, REPORT_COUNT, 1000, UINT32_MAX };
	struct init *in = *state;
	char bytes[4096];
	struct report report;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		for (size_t len = 0; len <= sizeof bytes; len = len < 16 ? len + 1 : len * 2) {
			memset(bytes, 'z', sizeof bytes);
			report = (struct report){ .kind = kinds[i], .sinks = ~0u };
			memcpy(bytes, &report, offsetof(struct report, text));
			send_raw(in, bytes, len, NULL, 0);
			report_read(in);
			assert_null(fake_said(in, SINK_RECORDS));
			fake_forget_said(in);
		}
	assert_int_equal(in->level.answered, 0);
	assert_true(strlen(in->console) < sizeof in->console);
}

static void an_unknown_kind_is_nothing(void **state)
{
	struct init *in = *state;
	struct report report = { .kind = REPORT_COUNT, .sinks = LOG_TO_BOTH, .text = "text" };
	struct init before;

	send_raw(in, &report, sizeof report, NULL, 0);
	report.kind = UINT32_MAX;
	send_raw(in, &report, sizeof report, NULL, 0);
	memcpy(&before, in, sizeof before);
	report_read(in);
	assert_memory_equal(&before, in, sizeof before);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void an_empty_report_hides_none_behind_it(void **state)
{
	struct init *in = *state;

	send_raw(in, "", 0, NULL, 0);
	report_log_in_child(in, LOG_TO_CONSOLE, "behind");
	report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "behind");
}

/* Whatever comes along with whatever report, nothing of it stays open that nobody asked for. */
static void descriptors_never_leak(void **state)
{
	struct init *in = *state;
	struct report report = { .text = "x" };
	int fds[60], before, pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	for (int i = 0; i < 60; i++)
		fds[i] = pipe_fds[i & 1];
	before = fds_open();
	for (uint32_t kind = 0; kind <= REPORT_COUNT; kind++)
		for (size_t len = 0; len <= sizeof report; len += kind == REPORT_DOOR ? 4 : 8)
			for (int count = 1; count <= 60; count += count < 6 ? 1 : 27) {
				/* A whole one from the doorkeeper is the control channel: that has a test. */
				if ((kind == REPORT_DOOR || kind == REPORT_MOUNTS) && len > offsetof(struct report, text))
					continue;
				report.kind = kind;
				send_raw(in, &report, len, fds, count);
				report_read(in);
				/* The newest list of children is held, no other. */
				if (fds_open() != before + (in->children_fd >= 0))
					fail_msg("kind %u, %zu bytes, %d descriptors: %d too many", kind, len, count,
						fds_open() - before);
			}
}

static void descriptors_of_the_doorkeeper_are_all_held_or_closed(void **state)
{
	struct init *in = *state;
	struct report report = { .kind = REPORT_DOOR, .text = "x" };
	int pipe_fds[2], fds[8], before;

	in->epoll_fd = sys_epoll_create();
	assert_int_equal(pipe(pipe_fds), 0);
	io_reserve(CONTROL_FD);
	control_open(in);
	for (int i = 0; i < 8; i++)
		fds[i] = pipe_fds[0];
	for (int round = 0; round < 4; round++)
		for (int count = 1; count <= 8; count++) {
			before = fds_open();
			report.kind = round & 1 ? REPORT_MOUNTS : REPORT_DOOR;
			in->control.is_closed = round & 2;
			send_raw(in, &report, sizeof report, fds, count);
			report_read(in);
			before += (in->control.fd >= 0 && in->control.fd != CONTROL_FD) + (in->control.mounts_fd >= 0) + in->control.old_count;
			assert_int_equal(fds_open(), before);
			/* Back to nothing held. */
			if (in->control.fd >= 0)
				assert_int_equal(dup2(0, in->control.fd), CONTROL_FD);
			if (in->control.mounts_fd >= 0)
				close(in->control.mounts_fd);
			while (in->control.old_count)
				close(in->control.old_fd[--in->control.old_count]);
			in->control.fd = in->control.mounts_fd = -1;
		}
}

static void whatever_call_fails_nothing_leaks(void **state)
{
	struct init *in = *state;
	int before, nth = 0, pipe_fds[2];
	bool fired;

	assert_int_equal(pipe(pipe_fds), 0);
	before = fds_open();
	do {
		report_in_child(in, REPORT_CONSOLE, "/dev/x", pipe_fds, 2);
		fault_arm(++nth, -EIO);
		report_read(in);
		fired = fault_fired();
		report_read(in);
		assert_int_equal(fds_open(), before);
	} while (fired);
	assert_true(nth > 2);
}

static void without_a_channel_a_child_goes_on_in_silence(void **state)
{
	struct init *in = *state;

	close(in->report_fd);
	close(in->report_child_fd);
	in->report_fd = in->report_child_fd = -1;
	report_log_in_child(in, LOG_TO_BOTH, "nobody hears");
	assert_false(report_read(in));
}

static void lines_that_children_could_not_send_are_counted(void **state)
{
	struct init *in = *state;
	int fd = in->report_child_fd;
	pid_t pid;

	report_tend(in);
	assert_null(fake_said(in, SINK_CONSOLE));
	in->report_child_fd = -1;
	fake_processes(0);
	pid = fork();
	if (!pid) {
		report_log_in_child(in, LOG_TO_BOTH, "one");
		report_log_in_child(in, LOG_TO_SYSLOG, "two");
		report_in_child(in, REPORT_LEVEL, "2", NULL, 0);        /* no line */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	report_tend(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "2 messages lost");
	assert_string_equal(fake_said(in, SINK_SYSLOG), "2 messages lost");
	report_tend(in);
	assert_null(fake_said(in, SINK_CONSOLE));

	report_shed(in);
	report_log_in_child(in, LOG_TO_BOTH, "uncounted");
	report_tend(in);
	in->report_child_fd = fd;
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void a_channel_works_without_memory_for_a_count(void **state)
{
	struct init *in = *state;

	report_shed(in);
	close(in->report_fd);
	close(in->report_child_fd);
	fault_name("map", -ENOMEM);
	assert_int_equal(report_open(in), 0);
	assert_true(fault_fired());
	fault_clear();
	report_log_in_child(in, LOG_TO_CONSOLE, "heard");
	(void)report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "heard");
}

static void a_channel_that_cannot_be_made_is_an_error(void **state)
{
	struct init *in = *state;

	fault_name("socketpair", -EMFILE);
	assert_int_equal(report_open(in), -EMFILE);
	fault_clear();
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(lines_go_to_the_sinks_they_name),
		CASE(a_child_cannot_write_records),
		CASE(what_is_said_is_text_whatever_percent_signs_it_has),
		CASE(a_long_line_is_cut),
		CASE(the_console_that_was_found_is_remembered),
		CASE(answers_and_power_go_where_they_belong),
		CASE(sixty_four_reports_are_read_a_turn),
		CASE(reports_of_any_kind_and_length_do_no_harm),
		CASE(an_unknown_kind_is_nothing),
		CASE(an_empty_report_hides_none_behind_it),
		CASE(descriptors_never_leak),
		CASE(descriptors_of_the_doorkeeper_are_all_held_or_closed),
		CASE(whatever_call_fails_nothing_leaks),
		CASE(without_a_channel_a_child_goes_on_in_silence),
		CASE(lines_that_children_could_not_send_are_counted),
		CASE(a_channel_works_without_memory_for_a_count),
		CASE(a_channel_that_cannot_be_made_is_an_error),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
