/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/writer.h"

/* A target that notes what is done to it, and fails as it is told. */
struct target {
	char did[256];
	int open_err, write_err;
	size_t takes;
};

static void note(struct target *target, const char *what)
{
	strcat(target->did, what);
	strcat(target->did, " ");
}

static int target_open(void *context, uint64_t *device)
{
	struct target *target = context;

	note(target, "open");
	*device = 77;
	return target->open_err;
}

static int target_write(void *context, const char *bytes, size_t len_bytes, size_t *written)
{
	struct target *target = context;
	char text[64];

	assert_true(len_bytes < sizeof text);
	memcpy(text, bytes, len_bytes);
	text[len_bytes] = '\0';
	note(target, text);
	*written = target->write_err && target->takes < len_bytes ? target->takes : len_bytes;
	return target->write_err;
}

static int target_sync(void *context)
{
	note(context, "sync");
	return 0;
}

static void target_close(void *context)
{
	note(context, "close");
}

static const struct writer_ops ops = {
	.name = "target", .open = target_open, .write = target_write, .sync = target_sync, .close = target_close,
};

/* Sends the orders and then the end, has the writer run, and gives back the last answer. */
static struct writer_report run(struct target *target, const uint32_t *orders, int count)
{
	struct writer_report report = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (int i = 0; i < count; i++) {
		struct writer_packet packet = { .order = orders[i], .bytes = "abc" };
		size_t len = offsetof(struct writer_packet, bytes) + (orders[i] == WRITER_WRITE ? 3 : 0);

		assert_int_equal(send(fds[0], &packet, len, 0), len);
	}
	shutdown(fds[0], SHUT_WR);
	assert_int_equal(writer_run(fds[1], &ops, target), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(recv(fds[0], &report, sizeof report, MSG_DONTWAIT), sizeof report);
	close(fds[0]);
	close(fds[1]);
	return report;
}

static void it_opens_when_it_must_and_closes_at_the_end(void **state)
{
	static const uint32_t orders[] = { WRITER_WRITE, WRITER_WRITE, WRITER_SYNC, WRITER_OPEN };
	struct target target = { 0 };
	struct writer_report report = run(&target, orders, 4);

	(void)state;
	assert_string_equal(target.did, "open abc abc sync close ");
	assert_int_equal(report.err, 0);
	assert_int_equal(report.is_open, 1);
	assert_int_equal(report.device, 77);
}

static void it_opens_anew_when_told(void **state)
{
	static const uint32_t orders[] = { WRITER_OPEN, WRITER_REOPEN, WRITER_WRITE };
	struct target target = { 0 };
	struct writer_report report = run(&target, orders, 3);

	(void)state;
	assert_string_equal(target.did, "open close open abc close ");
	assert_int_equal(report.written, 3);
}

static void a_failed_open_is_told_and_tried_again(void **state)
{
	static const uint32_t orders[] = { WRITER_WRITE, WRITER_SYNC, WRITER_WRITE };
	struct target target = { .open_err = -ENOENT };
	struct writer_report report = run(&target, orders, 3);

	(void)state;
	assert_string_equal(target.did, "open open ");
	assert_int_equal(report.err, -ENOENT);
	assert_int_equal(report.written, 0);
	assert_int_equal(report.is_open, 0);
}

static void a_partial_write_is_told_as_such(void **state)
{
	static const uint32_t orders[] = { WRITER_WRITE };
	struct target target = { .write_err = -ENOSPC, .takes = 2 };
	struct writer_report report = run(&target, orders, 1);

	(void)state;
	assert_int_equal(report.err, -ENOSPC);
	assert_int_equal(report.written, 2);
	assert_int_equal(report.is_open, 1);
}

static void a_hung_up_terminal_is_opened_anew_the_next_time(void **state)
{
	static const uint32_t orders[] = { WRITER_WRITE, WRITER_WRITE };
	struct target target = { .write_err = -EIO };
	struct writer_report report = run(&target, orders, 2);

	(void)state;
	assert_string_equal(target.did, "open abc close open abc close ");
	assert_int_equal(report.is_open, 0);
}

static void it_ends_when_nobody_takes_its_answer(void **state)
{
	struct writer_packet packet = { .order = WRITER_OPEN };
	struct target target = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(send(fds[0], &packet, offsetof(struct writer_packet, bytes), 0), offsetof(struct writer_packet, bytes));
	close(fds[0]);
	assert_int_equal(writer_run(fds[1], &ops, &target), 0);
	assert_string_equal(target.did, "open close ");
	close(fds[1]);
}

static void local_time_is_told_with_each_answer(void **state)
{
	static const uint32_t orders[] = { WRITER_OPEN };
	struct target target = { 0 };

	(void)state;
	setenv("TZ", "XYZ-3:30", 1);
	assert_int_equal(run(&target, orders, 1).east_s, 12600);
	setenv("TZ", "UTC", 1);
	assert_int_equal(run(&target, orders, 1).east_s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_opens_when_it_must_and_closes_at_the_end),
		cmocka_unit_test(it_opens_anew_when_told),
		cmocka_unit_test(a_failed_open_is_told_and_tried_again),
		cmocka_unit_test(a_partial_write_is_told_as_such),
		cmocka_unit_test(a_hung_up_terminal_is_opened_anew_the_next_time),
		cmocka_unit_test(it_ends_when_nobody_takes_its_answer),
		cmocka_unit_test(local_time_is_told_with_each_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
