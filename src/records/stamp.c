/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/stamp.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "records/moment.h"

enum { US_PER_S = 1000000, HOUR_S = 3600, HOURS_AROUND = 26, ZONE_BYTES = 16, YEAR_OFFSET = 1900, YEAR_DIGITS = 4 };

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* --- writing --- */

static bool is_four_digit_year(const struct tm *tm)
{
	return tm->tm_year >= -YEAR_OFFSET && tm->tm_year + YEAR_OFFSET <= 9999;
}

static void write_in(const struct tm *tm, const char *zone, char out[STAMP_BYTES])
{
	char text[STAMP_BYTES];

	(void)snprintf(text, sizeof text, "%.3s %.3s %02u %02u:%02u:%02u %04u %.8s", day_names + 3 * tm->tm_wday,
		month_names + 3 * tm->tm_mon, (unsigned)tm->tm_mday % 100, (unsigned)tm->tm_hour % 100,
		(unsigned)tm->tm_min % 100, (unsigned)tm->tm_sec % 100, (unsigned)(tm->tm_year + YEAR_OFFSET) % 10000,
		zone);
	(void)snprintf(out, STAMP_BYTES, "%-*s", STAMP_WIDTH, text);
}

static bool is_what_it_says(const char *text, int64_t s)
{
	int64_t read_s, us;

	return !stamp_read(text, &read_s, &us) && read_s == s;
}

void stamp_write(int64_t s, char out[STAMP_BYTES])
{
	time_t t = (time_t)s;
	struct tm local, utc;

	if (!s) {
		(void)snprintf(out, STAMP_BYTES, "%*s", STAMP_WIDTH, "");
		return;
	}
	if (localtime_r(&t, &local) && is_four_digit_year(&local) && local.tm_zone && strlen(local.tm_zone) <= 3) {
		write_in(&local, local.tm_zone, out);
		if (is_what_it_says(out, s))
			return;
	}
	if (gmtime_r(&t, &utc) && is_four_digit_year(&utc)) {
		write_in(&utc, "UTC", out);
		return;
	}
	(void)snprintf(out, STAMP_BYTES, "@%-*lld", STAMP_WIDTH - 1, (long long)s);
}

