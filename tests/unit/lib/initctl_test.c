/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What telinit_test.c does not say of the channel: several requests at once. */
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
#include "lib/initctl.h"
#include "lib/sys.h"

enum { REQUEST_BYTES = sizeof(struct init_request) };

/* A FIFO with this test as its init. */
static struct {
	char dir[64], fifo[96];
	int reader;
} place;

static int place_begin(void **state)
{
	(void)state;
	strcpy(place.dir, "/tmp/initctl_test.XXXXXX");
	assert_non_null(mkdtemp(place.dir));
	(void)snprintf(place.fifo, sizeof place.fifo, "%s/initctl", place.dir);
	assert_int_equal(mkfifo(place.fifo, 0600), 0);
	place.reader = open(place.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(place.reader >= 0);
	return 0;
}

static int place_end(void **state)
{
	(void)state;
	fault_clear();
	close(place.reader);
	unlink(place.fifo);
	return rmdir(place.dir);
}

static int send_levels(const char *levels)
{
	const struct initctl_channel channel = { place.fifo, 100 };
	struct init_request requests[INITCTL_REQUESTS_MAX + 1] = { { 0 } };
	size_t count = strlen(levels);

	for (size_t i = 0; i < count; i++)
		requests[i] = (struct init_request){ .magic = INIT_MAGIC, .cmd = INIT_CMD_RUNLVL, .runlevel = levels[i] };
	return initctl_send(&channel, requests, count);
}

static void several_arrive_in_order(void **state)
{
	struct init_request request;

	(void)state;
	assert_int_equal(send_levels("12345678"), 0);
	for (const char *level = "12345678"; *level; level++) {
		assert_int_equal(read(place.reader, &request, sizeof request), REQUEST_BYTES);
		assert_int_equal(request.magic, INIT_MAGIC);
		assert_int_equal(request.runlevel, *level);
	}
	assert_int_equal(read(place.reader, &request, sizeof request), -1);
	assert_int_equal(send_levels("123456789"), -E2BIG);
	assert_int_equal(read(place.reader, &request, sizeof request), -1);
}

/* Room for the first, not for both. */
static void none_is_sent_when_not_all_fit(void **state)
{
	static char stream[1 << 17];
	ssize_t before = 0, got;

	(void)state;
	while ((got = write(place.reader, stream, 4096)) > 0)
		before += got;
	assert_int_equal(read(place.reader, stream, 4096), 4096);
	assert_int_equal(write(place.reader, stream, 4096 - REQUEST_BYTES - 10), 4096 - REQUEST_BYTES - 10);
	before -= REQUEST_BYTES + 10;
	assert_int_equal(send_levels("06"), -ETIMEDOUT);
	while ((got = read(place.reader, stream, sizeof stream)) > 0)
		before -= got;
	assert_int_equal(before, 0);
}

static void what_a_write_takes_half_of_is_an_error(void **state)
{
	(void)state;
	fault_name("write", 5);
	assert_int_equal(send_levels("0"), -EIO);
}

static void a_complaint_without_end_is_cut(void **state)
{
	static char name[4000], said[8192];
	const struct initctl_channel channel = { place.fifo, 0 };
	int fds[2], saved = dup(2);
	ssize_t len;

	(void)state;
	memset(name, 'n', sizeof name - 1);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 2);
	initctl_complain(name, &channel, -ENOENT);
	dup2(saved, 2);
	close(saved);
	len = read(fds[0], said, sizeof said);
	close(fds[0]);
	close(fds[1]);
	assert_in_range(len, 100, 1024);
	assert_int_equal(said[len - 1], '\n');
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
	const struct CMUnitTest tests[] = {
		CASE(several_arrive_in_order),
		CASE(none_is_sent_when_not_all_fit),
		CASE(what_a_write_takes_half_of_is_an_error),
		CASE(a_complaint_without_end_is_cut),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
