/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "fake/record.h"
#include "fake/sys.h"
#include "records/backward.h"

static struct backward reader;          /* too large for a stack */

/* The pids of the records, as they come, with a '!' where one is the same as that before it. */
static const char *pids_of(const struct fake_file *file)
{
	static char text[1024];
	struct record record;
	bool is_repeated;
	int err;

	text[0] = '\0';
	assert_int_equal(backward_open(&reader, fake_descriptor(file->bytes, file->len), file->layout, false), 0);
	while (!(err = backward_next(&reader, &record, &is_repeated))) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof text - len, "%s%d%s", len ? " " : "", (int)record.pid, is_repeated ? "!" : "");
	}
	assert_int_equal(err, -ENOENT);
	backward_close(&reader);
	return text;
}

static struct fake_file four(void)
{
	struct fake_file file = { .layout = layout_native(false) };

	for (int i = 1; i <= 4; i++)
		fake_add(&file, 7, i, "tty1", "bob", 1000 + i);
	return file;
}

static void the_newest_comes_first(void **state)
{
	struct fake_file file = four();

	(void)state;
	assert_string_equal(pids_of(&file), "4 3 2 1");
	assert_int_equal(reader.trailing, 0);
	assert_int_equal(reader.damaged, 0);
	assert_true(reader.has_first);
	assert_int_equal(record_of(reader.layout, reader.first).pid, 1);
}

static void an_empty_file_has_none(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };

	(void)state;
	assert_string_equal(pids_of(&file), "");
	assert_false(reader.has_first);
	fake_add_bytes(&file, "some", 4);
	assert_string_equal(pids_of(&file), "");
	assert_int_equal(reader.trailing, 4);
	assert_false(reader.has_first);
}

static void repeated_neighbours_are_told(void **state)
{
	struct fake_file file = { .layout = layout_native(false) };

	(void)state;
	fake_add(&file, 7, 1, "tty1", "bob", 1000);
	fake_add(&file, 7, 1, "tty1", "bob", 1000);
	fake_add(&file, 7, 2, "tty1", "bob", 1000);
	fake_add(&file, 7, 1, "tty1", "bob", 1000);
	assert_string_equal(pids_of(&file), "1 2 1 1!");
}

/* Blocks end in the middle of records: every record comes once, repeated ones are noticed across blocks. */
static void many_blocks_are_read_without_a_seam(void **state)
{
	enum { RECORDS = 3000 };
	const struct layout *layout = layout_native(false);
	unsigned char *bytes = calloc(RECORDS, layout->bytes);
	struct record record;
	bool is_repeated;

	(void)state;
	assert_non_null(bytes);
	for (int i = 0; i < RECORDS; i++) {
		struct record_fields fields = fake_fields(7, i / 2, "tty1", "bob", 1000);

		assert_int_equal(layout_encode(layout, &fields, bytes + i * layout->bytes), 0);
	}
	assert_int_equal(backward_open(&reader, fake_descriptor(bytes, RECORDS * (size_t)layout->bytes), NULL, false), 0);
	fault_clear();
	for (int i = RECORDS - 1; i >= 0; i--) {
		assert_int_equal(backward_next(&reader, &record, &is_repeated), 0);
		assert_int_equal(record.pid, i / 2);
		assert_int_equal(is_repeated, i % 2 == 0);
	}
	/* No call of the system for each record. */
	assert_in_range(fault_calls(), 1, RECORDS * (int)layout->bytes / BACKWARD_BLOCK_BYTES + 2);
	assert_int_equal(backward_next(&reader, &record, &is_repeated), -ENOENT);
	backward_close(&reader);
	free(bytes);
}

static void part_of_a_record_at_the_end_is_left_out(void **state)
{
	(void)state;
	for (size_t part = 1; part < layout_native(false)->bytes; part++) {
		struct fake_file file = four();

		fake_add_bytes(&file, file.bytes, part);
		assert_string_equal(pids_of(&file), "4 3 2 1");
		assert_int_equal(reader.trailing, part);
		assert_int_equal(reader.damaged, 0);
	}
}

static void behind_part_of_a_record_in_the_middle_all_are_found(void **state)
{
	(void)state;
	for (size_t part = 1; part < layout_native(false)->bytes; part++) {
		struct fake_file file = four();

		fake_add_bytes(&file, file.bytes, part);
		for (int i = 5; i <= 7; i++)
			fake_add(&file, 7, i, "pts/0", "eve", 2000 + i);
		assert_string_equal(pids_of(&file), "7 6 5 4 3 2 1");
		assert_int_equal(reader.damaged, 1);
		assert_int_equal(reader.damaged_at, 4 * file.layout->bytes);
	}
}

