/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer at the other end of the socket is the test itself, or a child that it tells what to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/outlet.h"

enum { BACKLOG = 64 };

static struct outlet outlet;
static int theirs;
static struct mono now;

/* Dies of its first packet. */
static void dead_child(void *context, int socket)
{
	char byte;

	(void)context;
	for (int fd = 3; fd < 256; fd++)        /* the other end, too */
		if (fd != socket)
			close(fd);
	_exit(recv(socket, &byte, 1, 0) < 0);
}

static void later_ms(int64_t ms)
{
	now = mono_after_ms(now, ms);
}

/* An outlet whose writer is this process. */
static int begin(void **state)
{
	int fds[2];

	(void)state;
	now = (struct mono){ 1000000000 };
	outlet = (struct outlet){ .name = "it", .child = dead_child, .packet_bytes = 4096, .state = OUTLET_READY, .at_line_begin = true };
	if (backlog_make(&outlet.backlog, BACKLOG) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return -1;
	outlet.fd = fds[0];
	theirs = fds[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	outlet_end(&outlet);
	outlet_end(&outlet);            /* twice does no harm */
	close(theirs);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

static void put(const char *text)
{
	outlet_put(&outlet, text, strlen(text));
}

/* What the writer gets next; NULL: nothing. */
static const char *got(uint32_t *order)
{
	static char text[WRITER_BYTES_MAX + 1];
	struct writer_packet packet;
	ssize_t len = recv(theirs, &packet, sizeof packet, MSG_DONTWAIT);

	if (len < 0)
		return NULL;
	*order = packet.order;
	len -= (ssize_t)offsetof(struct writer_packet, bytes);
	memcpy(text, packet.bytes, (size_t)len);
	text[len] = '\0';
	return text;
}

static void gets(uint32_t order, const char *text)
{
	uint32_t found = 0;
	const char *bytes = got(&found);

	assert_non_null(bytes);
	assert_int_equal(found, order);
	assert_string_equal(bytes, text);
}

static void gets_nothing(void)
{
	uint32_t order;

	assert_null(got(&order));
}

static void answer(int err, uint32_t written)
{
	struct writer_report report = { .err = err, .written = written, .is_open = !err, .device = 9, .east_s = 3600 };

	assert_int_equal(send(theirs, &report, sizeof report, 0), sizeof report);
	outlet_hear(&outlet, now);
}

static void tend(void)
{
	outlet_tend(&outlet, now);
}

static void one_packet_is_under_way_at_a_time(void **state)
{
	(void)state;
	put("one");
	tend();
	put("two");
	tend();
	gets(WRITER_WRITE, "one");
	gets_nothing();
	assert_true(outlet_is_busy(&outlet));
	assert_int_equal(outlet_waiting(&outlet), 6);
	answer(0, 3);
	tend();
	gets(WRITER_WRITE, "two");
	answer(0, 3);
	tend();
	gets_nothing();
	assert_int_equal(outlet_waiting(&outlet), 0);
	assert_true(mono_is_never(outlet_due(&outlet)));
	assert_int_equal(outlet.device, 9);
	assert_int_equal(outlet.east_s, 3600);
}

static void what_was_not_written_is_sent_again_after_a_pause(void **state)
{
	(void)state;
	put("abcdef");
	tend();
	gets(WRITER_WRITE, "abcdef");
	answer(-ENOSPC, 2);
	tend();
	gets_nothing();
	assert_int_equal(outlet.err, -ENOSPC);
	assert_true(outlet_due(&outlet).ns == now.ns + OUTLET_RETRY_MS * INT64_C(1000000));
	later_ms(OUTLET_RETRY_MS);
	tend();
	gets(WRITER_WRITE, "cdef");
	answer(-ENOSPC, 0);
	outlet_hurry(&outlet);
	tend();
	gets(WRITER_WRITE, "cdef");
	answer(0, 4);
	assert_int_equal(outlet_waiting(&outlet), 0);
	assert_int_equal(outlet.err, 0);
}

static void what_had_to_go_is_said_in_its_place(void **state)
{
	(void)state;
	outlet.stamp = "STAMP: ";
	put("first");
	tend();
	gets(WRITER_WRITE, "first");
	for (int i = 0; i < 10; i++)
		put("0123456789\n");
	answer(0, 5);
	tend();
	gets(WRITER_WRITE, "\nSTAMP: bootlogd: 55 bytes lost here\n0123456789\n0123456789\n0123456789\n0123456789\n0123456789\n");
	answer(0, 200);
	assert_int_equal(outlet_waiting(&outlet), 0);
	put("next\n");
	tend();
	gets(WRITER_WRITE, "next\n");
}

static void an_overdue_answer_is_noticed_once_and_taken_late(void **state)
{
	(void)state;
	put("x");
	tend();
	assert_true(outlet_due(&outlet).ns == now.ns + OUTLET_STALL_MS * INT64_C(1000000));
	later_ms(OUTLET_STALL_MS);
	tend();
	assert_int_equal(outlet.state, OUTLET_STALLED);
	assert_true(mono_is_never(outlet_due(&outlet)));
	later_ms(1000000);
	tend();
	assert_int_equal(outlet.state, OUTLET_STALLED);
	answer(0, 1);
	assert_int_equal(outlet.state, OUTLET_READY);
}

static void it_is_opened_before_there_is_anything_when_wanted(void **state)
{
	(void)state;
	outlet.wants_open = true;
	tend();
	gets(WRITER_OPEN, "");
	answer(-ENOENT, 0);
	later_ms(OUTLET_RETRY_MS);
	tend();
	gets(WRITER_OPEN, "");
	answer(0, 0);
	tend();
	gets_nothing();
	assert_true(mono_is_never(outlet_due(&outlet)));
}

static void orders_have_their_place(void **state)
{
	(void)state;
	put("x");
	outlet.wanted = WRITER_SYNC;
	tend();
	gets(WRITER_WRITE, "x");
	answer(0, 1);
	tend();
	gets(WRITER_SYNC, "");
	answer(0, 0);
	tend();
	gets_nothing();
	put("y");
	outlet.wanted = WRITER_REOPEN;
	tend();
	gets(WRITER_REOPEN, "");
	answer(0, 0);
	tend();
	gets(WRITER_WRITE, "y");
}

static void an_answer_that_claims_too_much_is_cut(void **state)
{
	(void)state;
	put("abc");
	tend();
	answer(0, 4000000000u);
	assert_int_equal(outlet_waiting(&outlet), 0);
	answer(0, 3);                   /* nobody asked */
	assert_int_equal(outlet_waiting(&outlet), 0);
}

static void a_writer_that_dies_is_started_again_and_loses_nothing_unsent(void **state)
{
	(void)state;
	put("x");
	close(theirs);
	tend();
	assert_int_equal(outlet.fd, -1);
	assert_int_equal(outlet_waiting(&outlet), 1);
	fault_name("fork", -EAGAIN);
	later_ms(OUTLET_RETRY_MS);
	tend();
	assert_int_equal(outlet.fd, -1);
	fault_clear();
	later_ms(OUTLET_RETRY_MS);
	tend();
	assert_true(outlet.fd >= 0);
	assert_true(outlet.pid > 0);
	assert_int_equal(outlet_waiting(&outlet), 1);
	theirs = -1;
	/* That one has died as well. */
	assert_int_equal(poll(&(struct pollfd){ .fd = outlet.fd, .events = POLLIN }, 1, 30000), 1);
	outlet_hear(&outlet, now);
	assert_int_equal(outlet.fd, -1);
}

static void every_failure_of_the_start_leaves_nothing_open(void **state)
{
	int nth = 0, before = fds_open();

	(void)state;
	do {
		outlet = (struct outlet){ .name = "it", .child = dead_child };
		fault_arm(++nth, -EMFILE);
		if (!outlet_begin(&outlet, BACKLOG))
			outlet_end(&outlet);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 2);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_packet_is_under_way_at_a_time, begin, end),
		cmocka_unit_test_setup_teardown(what_was_not_written_is_sent_again_after_a_pause, begin, end),
		cmocka_unit_test_setup_teardown(what_had_to_go_is_said_in_its_place, begin, end),
		cmocka_unit_test_setup_teardown(an_overdue_answer_is_noticed_once_and_taken_late, begin, end),
		cmocka_unit_test_setup_teardown(it_is_opened_before_there_is_anything_when_wanted, begin, end),
		cmocka_unit_test_setup_teardown(orders_have_their_place, begin, end),
		cmocka_unit_test_setup_teardown(an_answer_that_claims_too_much_is_cut, begin, end),
		cmocka_unit_test_setup_teardown(a_writer_that_dies_is_started_again_and_loses_nothing_unsent, begin, end),
		cmocka_unit_test(every_failure_of_the_start_leaves_nothing_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
