/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "fake/sys.h"
#include "initlog/initlog.h"
#include "initlog/sink_records.h"

#define WHEN_NS 1700000000123456000

static struct initlog log_;

static int set_up(void **state)
{
	(void)state;
	log_ = (struct initlog){ 0 };
	assert_int_equal(queue_create(&log_.queue), 0);
	fake_clock_set(-1, WHEN_NS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	queue_free(log_.queue);
	fault_clear();
	fake_clock_set(-1, -1);
	return 0;
}

static struct record_event take(enum sink sink)
{
	struct record_event event;
	struct record record;

	assert_int_equal(queue_take(log_.queue, sink, &record), 0);
	assert_int_equal(record.len_bytes, sizeof event);
	assert_int_equal(record.when.s, 1700000000);
	assert_int_equal(record.when.us, 123456);
	memcpy(&event, record.text, sizeof event);
	assert_int_equal(event.version, RECORD_EVENT_VERSION);
	queue_done(log_.queue, sink, &record);
	return event;
}

static bool is_empty(enum sink sink)
{
	struct record record;

	return queue_take(log_.queue, sink, &record) == -EAGAIN;
}

static void nothing_happens_before_the_log_is_open(void **state)
{
	struct initlog closed = { 0 };

	(void)state;
	record_truncate_utmp(&closed);
	record_boot(&closed);
	record_level(&closed, '2', 'N');
	record_start(&closed, "1\0\0", 1);
	record_end(&closed, "1\0\0", 1);
	record_wait_in_child(&closed, 0);
	record_resume(&closed, '2', 'N', &(struct record_flags){ 0 });
}

static void every_event_goes_to_the_files_that_want_it(void **state)
{
	struct record_event event;

	(void)state;
	record_truncate_utmp(&log_);
	assert_int_equal(take(SINK_RECORDS).kind, RECORD_TRUNCATE);
	assert_true(is_empty(SINK_WTMP));

	record_boot(&log_);
	record_level(&log_, '2', 'N');
	record_start(&log_, "abcd", 77);
	record_end(&log_, "x\0\0", 78);
	for (int i = 0; i < 2; i++) {
		enum sink sink = i ? SINK_WTMP : SINK_RECORDS;

		event = take(sink);
		assert_int_equal(event.kind, RECORD_BOOT);
		assert_int_equal(event.booted_s, 1700000000);
		assert_int_equal(event.booted_us, 123456);
		event = take(sink);
		assert_int_equal(event.kind, RECORD_LEVEL);
		assert_int_equal(event.level, '2');
		assert_int_equal(event.previous, 'N');
		event = take(sink);
		assert_int_equal(event.kind, RECORD_START);
		assert_memory_equal(event.id, "abcd", 4);
		assert_int_equal(event.pid, 77);
		event = take(sink);
		assert_int_equal(event.kind, RECORD_END);
		assert_memory_equal(event.id, "x\0\0", 4);
		assert_int_equal(event.pid, 78);
		/* Carried along, in case the queue laps. */
		assert_int_equal(event.level, '2');
		assert_int_equal(event.previous, 'N');
		assert_int_equal(event.booted_s, 1700000000);
		assert_true(is_empty(sink));
	}
	assert_true(is_empty(SINK_CONSOLE));
	assert_true(is_empty(SINK_SYSLOG));
}

/* Pid 1 may not depend on any call: to wake the readers is all that it tries. */
static void recording_succeeds_whatever_fails(void **state)
{
	enum { COUNT = 100 };

	(void)state;
	fault_arm_always(1, -EIO);
	for (int i = 0; i < COUNT; i++) {
		record_start(&log_, "1\0\0", i);
		record_end(&log_, "1\0\0", i);
	}
	assert_true(fault_calls() <= 2 * COUNT * 2);
	fault_clear();
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(take(SINK_RECORDS).pid, i);
		assert_int_equal(take(SINK_RECORDS).kind, RECORD_END);
	}

	fault_name("futex_wake", -EIO);
	for (int i = 0; i < 2000; i++) {
		record_boot(&log_);
		record_level(&log_, '3', '2');
	}
	assert_int_equal(queue_status(log_.queue, SINK_RECORDS).pending, 4000);
}

static void a_child_waits_until_its_record_is_out_or_half_a_second(void **state)
{
	uint64_t seq = queue_next_seq(log_.queue);
	struct mono before;

	(void)state;
	record_start(&log_, "1\0\0", 5);
	before = mono_now();
	record_wait_in_child(&log_, seq);
	assert_true(mono_now().ns - before.ns >= 400000000);

	/* Not at all while the sink is backing off. */
	queue_set_state(log_.queue, SINK_RECORDS, SINK_BACKING_OFF);
	fault_name("futex_wait", -EINTR);
	record_wait_in_child(&log_, seq);
	assert_false(fault_fired());

	/* Nor when it is out, and wtmp does not matter. */
	queue_set_state(log_.queue, SINK_RECORDS, SINK_DELIVERING);
	take(SINK_RECORDS);
	fault_name("futex_wait", -EINTR);
	record_wait_in_child(&log_, seq);
	assert_false(fault_fired());
}

static void a_new_image_goes_on_with_the_old_ones_level(void **state)
{
	struct record_flags out = { .boot_in_wtmp = true,
		.boot_in_utmp = true,
		.level_in_utmp = true },
			    now;
	struct record_event event;

	(void)state;
	record_resume(&log_, '3', '2', &out);
	now = record_flags(log_.queue);
	assert_true(
		now.boot_in_wtmp && now.boot_in_utmp && now.level_in_utmp && !now.level_in_wtmp);
	record_start(&log_, "1\0\0", 5);
	event = take(SINK_WTMP);
	assert_int_equal(event.level, '3');
	assert_int_equal(event.previous, '2');
	assert_int_equal(event.booted_s, 0);

	/* A queue that has come along knows better. */
	record_resume(&log_, '3', '2', &(struct record_flags){ 0 });
	now = record_flags(log_.queue);
	assert_true(
		now.boot_in_wtmp && now.boot_in_utmp && now.level_in_utmp && !now.level_in_wtmp);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(nothing_happens_before_the_log_is_open),
		CASE(every_event_goes_to_the_files_that_want_it),
		CASE(recording_succeeds_whatever_fails),
		CASE(a_child_waits_until_its_record_is_out_or_half_a_second),
		CASE(a_new_image_goes_on_with_the_old_ones_level),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
