/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fake/sys.h"
#include "lib/zone.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static struct zone zone;
static char path[] = "/tmp/zone_test.XXXXXX";

static void civil_is(const char *expected, int64_t utc_s)
{
	struct civil at = zone_civil(&zone, utc_s);
	char text[100];

	snprintf(text, sizeof text, "%d-%d %02d:%02d:%02d", at.month + 1, at.day, at.hour,
		at.minute, at.second);
	assert_string_equal(text, expected);
}

static void same_as_libc(int64_t utc_s)
{
	struct civil at = zone_civil(&zone, utc_s);
	time_t when = (time_t)utc_s;
	struct tm tm;

	assert_non_null(localtime_r(&when, &tm));
	if (at.month != tm.tm_mon || at.day != tm.tm_mday || at.hour != tm.tm_hour ||
		at.minute != tm.tm_min || at.second != tm.tm_sec)
		fail_msg("TZ=%s at %lld: %d-%d %d:%d:%d, libc has %d-%d %d:%d:%d", getenv("TZ"),
			(long long)utc_s, at.month + 1, at.day, at.hour, at.minute, at.second,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void libc_uses(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/* Hours over a few years, and around midnight of each change of year. */
static void compare_from(int64_t year_from, int64_t year_to)
{
	for (int64_t s = (year_from - 1970) * 31556952; s < (year_to - 1970) * 31556952; s += 1799)
		same_as_libc(s);
}

static void utc_is_what_there_is_without_a_zone(void **state)
{
	(void)state;
	assert_int_equal(zone_load(&zone, ""), 0);
	civil_is("1-1 00:00:00", 0);
	civil_is("12-31 23:59:59", -1);
	civil_is("2-29 12:00:00", 951825600);
	civil_is("3-1 00:00:00", 951868800);
	civil_is("3-1 00:00:00", 4107542400);   /* 2100: no leap year */
	assert_int_equal(zone_load(&zone, "/nonexistent/zone"), -ENOENT);
	assert_int_equal(zone_offset_s(&zone, 0), 0);
}

static void no_time_is_too_far_off(void **state)
{
	static const int64_t far[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
		INT64_C(1) << 41 };

	(void)state;
	assert_int_equal(zone_load(&zone, BERLIN), 0);
	for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
		struct civil at = zone_civil(&zone, far[i]);

		assert_in_range(at.month, 0, 11);
		assert_in_range(at.day, 1, 31);
		assert_in_range(at.hour, 0, 23);
	}
}

static void posix_rules_mean_what_libc_makes_of_them(void **state)
{
	static const char *const rules[] = {
		"UTC0",
		BERLIN,
		"EST5EDT,M3.2.0,M11.1.0",
		"<+0545>-5:45",
		"<-03>3",
		"AEST-10AEDT,M10.1.0,M4.1.0/3",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"IST-1GMT0,M10.5.0,M3.5.0/1",
		"AAA3BBB,J60,J300",
		"AAA3BBB,59/1,299/4:30:15",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"EET-2EEST,M3.4.4/50,M10.4.4/50",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		libc_uses(rules[i]);
		assert_int_equal(zone_load(&zone, rules[i]), 0);
		compare_from(2023, 2026);
		compare_from(2038, 2040);
	}
}

static void what_is_no_rule_is_refused_and_is_utc(void **state)
{
	static const char *const bad[] = {
		"C",
		"XYZ",
		"CET-",
		"CET-1CEST,",
		"CET-1CEST,M3.5.0",
		"CET-1CEST,M13.1.0,M10.5.0",
		"CET-1CEST,M3.0.0,M1.1.1",
		"CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0/3x",
		"CET-1CEST,M3.5.0,M10.5.0/999",
		"<CET-1",
		"CET-99",
		"CET-1CEST,J0,J2",
		"CET-1CEST,J366,J2",
		"CET-1CEST,366,2",
		"CET-1:60",
		"CET-1CEST;M3.5.0,M10.5.0",
		"9",
		"../../../../etc/passwd",
	};
	char longest[1000];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!zone_load(&zone, bad[i]))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(zone_offset_s(&zone, 1700000000), 0);
	}
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(zone_load(&zone, longest), -EINVAL);
}

/* --- files --- */