void stamp_write_exact(int64_t s, int64_t us, char out[STAMP_BYTES])
{
	time_t t = (time_t)s;
	struct tm utc;

	if (us >= 0 && us < US_PER_S && gmtime_r(&t, &utc) && is_four_digit_year(&utc))
		(void)snprintf(out, STAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u,%06u+00:00",
			(unsigned)(utc.tm_year + YEAR_OFFSET) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
			(unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
			(unsigned)utc.tm_sec % 100, (unsigned)us);
	else
		(void)snprintf(out, STAMP_BYTES, "@%lld,%lld", (long long)s, (long long)us);
}

/* --- reading --- */

struct cursor {
	const char *at;
};

static bool skip(struct cursor *in, char c)
{
	if (*in->at != c)
		return false;
	in->at++;
	return true;
}

static void skip_blanks(struct cursor *in)
{
	while (*in->at == ' ')
		in->at++;
}

/* A number of so many digits. */
static bool take_digits(struct cursor *in, int least, int most, int *out)
{
	int value = 0, count = 0;

	while (count < most && isdigit((unsigned char)*in->at)) {
		value = value * 10 + *in->at++ - '0';
		count++;
	}
	*out = value;
	return count >= least;
}

/* The place in a list of three-letter names. */
static bool take_name(struct cursor *in, const char *names, int *out)
{
	for (int i = 0; names[3 * i]; i++) {
		if (strncmp(in->at, names + 3 * i, 3) != 0)
			continue;
		in->at += 3;
		*out = i;
		return true;
	}
	return false;
}

static bool take_clock(struct cursor *in, struct tm *tm)
{
	return take_digits(in, 2, 2, &tm->tm_hour) && skip(in, ':') && take_digits(in, 2, 2, &tm->tm_min) &&
		skip(in, ':') && take_digits(in, 2, 2, &tm->tm_sec);
}

/* +HH, +HHMM, +HH:MM, +HH:MM:SS, with either sign. */
static bool take_offset(struct cursor *in, int64_t *out_s)
{
	int sign = *in->at == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (!skip(in, '+') && !skip(in, '-'))
		return false;
	if (!take_digits(in, 2, 2, &hours))
		return false;
	if (*in->at && *in->at != ' ') {
		(void)skip(in, ':');
		if (!take_digits(in, 2, 2, &minutes))
			return false;
		if (skip(in, ':') && !take_digits(in, 2, 2, &seconds))
			return false;
	}
	*out_s = sign * ((hours * 60 + minutes) * 60 + seconds);
	return hours <= HOURS_AROUND && minutes < 60 && seconds < 60;
}

static bool is_same_moment(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
		a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* The time at which a clock here shows this and the zone is called so: each offset in use around it is tried. */
static bool find_named(const struct tm *shown, int64_t as_utc_s, const char *zone, int64_t *out_s)
{
	int64_t last_offset_s = INT64_MAX;

	for (int hour = -HOURS_AROUND; hour <= HOURS_AROUND; hour++) {
		time_t around = (time_t)(as_utc_s + (int64_t)hour * HOUR_S), t;
		struct tm tm;

		if (!localtime_r(&around, &tm) || tm.tm_gmtoff == last_offset_s)
			continue;
		last_offset_s = tm.tm_gmtoff;
		t = (time_t)(as_utc_s - last_offset_s);
		if (!localtime_r(&t, &tm) || !is_same_moment(&tm, shown) || strcmp(tm.tm_zone, zone) != 0)
			continue;
		*out_s = t;
		return true;
	}
	return false;
}

static int64_t as_local(const struct tm *shown)
{
	struct tm tm = *shown;

	tm.tm_isdst = -1;
	return mktime(&tm);
}

static bool take_zone(struct cursor *in, char zone[ZONE_BYTES])
{
	size_t len = 0;

	while (isalnum((unsigned char)*in->at) || (*in->at && strchr("+-:", *in->at))) {
		if (len >= ZONE_BYTES - 1)
			return false;
		zone[len++] = *in->at++;
	}
	zone[len] = '\0';
	return true;
}

static bool is_utc(const char *zone)
{
	return !strcmp(zone, "UTC") || !strcmp(zone, "GMT") || !strcmp(zone, "Z");
}

static int64_t in_zone(const struct tm *shown, const char *zone)
{
	struct tm copy = *shown;
	int64_t as_utc_s = timegm(&copy), offset_s, s;
	struct cursor in = { zone };

	if (is_utc(zone))
		return as_utc_s;
	if (find_named(shown, as_utc_s, zone, &s))
		return s;
	if (take_offset(&in, &offset_s) && !*in.at)
		return as_utc_s - offset_s;
	return as_local(shown);
}

static bool read_dated(struct cursor *in, int64_t *s)
{
	struct tm tm = { 0 };
	char zone[ZONE_BYTES];
	int year;

	if (!take_name(in, day_names, &tm.tm_wday) || !skip(in, ' ') || !take_name(in, month_names, &tm.tm_mon))
		return false;
	skip_blanks(in);
	if (!take_digits(in, 1, 2, &tm.tm_mday) || !skip(in, ' ') || !take_clock(in, &tm) || !skip(in, ' ') ||
			!take_digits(in, YEAR_DIGITS, YEAR_DIGITS, &year))
		return false;
	skip_blanks(in);
	tm.tm_year = year - YEAR_OFFSET;
	if (!take_zone(in, zone) || !moment_is_valid(&tm))
		return false;
	*s = in_zone(&tm, zone);
	return true;
}

static bool take_fraction(struct cursor *in, int64_t *us)
{
	int value = 0;
	const char *begin;

	*us = 0;
	if (!skip(in, ',') && !skip(in, '.'))
		return true;
	begin = in->at;
	if (!take_digits(in, 1, 6, &value))
		return false;
	for (long digits = in->at - begin; digits < 6; digits++)
		value *= 10;
	*us = value;
	return true;
}

static bool read_iso(struct cursor *in, int64_t *s, int64_t *us)
{
	struct tm tm = { 0 };
	int64_t offset_s = 0;
	int year, month;

	if (!take_digits(in, YEAR_DIGITS, YEAR_DIGITS, &year) || !skip(in, '-') || !take_digits(in, 2, 2, &month) ||
			!skip(in, '-') || !take_digits(in, 2, 2, &tm.tm_mday) || !skip(in, 'T') || !take_clock(in, &tm) ||
			!take_fraction(in, us))
		return false;
	tm.tm_year = year - YEAR_OFFSET;
	tm.tm_mon = month - 1;
	if (!moment_is_valid(&tm) || (!skip(in, 'Z') && !take_offset(in, &offset_s)))
		return false;
	*s = timegm(&tm) - offset_s;
	return true;
}

/* "SECONDS" or "SECONDS,MICROSECONDS". */
static bool read_bare(struct cursor *in, int64_t *s, int64_t *us)
{
	char text[STAMP_BYTES], *comma;
	size_t len = strcspn(in->at, " ");

	if (len >= sizeof text)
		return false;
	memcpy(text, in->at, len);
	text[len] = '\0';
	in->at += len;
	comma = strchr(text, ',');
	if (comma)
		*comma++ = '\0';
	*us = 0;
	return !num_parse(text, INT64_MIN, INT64_MAX, s) && (!comma || !num_parse(comma, INT64_MIN, INT64_MAX, us));
}

static bool read_any(struct cursor *in, int64_t *s, int64_t *us)
{
	if (skip(in, '@'))
		return read_bare(in, s, us);
	if (isdigit((unsigned char)*in->at))
		return read_iso(in, s, us);
	*us = 0;
	return read_dated(in, s);
}

int stamp_read(const char *text, int64_t *s, int64_t *us)
{
	struct cursor in = { text };
	int64_t found_s = 0, found_us = 0;

	skip_blanks(&in);
	if (*in.at && !read_any(&in, &found_s, &found_us))
		return -EINVAL;
	skip_blanks(&in);
	if (*in.at)
		return -EINVAL;
	*s = found_s;
	*us = found_us;
	return 0;
}
