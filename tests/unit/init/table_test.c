/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "init/table.h"
#include "lib/sys.h"

enum { HEADER_BYTES = 16, IMAGE_MAX = 4096 };

static int new_memfd(void)
{
	int fd = sys_memfd("table", 3);

	assert_true(fd >= 0);
	return fd;
}

static int add(struct table_builder *b, const char *text, uint32_t number)
{
	struct tab_line line;
	char why[128];

	assert_int_equal(inittab_parse_line(text, &line, why, sizeof why), TAB_ENTRY);
	return table_build_add(b, &line, number);
}

static struct table_builder *begun(void)
{
	struct table_builder *b = table_build_begin();

	assert_non_null(b);
	return b;
}

/* The memfd of a table of these lines, written but not yet opened. */
static int written(const char *const *lines, size_t count)
{
	struct table_builder *b = begun();
	int fd = new_memfd();

	for (size_t i = 0; i < count; i++)
		assert_int_equal(add(b, lines[i], (uint32_t)i + 1), 0);
	assert_int_equal(table_build_end(b, fd), 0);
	return fd;
}

static const char *const some[] = {
	"id:3:initdefault:",
	"si::sysinit:/etc/rcS",
	"ca:12345:ctrlaltdel:/sbin/shutdown -r now",
	"1:2345:respawn:/sbin/getty tty1",
	"pf::powerfail:",
};
enum { SOME = sizeof some / sizeof some[0] };

static void assert_entry(const struct table *t, uint32_t index, const char *id, const char *process)
{
	const struct table_entry *entry = table_entry(t, index);

	assert_string_equal(entry->id, id);
	assert_string_equal(table_process(t, entry), process);
	assert_int_equal(entry->process_len, strlen(process));
}

static void what_was_built_is_opened_with_power_and_keys_first(void **state)
{
	int fd = written(some, SOME);
	struct table t;

	(void)state;
	assert_int_equal(table_open(fd, &t), 0);
	assert_int_equal(t.count, SOME);
	assert_entry(&t, 0, "ca", "/sbin/shutdown -r now");
	assert_entry(&t, 1, "pf", "");
	assert_entry(&t, 2, "id", "");
	assert_entry(&t, 3, "si", "/etc/rcS");
	assert_entry(&t, 4, "1", "/sbin/getty tty1");
	assert_string_equal(table_entry(&t, 3)->levels, "#");
	assert_int_equal(table_entry(&t, 4)->action, ACTION_RESPAWN);
	assert_int_equal(table_entry(&t, 4)->line, 4);
	table_close(&t);
	assert_null(t.image);
	table_close(&t);
	close(fd);
}

static void an_empty_table_is_a_table(void **state)
{
	int fd = written(NULL, 0);
	struct table t;

	(void)state;
	assert_int_equal(table_open(fd, &t), 0);
	assert_int_equal(t.count, 0);
	table_close(&t);
	close(fd);
}

static void an_id_is_taken_once_but_for_the_two_tildes(void **state)
{
	struct table_builder *b = begun();

	(void)state;
	assert_int_equal(add(b, "a:2:once:x", 1), 0);
	assert_int_equal(add(b, "a:3:wait:y", 2), -EEXIST);
	assert_int_equal(add(b, "A:3:wait:y", 3), 0);
	assert_int_equal(add(b, "~~:S:wait:x", 4), 0);
	assert_int_equal(add(b, "~~:S:wait:y", 5), 0);
	assert_true(table_build_has_id(b, "a") && table_build_has_id(b, "~~"));
	assert_false(table_build_has_id(b, "aa") || table_build_has_id(b, ""));
	assert_int_equal(table_build_count(b), 4);
	table_build_drop(b);
}