static unsigned char file[4096];
static size_t file_len;

static void add(const void *bytes, size_t len)
{
	memcpy(file + file_len, bytes, len);
	file_len += len;
}

static void add_number(int64_t value, int size)
{
	for (int i = size - 1; i >= 0; i--)
		add(&(unsigned char){ (unsigned char)((uint64_t)value >> 8 * i) }, 1);
}

static void add_block(char version, int time_size, const int64_t *times, uint32_t time_count)
{
	add("TZif", 4);
	add(&version, 1);
	add("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	add_number(0, 4);
	add_number(0, 4);
	add_number(0, 4);
	add_number(time_count, 4);
	add_number(2, 4);
	add_number(4, 4);
	for (uint32_t i = 0; i < time_count; i++)
		add_number(times[i], time_size);
	for (uint32_t i = 0; i < time_count; i++)
		add_number(!(i & 1), 1);
	add_number(-5400, 4);
	add("\0\0", 2);
	add_number(7200, 4);
	add("\1\0", 2);
	add("AAA", 4);
}

static void save(void)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, file_len), file_len);
	close(fd);
}

/* Times that 4 bytes do not hold, so that the second block is seen to count. */
static const int64_t changes[] = { -3000000000, 1000000000, 5000000000 };

static void file_make(const char *footer)
{
	file_len = 0;
	add_block('2', 4, (const int64_t[]){ 1 }, 1);
	add_block('2', 8, changes, 3);
	add(footer, strlen(footer));
	save();
}

static void files_are_read_by_their_wide_times_and_their_rule(void **state)
{
	(void)state;
	file_make("\n" BERLIN "\n");
	assert_int_equal(zone_load(&zone, path), 0);
	assert_int_equal(zone_offset_s(&zone, -3000000001), -5400);
	assert_int_equal(zone_offset_s(&zone, -3000000000), 7200);
	assert_int_equal(zone_offset_s(&zone, 999999999), 7200);
	assert_int_equal(zone_offset_s(&zone, 1000000000), -5400);
	assert_int_equal(zone_offset_s(&zone, 4999999999), -5400);
	assert_int_equal(zone_offset_s(&zone, 5016416000), 3600);
	libc_uses(path);
	same_as_libc(999999999);
	same_as_libc(1000000001);
	same_as_libc(5000000001);
	same_as_libc(5016416000);

	file_make("\n\n");
	assert_int_equal(zone_load(&zone, path), 0);
	assert_int_equal(zone_offset_s(&zone, 6000000000), 7200);
}

static void an_old_file_has_narrow_times_and_no_rule(void **state)
{
	(void)state;
	file_len = 0;
	add_block('\0', 4, (const int64_t[]){ -1000000000, 1000000000 }, 2);
	save();
	assert_int_equal(zone_load(&zone, path), 0);
	assert_int_equal(zone_offset_s(&zone, -1000000001), -5400);
	assert_int_equal(zone_offset_s(&zone, -1000000000), 7200);
	assert_int_equal(zone_offset_s(&zone, 2000000000), -5400);
}

static void a_file_that_is_cut_anywhere_is_refused(void **state)
{
	size_t whole;

	(void)state;
	file_make("\n" BERLIN "\n");
	for (whole = file_len; file_len; file_len--) {
		save();
		assert_int_equal(zone_load(&zone, path), file_len == whole ? 0 : -EINVAL);
	}
}

static void an_old_file_that_is_cut_anywhere_is_refused(void **state)
{
	(void)state;
	file_len = 0;
	add_block('\0', 4, (const int64_t[]){ -1000000000, 1000000000 }, 2);
	save();
	assert_int_equal(zone_load(&zone, path), 0);
	while (file_len--) {
		save();
		assert_int_equal(zone_load(&zone, path), -EINVAL);
	}
}

/* Where the counts are in a header, and the types in a file with two transitions. */
enum { AT_COUNTS = 20, COUNTS = 6, AT_TYPES = 44 + 2 * 4, AT_INFOS = AT_TYPES + 2 };

