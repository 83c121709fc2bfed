/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "records/stamp.h"

static const char *const zones[] = { "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo",
	"Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca",
	"America/St_Johns", "GMT+5", "<+0345>-3:45", "EST5EST", "AA1AB" };
enum { ZONES = sizeof zones / sizeof zones[0] };

static void set_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static const char *written(int64_t s)
{
	static char text[STAMP_BYTES];

	stamp_write(s, text);
	assert_true(strlen(text) >= STAMP_WIDTH);
	return text;
}

static void zones_of_three_letters_are_local(void **state)
{
	(void)state;
	set_zone("UTC");
	assert_string_equal(written(1709280000), "Fri Mar 01 08:00:00 2024 UTC");
	set_zone("Europe/Berlin");
	assert_string_equal(written(1709280000), "Fri Mar 01 09:00:00 2024 CET");
	assert_string_equal(written(1719820800), "Mon Jul 01 08:00:00 2024 UTC");       /* CEST */
	set_zone("America/New_York");
	assert_string_equal(written(1719820800), "Mon Jul 01 04:00:00 2024 EDT");
	set_zone("GMT+5");      /* not what this zone is called elsewhere */
	assert_string_equal(written(1719820800), "Mon Jul 01 08:00:00 2024 UTC");
}

static void zero_is_blank(void **state)
{
	int64_t s, us;

	(void)state;
	assert_string_equal(written(0), "                            ");
	assert_int_equal(stamp_read("                            ", &s, &us), 0);
	assert_int_equal(s, 0);
	assert_int_equal(us, 0);
}

/* An hour apart all year, the hours that come twice in autumn included, and a wide range besides. */
static void every_time_comes_back_in_every_zone(void **state)
{
	int64_t s, us;

	(void)state;
	for (int i = 0; i < ZONES; i++) {
		set_zone(zones[i]);
		for (int64_t t = 1704067200; t < 1704067200 + 366 * 86400; t += 3600) {
			assert_int_equal(stamp_read(written(t), &s, &us), 0);
			assert_int_equal(s, t);
		}
		for (int64_t t = 1; t < UINT32_MAX; t += 49999991) {
			assert_int_equal(stamp_read(written(t), &s, &us), 0);
			assert_int_equal(s, t);
			assert_int_equal(us, 0);
		}
	}
}

/* In New York 1:30 comes twice that day; the zone says which. */
static void the_zone_tells_an_hour_that_comes_twice(void **state)
{
	int64_t s, us;

	(void)state;
	set_zone("America/New_York");
	assert_int_equal(stamp_read("Sun Nov 03 01:30:00 2024 EDT", &s, &us), 0);
	assert_int_equal(s, 1730611800);
	assert_int_equal(stamp_read("Sun Nov 03 01:30:00 2024 EST", &s, &us), 0);
	assert_int_equal(s, 1730615400);
	set_zone("Europe/Berlin");
	assert_int_equal(stamp_read("Mon Jul 01 10:00:00 2024 CEST", &s, &us), 0);
	assert_int_equal(s, 1719820800);
}

static void every_form_is_read(void **state)
{
	static const struct {
		const char *text;
		int64_t s, us;
	} rows[] = {
		{ "2024-03-01T08:00:00,000123+00:00", 1709280000, 123 },
		{ "2024-03-01T09:00:00,5+01:00", 1709280000, 500000 },
		{ "2024-03-01T08:00:00Z", 1709280000, 0 },
		{ "2024-03-01T08:00:00.25Z", 1709280000, 250000 },
		{ "2024-03-01T02:30:00-0530", 1709280000, 0 },
		{ "Fri Mar  1 08:00:00 2024 Z", 1709280000, 0 },
		{ "Fri Mar 1 08:00:00 2024 GMT", 1709280000, 0 },
		{ "Fri Mar 01 10:00:00 2024 +02", 1709280000, 0 },
		{ "Fri Mar 01 13:45:00 2024 +0545", 1709280000, 0 },
		{ "Fri Mar 01 06:00:00 2024 -02:00", 1709280000, 0 },
		{ "Fri Mar 01 09:00:00 2024 ZZZ", 1709280000, 0 },      /* unknown: local */
		{ "Mon Jul 01 10:00:00 2024", 1719820800, 0 },          /* none: local, in summer */
		{ "Mon Jul 01 10:00:00 2024 XYZT", 1719820800, 0 },
		{ "@0", 0, 0 }, { "@-5,7", -5, 7 }, { "@99999999999999,-3", 99999999999999, -3 },
		{ "  @12  ", 12, 0 }, { "Thu Jan 01 00:00:00 1970 UTC", 0, 0 },
	};

	(void)state;
	set_zone("Europe/Berlin");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t s = 1, us = 1;

		assert_int_equal(stamp_read(rows[i].text, &s, &us), 0);
		assert_int_equal(s, rows[i].s);
		assert_int_equal(us, rows[i].us);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const texts[] = { "x", "Fri", "Fri Mar 01 08:00:00", "Fri Mar 32 08:00:00 2024 UTC",
		"Fri Feb 30 08:00:00 2024 UTC", "Xxx Mar 01 08:00:00 2024 UTC", "Fri Mrz 01 08:00:00 2024 UTC",
		"Fri Mar 01 24:00:00 2024 UTC", "Fri Mar 01 08:00 2024 UTC", "Fri Mar 01 08:00:00 24 UTC",
		"Fri Mar 01 08:00:00 2024 UTC x", "Fri Mar 01 08:00:00 2024 (UTC)", "2024-03-01", "2024-03-01T08:00:00",
		"2024-13-01T08:00:00Z", "2024-03-01T08:00:00,Z", "2024-03-01T08:00:00,1234567Z", "2024-03-01T08:00:00+1",
		"2024-03-01T08:00:00+00:00x", "@", "@x", "@1,", "@1,x", "@99999999999999999999",
		"Fri Mar 01 08:00:00 2024 ABCDEFGHIJKLMNOPQRST", "2024-03-01T08:00:00+99:00" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		int64_t s = 77, us = 77;

		assert_int_equal(stamp_read(texts[i], &s, &us), -EINVAL);
		assert_int_equal(s + us, 154);
	}
}

static void the_exact_form_loses_nothing(void **state)
{
	static const int64_t seconds[] = { 0, 1, 1709280000, UINT32_MAX, -1, INT64_MIN, INT64_MAX, INT64_C(253402300799),
		INT64_C(253402300800), INT64_C(-62167219200), INT64_C(-62167219201) };
	static const int64_t micros[] = { 0, 1, 999999, 1000000, -1, INT64_MAX, INT64_MIN };

	(void)state;
	set_zone("Europe/Berlin");
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
		for (size_t k = 0; k < sizeof micros / sizeof micros[0]; k++) {
			char text[STAMP_BYTES];
			int64_t s, us;

			stamp_write_exact(seconds[i], micros[k], text);
			assert_int_equal(stamp_read(text, &s, &us), 0);
			assert_int_equal(s, seconds[i]);
			assert_int_equal(us, micros[k]);
		}
		if (seconds[i]) {
			int64_t s, us;

			assert_int_equal(stamp_read(written(seconds[i]), &s, &us), 0);
			assert_int_equal(s, seconds[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_of_three_letters_are_local),
		cmocka_unit_test(zero_is_blank),
		cmocka_unit_test(every_time_comes_back_in_every_zone),
		cmocka_unit_test(the_zone_tells_an_hour_that_comes_twice),
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(the_exact_form_loses_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