static void a_full_table_is_found_whole(void **state)
{
	struct table_builder *b = begun();
	int fd = new_memfd();
	struct table t;
	char line[64];

	(void)state;
	for (unsigned i = 0; i < TABLE_ENTRIES_MAX; i++) {
		(void)snprintf(line, sizeof line, "%04x:2:respawn:/sbin/getty %u", i, i);
		assert_int_equal(add(b, line, i + 1), 0);
	}
	assert_int_equal(add(b, "one:2:once:more", 1), -ENOSPC);
	assert_int_equal(add(b, "ffff:2:once:more", 1), -EEXIST);
	for (unsigned i = 0; i < TABLE_ENTRIES_MAX; i++) {
		(void)snprintf(line, sizeof line, "%04x", i);
		assert_true(table_build_has_id(b, line));
	}
	assert_int_equal(table_build_end(b, fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	assert_int_equal(t.count, TABLE_ENTRIES_MAX);
	assert_entry(&t, TABLE_ENTRIES_MAX - 1, "ffff", "/sbin/getty 65535");
	table_close(&t);
	close(fd);
}

static void no_table_grows_beyond_its_bytes(void **state)
{
	struct table_builder *b = begun();
	char process[TAB_LINE_MAX - 9 + 1];
	struct tab_line line = { .levels = "2", .action = ACTION_ONCE, .process = process };
	unsigned count = 0;
	int err;

	(void)state;
	memset(process, 'x', sizeof process - 1);
	process[sizeof process - 1] = '\0';
	do {
		(void)snprintf(line.id, sizeof line.id, "%04x", count & 0xffff);
		err = table_build_add(b, &line, 1);
	} while (!err && ++count < TABLE_ENTRIES_MAX);
	assert_int_equal(err, -ENOSPC);
	assert_true(count > 16000);
	table_build_drop(b);
}

static void only_what_is_entered_by_itself_makes_a_level(void **state)
{
	static const char *const not_in_s[] = {
		"a:S:initdefault:", "b::ctrlaltdel:x", "c:S:powerwait:x", "d:S:kbrequest:x",
		"e:a:ondemand:x", "f::wait:x", "g:S:sysinit:x", "h:S:boot:x",
	};
	struct table_builder *b = begun();

	(void)state;
	for (size_t i = 0; i < sizeof not_in_s / sizeof not_in_s[0]; i++)
		assert_int_equal(add(b, not_in_s[i], 1), 0);
	assert_false(table_build_has_level(b, 'S'));
	assert_true(table_build_has_level(b, '0') && table_build_has_level(b, '#'));
	assert_int_equal(add(b, "i:1s:off:x", 1), 0);
	assert_true(table_build_has_level(b, 'S'));
	table_build_drop(b);
	b = begun();
	assert_int_equal(add(b, "a:S:ondemand:x", 1), 0);
	assert_true(table_build_has_level(b, 'S'));
	table_build_drop(b);
}

static void nobody_changes_a_table_that_is_open(void **state)
{
	int fd = written(some, SOME);
	struct table t;
	void *at;

	(void)state;
	assert_int_equal(table_open(fd, &t), 0);
	assert_int_equal(sys_pwrite(fd, "x", 1, 0), -EPERM);
	assert_int_equal(sys_ftruncate(fd, 0), -EPERM);
	assert_int_equal(sys_ftruncate(fd, 1 << 20), -EPERM);
	assert_true(sys_map(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, &at) < 0);
	table_close(&t);
	close(fd);
}

static void a_table_that_somebody_still_maps_for_writing_is_refused(void **state)
{
	int fd = new_memfd();
	struct table t;
	void *at;

	(void)state;
	assert_int_equal(sys_ftruncate(fd, 4096), 0);
	assert_int_equal(sys_map(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, &at), 0);
	assert_int_equal(table_build_end(begun(), fd), -EBUSY);
	assert_int_equal(table_open(fd, &t), -EPROTO);
	sys_unmap(at, 4096);
	close(fd);
}

static void what_is_no_memfd_is_refused(void **state)
{
	int fds[2];
	struct table t;

	(void)state;
	assert_int_equal(sys_pipe(fds, 0), 0);
	assert_int_equal(table_open(fds[0], &t), -EINVAL);
	assert_int_equal(table_open(fds[1], &t), -EINVAL);
	assert_int_equal(table_open(-1, &t), -EBADF);
	close(fds[0]);
	close(fds[1]);
}

static void a_huge_image_is_refused_before_it_is_mapped(void **state)
{
	int fd = new_memfd();
	struct table t;

	(void)state;
	assert_int_equal(sys_ftruncate(fd, (off_t)TABLE_BYTES_MAX + 1), 0);
	assert_int_equal(table_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), -EFBIG);
	close(fd);
}

static int tables_mapped(void)
{
	char line[512];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps))
		count += strstr(line, "memfd:table") != NULL;
	fclose(maps);
	return count;
}

/* --- damage --- */

struct image {
	unsigned char bytes[IMAGE_MAX];
	size_t size;
};

static struct image good_image(void)
{
	struct image image = { .size = 0 };
	int fd = written(some, SOME);
	ssize_t got = sys_pread(fd, image.bytes, sizeof image.bytes, 0);

	assert_true(got > 0);
	image.size = (size_t)got;
	close(fd);
	return image;
}