static void what_is_damaged_is_counted_and_passed_over(void **state)
{
	struct fake_file file = four();

	(void)state;
	memset(file.bytes + file.layout->bytes, 0xa5, file.layout->bytes);
	assert_string_equal(pids_of(&file), "4 3 1");
	assert_int_equal(reader.damaged, 1);
	assert_int_equal(reader.damaged_at, file.layout->bytes);
}

/* What our own init leaves of a record for which the disk had no room: filled up with NULs. */
static void a_record_that_ends_in_zeros_is_damaged(void **state)
{
	struct fake_file file = four();

	(void)state;
	memset(file.bytes + 2 * file.layout->bytes + 60, 0, file.layout->bytes - 60u);
	assert_string_equal(pids_of(&file), "4 2 1");
	assert_int_equal(reader.damaged, 1);
}

static void blank_records_come_as_they_are(void **state)
{
	struct fake_file file = four();

	(void)state;
	memset(file.bytes, 0, 2 * (size_t)file.layout->bytes);
	assert_string_equal(pids_of(&file), "4 3 0 0!");
	assert_int_equal(reader.damaged, 0);
}

static void every_layout_is_found_out_and_read(void **state)
{
	static const char *const names[] = { "384le", "384be", "400le", "400be", "56le", "56be" };

	(void)state;
	for (int n = 0; n < 6; n++) {
		struct fake_file file = { .layout = layout_named(names[n]) };
		struct record record;
		bool is_repeated;

		for (int i = 0; i < 5; i++)
			fake_add(&file, 7, 100 + i, "tty1", "bob", 1700000000);
		assert_int_equal(backward_open(&reader, fake_descriptor(file.bytes, file.len), NULL, file.layout->is_old), 0);
		assert_ptr_equal(reader.layout, file.layout);
		for (int i = 4; i >= 0; i--) {
			assert_int_equal(backward_next(&reader, &record, &is_repeated), 0);
			assert_int_equal(record.pid, 100 + i);
		}
		backward_close(&reader);
	}
}

static void a_pipe_is_read_to_its_end_first(void **state)
{
	struct fake_file file = four();
	struct record record;
	bool is_repeated;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], file.bytes, file.len), file.len);
	close(pipe_fds[1]);
	assert_int_equal(backward_open(&reader, pipe_fds[0], NULL, false), 0);
	for (int i = 4; i >= 1; i--) {
		assert_int_equal(backward_next(&reader, &record, &is_repeated), 0);
		assert_int_equal(record.pid, i);
	}
	assert_int_equal(backward_next(&reader, &record, &is_repeated), -ENOENT);
	backward_close(&reader);
}

static void a_file_that_shrinks_ends_it(void **state)
{
	struct fake_file file = four();
	int fd = fake_descriptor(file.bytes, file.len);
	struct record record;
	bool is_repeated;

	(void)state;
	assert_int_equal(backward_open(&reader, fd, NULL, false), 0);
	reader.low = reader.high = 0;
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(backward_next(&reader, &record, &is_repeated), -ENODATA);
	backward_close(&reader);
}

static void every_failure_is_told_and_leaves_nothing_open(void **state)
{
	struct fake_file file = four();
	int before = fds_open(), nth = 0;
	bool fired;

	(void)state;
	do {
		struct record record;
		bool is_repeated;
		int err, fd = fake_descriptor(file.bytes, file.len);

		fault_arm(++nth, -EIO);
		err = backward_open(&reader, fd, NULL, false);
		if (!err) {
			while (!(err = backward_next(&reader, &record, &is_repeated)))
				;
			backward_close(&reader);
		}
		fired = fault_fired();
		assert_true(err == (fired ? -EIO : -ENOENT) || fired);
		if (fds_open() > before)        /* it was close() that failed */
			close(fd);
		assert_int_equal(fds_open(), before);
	} while (fired);
	assert_true(nth > 3);
}

static void a_directory_is_no_file_of_records(void **state)
{
	int fd = open("/", O_RDONLY);

	(void)state;
	assert_int_equal(backward_open(&reader, fd, NULL, false), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_comes_first),
		cmocka_unit_test(an_empty_file_has_none),
		cmocka_unit_test(repeated_neighbours_are_told),
		cmocka_unit_test(many_blocks_are_read_without_a_seam),
		cmocka_unit_test(part_of_a_record_at_the_end_is_left_out),
		cmocka_unit_test(behind_part_of_a_record_in_the_middle_all_are_found),
		cmocka_unit_test(what_is_damaged_is_counted_and_passed_over),
		cmocka_unit_test(a_record_that_ends_in_zeros_is_damaged),
		cmocka_unit_test(blank_records_come_as_they_are),
		cmocka_unit_test(every_layout_is_found_out_and_read),
		cmocka_unit_test(a_pipe_is_read_to_its_end_first),
		cmocka_unit_test(a_file_that_shrinks_ends_it),
		cmocka_unit_test(every_failure_is_told_and_leaves_nothing_open),
		cmocka_unit_test(a_directory_is_no_file_of_records),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