static void what_counts_and_indexes_cannot_be_is_refused(void **state)
{
	static const unsigned char big[] = { 0x7f, 0xff, 0xff, 0xff };

	(void)state;
	for (int i = -1; i < COUNTS; i++) {
		file_len = 0;
		add_block('\0', 4, (const int64_t[]){ -1000000000, 1000000000 }, 2);
		if (i >= 0)
			memcpy(file + AT_COUNTS + 4 * i, big, sizeof big);
		save();
		assert_int_equal(zone_load(&zone, path), i < 0 ? 0 : -EINVAL);
	}
	for (int i = 0; i < 2; i++) {
		file_len = 0;
		add_block('\0', 4, (const int64_t[]){ -1000000000, 1000000000 }, 2);
		file[AT_TYPES + i] = 2;
		save();
		assert_int_equal(zone_load(&zone, path), -EINVAL);
		file[AT_TYPES + i] = 1;
		file[AT_INFOS + 6 * i] ^= 1;    /* 194 days off */
		save();
		assert_int_equal(zone_load(&zone, path), -EINVAL);
	}
}

static void a_damaged_file_is_harmless(void **state)
{
	(void)state;
	for (size_t at = 0; at < 200; at++) {
		for (int bit = 0; bit < 8; bit++) {
			file_make("\n" BERLIN "\n");
			file[at] ^= (unsigned char)(1 << bit);
			save();
			if (zone_load(&zone, path))
				assert_int_equal(zone_offset_s(&zone, 6000000000), 0);
			(void)zone_civil(&zone, -4000000000);
			(void)zone_civil(&zone, 6000000000);
		}
	}
}

static void what_is_no_small_file_is_refused(void **state)
{
	char folder[] = "/tmp/zone_test.XXXXXX", fifo[64];
	unsigned char big[ZONE_BYTES_MAX] = { 0 };
	int fd;

	(void)state;
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, big, sizeof big), sizeof big);
	close(fd);
	assert_int_equal(zone_load(&zone, path), -EFBIG);
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(zone_load(&zone, folder), -EISDIR);
	assert_int_equal(zone_load(&zone, fifo), -EINVAL);
	unlink(fifo);
	rmdir(folder);
}

static void every_failure_leaves_nothing_open(void **state)
{
	int open_before = fds_open(), nth = 0, err;

	(void)state;
	file_make("\n" BERLIN "\n");
	do {
		fault_arm(++nth, -EINTR);
		err = zone_load(&zone, path);
		assert_int_equal(err, fault_calls() < nth ? 0 : -EINTR);
		assert_int_equal(fds_open(), open_before);
	} while (fault_fired());
	assert_int_equal(nth, 4);       /* open and two reads can fail */
}

static void the_systems_zones_are_those_of_libc(void **state)
{
	static const char *const names[] = {
		"Europe/Berlin",
		"America/New_York",
		"Australia/Lord_Howe",
		"Africa/Casablanca",
		"Asia/Kathmandu",
		"America/Sao_Paulo",
		"Europe/Dublin",
		"Antarctica/Troll",
	};
	char file_name[100];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(file_name, sizeof file_name, "/usr/share/zoneinfo/%s", names[i]);
		if (access(file_name, R_OK))
			skip();
		libc_uses(names[i]);
		assert_int_equal(zone_load(&zone, names[i]), 0);
		compare_from(1969, 1971);
		compare_from(2024, 2027);
		compare_from(2037, 2040);
		compare_from(2150, 2151);
	}
}

static int path_make(void **state)
{
	(void)state;
	close(mkstemp(path));
	return 0;
}

static int path_remove(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_is_what_there_is_without_a_zone),
		cmocka_unit_test(no_time_is_too_far_off),
		cmocka_unit_test(posix_rules_mean_what_libc_makes_of_them),
		cmocka_unit_test(what_is_no_rule_is_refused_and_is_utc),
		cmocka_unit_test(files_are_read_by_their_wide_times_and_their_rule),
		cmocka_unit_test(an_old_file_has_narrow_times_and_no_rule),
		cmocka_unit_test(a_file_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(an_old_file_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(what_counts_and_indexes_cannot_be_is_refused),
		cmocka_unit_test(a_damaged_file_is_harmless),
		cmocka_unit_test(what_is_no_small_file_is_refused),
		cmocka_unit_test(every_failure_leaves_nothing_open),
		cmocka_unit_test(the_systems_zones_are_those_of_libc),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, path_make, path_remove);
}