static void a_table_that_is_not_sealed_is_refused(void **state)
{
	struct image image = good_image();
	int fd = new_memfd();
	struct table t;

	(void)state;
	assert_int_equal(sys_pwrite(fd, image.bytes, image.size, 0), image.size);
	assert_int_equal(table_open(fd, &t), -EPROTO);
	assert_int_equal(table_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	table_close(&t);
	close(fd);
}

/* With vm.memfd_noexec the kernel adds one of its own, F_SEAL_EXEC. */
static void a_seal_more_does_no_harm(void **state)
{
	struct image image = good_image();
	int fd = new_memfd();
	struct table t;

	(void)state;
	assert_int_equal(sys_pwrite(fd, image.bytes, image.size, 0), image.size);
	assert_int_equal(sys_seal(fd, F_SEAL_FUTURE_WRITE), 0);
	assert_int_equal(table_seal(fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	table_close(&t);
	close(fd);
}

static int opened(const struct image *image)
{
	int err, fd = new_memfd();
	struct table t;

	assert_int_equal(sys_pwrite(fd, image->bytes, image->size, 0), image->size);
	assert_int_equal(table_seal(fd), 0);
	err = table_open(fd, &t);
	assert_int_equal(tables_mapped(), !err);
	for (uint32_t i = 0; !err && i < t.count; i++) {
		const struct table_entry *entry = table_entry(&t, i);

		assert_true(strlen(entry->id) <= TAB_ID_MAX);
		assert_true(strlen(entry->levels) <= TAB_LEVELS_MAX);
		assert_true(entry->action > ACTION_NONE && entry->action < ACTION_COUNT);
		assert_int_equal(strlen(table_process(&t, entry)), entry->process_len);
	}
	if (!err)
		table_close(&t);
	close(fd);
	return err;
}

static void a_cut_image_is_refused_wherever_it_was_cut(void **state)
{
	struct image image = good_image();

	(void)state;
	assert_int_equal(opened(&image), 0);
	while (image.size--)
		assert_int_equal(opened(&image), -EPROTO);
}

static void a_byte_too_many_is_refused(void **state)
{
	struct image image = good_image();

	(void)state;
	image.bytes[image.size++] = '\0';
	assert_int_equal(opened(&image), -EPROTO);
}

static void every_bit_of_the_header_is_checked(void **state)
{
	const struct image good = good_image();

	(void)state;
	for (size_t bit = 0; bit < HEADER_BYTES * 8; bit++) {
		struct image image = good;

		image.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_equal(opened(&image), -EPROTO);
	}
}

static void no_flipped_bit_leads_out_of_the_image(void **state)
{
	const struct image good = good_image();
	int refused = 0;

	(void)state;
	for (size_t bit = 0; bit < good.size * 8; bit++) {
		struct image image = good;

		image.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		refused += opened(&image) == -EPROTO;
	}
	assert_true(refused > HEADER_BYTES * 8);
}

/* The first entry of the good image with one field changed. */
static int opened_with(void (*damage)(struct table_entry *))
{
	struct image image = good_image();
	struct table_entry entry;

	memcpy(&entry, image.bytes + HEADER_BYTES, sizeof entry);
	damage(&entry);
	memcpy(image.bytes + HEADER_BYTES, &entry, sizeof entry);
	return opened(&image);
}

static void id_without_end(struct table_entry *e) { memset(e->id, 'x', sizeof e->id); }
static void id_too_long(struct table_entry *e) { strcpy(e->id, "12345"); }
static void id_empty(struct table_entry *e) { memset(e->id, 0, sizeof e->id); }
static void levels_without_end(struct table_entry *e) { memset(e->levels, '2', sizeof e->levels); }
static void levels_too_long(struct table_entry *e) { strcpy(e->levels, "012345678901"); }
static void levels_empty(struct table_entry *e) { memset(e->levels, 0, sizeof e->levels); }
static void no_action(struct table_entry *e) { e->action = ACTION_NONE; }
static void unknown_action(struct table_entry *e) { e->action = ACTION_COUNT; }
static void negative_action(struct table_entry *e) { e->action = UINT32_MAX; }
static void offset_in_header(struct table_entry *e) { e->process_offset = 0; }
static void offset_outside(struct table_entry *e) { e->process_offset = UINT32_MAX; }
static void offset_of_the_next(struct table_entry *e) { e->process_offset += e->process_len + 1; }
static void length_outside(struct table_entry *e) { e->process_len = UINT32_MAX; }
static void length_that_wraps(struct table_entry *e) { e->process_len = 0u - e->process_offset; }
static void length_too_short(struct table_entry *e) { e->process_len--; }
static void length_with_the_nul(struct table_entry *e) { e->process_len++; }

static void each_damaged_field_is_refused(void **state)
{
	static void (*const damages[])(struct table_entry *) = {
		id_without_end, id_too_long, id_empty, levels_without_end, levels_too_long,
		levels_empty, no_action, unknown_action, negative_action, offset_in_header,
		offset_outside, offset_of_the_next, length_outside, length_that_wraps,
		length_too_short, length_with_the_nul,
	};

	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
		if (opened_with(damages[i]) != -EPROTO)
			fail_msg("damage %zu was not seen", i);
}

static void a_process_field_as_long_as_a_line_is_taken_and_a_longer_one_refused(void **state)
{
	static char process[TAB_LINE_MAX + 2];
	struct tab_line line = { .id = "x", .levels = "2", .action = ACTION_ONCE,
		.process = process };
	struct table_builder *b = begun();
	int fd = new_memfd();
	struct table t;

	(void)state;
	memset(process, 'x', TAB_LINE_MAX);
	assert_int_equal(table_build_add(b, &line, 1), 0);
	assert_int_equal(table_build_end(b, fd), 0);
	assert_int_equal(table_open(fd, &t), 0);
	assert_entry(&t, 0, "x", process);
	table_close(&t);
	close(fd);

	b = begun();
	fd = new_memfd();
	process[TAB_LINE_MAX] = 'x';
	assert_int_equal(table_build_add(b, &line, 1), 0);
	assert_int_equal(table_build_end(b, fd), 0);
	assert_int_equal(table_open(fd, &t), -EPROTO);
	close(fd);
}

static void the_same_id_twice_in_an_image_does_no_harm(void **state)
{
	struct image image = good_image();
	struct table_entry entry;

	(void)state;
	memcpy(&entry, image.bytes + HEADER_BYTES, sizeof entry);
	strcpy(entry.id, "pf");
	memcpy(image.bytes + HEADER_BYTES, &entry, sizeof entry);
	assert_int_equal(opened(&image), 0);
}

/* --- failing calls --- */

static void a_failed_open_leaves_nothing_mapped_and_out_alone(void **state)
{
	struct table t, before;
	int nth = 0, err;
	bool fired;

	(void)state;
	memset(&t, 'x', sizeof t);
	before = t;
	do {
		int fd = written(some, SOME);

		fault_arm(++nth, -EIO);
		err = table_open(fd, &t);
		fired = fault_fired();
		if (fired) {
			assert_int_equal(err, -EIO);
			assert_memory_equal(&t, &before, sizeof t);
			assert_int_equal(tables_mapped(), 0);
		}
		close(fd);
	} while (fired);
	assert_int_equal(err, 0);
	assert_int_equal(nth, 4);
	assert_int_equal(tables_mapped(), 1);
	table_close(&t);
	assert_int_equal(tables_mapped(), 0);
}

static void an_interrupted_write_goes_on_and_a_failed_one_is_told(void **state)
{
	struct table_builder *b = begun();
	int fd = new_memfd();
	struct table t;

	(void)state;
	assert_int_equal(add(b, some[0], 1), 0);
	fault_arm(1, -EINTR);
	assert_int_equal(table_build_end(b, fd), 0);
	assert_true(fault_fired());
	assert_int_equal(table_open(fd, &t), 0);
	table_close(&t);
	close(fd);

	fault_name("pwrite", -ENOSPC);
	assert_int_equal(table_build_end(begun(), -1), -ENOSPC);
	fault_clear();
	assert_int_equal(table_build_end(begun(), -1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_built_is_opened_with_power_and_keys_first),
		cmocka_unit_test(an_empty_table_is_a_table),
		cmocka_unit_test(an_id_is_taken_once_but_for_the_two_tildes),
		cmocka_unit_test(a_full_table_is_found_whole),
		cmocka_unit_test(no_table_grows_beyond_its_bytes),
		cmocka_unit_test(only_what_is_entered_by_itself_makes_a_level),
		cmocka_unit_test(nobody_changes_a_table_that_is_open),
		cmocka_unit_test(a_table_that_is_not_sealed_is_refused),
		cmocka_unit_test(a_seal_more_does_no_harm),
		cmocka_unit_test(a_table_that_somebody_still_maps_for_writing_is_refused),
		cmocka_unit_test(what_is_no_memfd_is_refused),
		cmocka_unit_test(a_huge_image_is_refused_before_it_is_mapped),
		cmocka_unit_test(a_cut_image_is_refused_wherever_it_was_cut),
		cmocka_unit_test(a_byte_too_many_is_refused),
		cmocka_unit_test(every_bit_of_the_header_is_checked),
		cmocka_unit_test(no_flipped_bit_leads_out_of_the_image),
		cmocka_unit_test(each_damaged_field_is_refused),
		cmocka_unit_test(
			a_process_field_as_long_as_a_line_is_taken_and_a_longer_one_refused),
		cmocka_unit_test(the_same_id_twice_in_an_image_does_no_harm),
		cmocka_unit_test(a_failed_open_leaves_nothing_mapped_and_out_alone),
		cmocka_unit_test(an_interrupted_write_goes_on_and_a_failed_one_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
