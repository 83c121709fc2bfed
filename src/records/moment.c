/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOUR_S = 3600, DAY_S = 86400, YEAR_OFFSET = 1900 };

/* Years 0 to 9999, a day short at both ends so that no offset leads out of them. */
#define FIRST_S INT64_C(-62167132800)
#define LAST_S INT64_C(253402214399)

void moment_init(struct moment *m)
{
	memset(m, 0, sizeof *m);
	tzset();
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int32_t ask_offset(int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

int32_t moment_offset_s(struct moment *m, int64_t s)
{
	int64_t hour = floor_div(s, HOUR_S);
	unsigned slot = (uint64_t)hour % MOMENT_SLOTS;

	if (m->slot[slot].hour != hour + 1) {
		int32_t offset_s = ask_offset(hour * HOUR_S);

		m->slot[slot].hour = hour + 1;
		m->slot[slot].offset_s = offset_s;
		m->slot[slot].is_steady = offset_s == ask_offset(hour * HOUR_S + HOUR_S - 1);
	}
	return m->slot[slot].is_steady ? m->slot[slot].offset_s : ask_offset(s);
}

static bool is_in_calendar(int64_t s)
{
	return s >= FIRST_S && s <= LAST_S;
}

static void take_date(struct moment *m, int64_t day)
{
	static const char names[] = "SunMonTueWedThuFriSatJanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(day * DAY_S);
	struct tm tm;

	(void)gmtime_r(&t, &tm);        /* within the calendar: it cannot fail */
	(void)snprintf(m->date, sizeof m->date, "%.3s %.3s %2d ", names + 3 * tm.tm_wday, names + 21 + 3 * tm.tm_mon,
		tm.tm_mday);
	m->year = tm.tm_year + YEAR_OFFSET;
	m->day = day;
	m->has_date = true;
}

static void two_digits(char *to, int value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
}

static void write_clock(char *to, int second_of_day)
{
	two_digits(to, second_of_day / 3600);
	to[2] = ':';
	two_digits(to + 3, second_of_day / 60 % 60);
}

int moment_write(struct moment *m, int64_t s, char out[MOMENT_DATE_BYTES])
{
	int64_t local_s, day;
	int second_of_day;

	if (!is_in_calendar(s))
		return snprintf(out, MOMENT_DATE_BYTES, "@%lld", (long long)s);
	local_s = s + moment_offset_s(m, s);
	day = floor_div(local_s, DAY_S);
	second_of_day = (int)(local_s - day * DAY_S);
	if (!m->has_date || m->day != day)
		take_date(m, day);
	memcpy(out, m->date, 11);
	write_clock(out + 11, second_of_day);
	out[16] = ':';
	two_digits(out + 17, second_of_day % 60);
	out[19] = ' ';
	two_digits(out + 20, m->year / 100);
	two_digits(out + 22, m->year % 100);
	out[24] = '\0';
	return 24;
}

void moment_write_clock(struct moment *m, int64_t s, char out[6])
{
	int64_t local_s = is_in_calendar(s) ? s + moment_offset_s(m, s) : s;
	int second_of_day = (int)(local_s % DAY_S);

	write_clock(out, second_of_day < 0 ? second_of_day + DAY_S : second_of_day);
	out[5] = '\0';
}

static int days_in(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && is_leap);
}

static bool is_within(int value, int low, int high)
{
	return value >= low && value <= high;
}

bool moment_is_valid(const struct tm *tm)
{
	int year = tm->tm_year + YEAR_OFFSET;

	return is_within(year, 0, 9999) && is_within(tm->tm_mon, 0, 11) &&
		is_within(tm->tm_mday, 1, days_in(year, tm->tm_mon)) && is_within(tm->tm_hour, 0, 23) &&
		is_within(tm->tm_min, 0, 59) && is_within(tm->tm_sec, 0, 60);
}
