/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/sys.h"

enum {
	DAY_S = 86400,
	HEADER_BYTES = 44,
	INFO_BYTES = 6,
	OFFSET_MAX_S = 26 * 3600,       /* RFC 8536: "-26 hours to +26" */
	RULE_TIME_MAX_H = 167,
};

/* --- the calendar (Gregorian, days since 1970-01-01) --- */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int64_t year, int month)
{
	static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month] + (month == 1 && is_leap(year));
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_before_year(int64_t year)
{
	int64_t past = year - 1;

	return past * 365 + floor_div(past, 4) - floor_div(past, 100) + floor_div(past, 400) -
	       719162;
}

static int64_t year_of_day(int64_t day)
{
	int64_t year = 1970 + floor_div(day * 400, 146097);

	while (days_before_year(year) > day)
		year--;
	while (days_before_year(year + 1) <= day)
		year++;
	return year;
}

/* --- rules --- */

static bool number_take(const char **at, int max, int *out)
{
	int value = 0, digits = 0;

	for (; **at >= '0' && **at <= '9' && digits < 4; digits++)
		value = value * 10 + (*(*at)++ - '0');
	if (!digits || value > max)
		return false;
	*out = value;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool time_take(const char **at, int max_h, int32_t *out_s)
{
	int sign = **at == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (**at == '-' || **at == '+')
		(*at)++;
	if (!number_take(at, max_h, &hours))
		return false;
	if (**at == ':' && (++*at, !number_take(at, 59, &minutes)))
		return false;
	if (**at == ':' && (++*at, !number_take(at, 59, &seconds)))
		return false;
	*out_s = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool name_skip(const char **at)
{
	const char *from = *at;

	if (*from == '<') {
		const char *end = strchr(from, '>');

		*at = end ? end + 1 : from;
		return end;
	}
	while (is_letter(**at))
		(*at)++;
	return *at - from >= 3;
}

static bool date_take(const char **at, struct zone_date *out)
{
	*out = (struct zone_date){ .kind = **at, .at_s = 2 * 3600 };
	if (**at == 'M') {
		++*at;
		if (!number_take(at, 12, &out->month) || *(*at)++ != '.' ||
			!number_take(at, 5, &out->week) || *(*at)++ != '.' ||
			!number_take(at, 6, &out->day))
			return false;
		if (!out->month-- || !out->week)
			return false;
	} else if (**at == 'J') {
		++*at;
		if (!number_take(at, 365, &out->day) || !out->day--)
			return false;
	} else {
		out->kind = 'D';
		if (!number_take(at, 365, &out->day))
			return false;
	}
	return **at != '/' || (++*at, time_take(at, RULE_TIME_MAX_H, &out->at_s));
}

static bool rule_parse(const char *text, struct zone_rule *out)
{
	struct zone_rule rule = { .is_set = true };
	int32_t west_s;

	if (!name_skip(&text) || !time_take(&text, 24, &west_s))
		return false;
	rule.standard_s = -west_s;
	if (*text) {
		rule.has_summer = true;
		if (!name_skip(&text))
			return false;
		rule.summer_s = rule.standard_s + 3600;
		if (*text && *text != ',') {
			if (!time_take(&text, 24, &west_s))
				return false;
			rule.summer_s = -west_s;
		}
		if (!*text)     /* POSIX leaves these to us; libcs take the rules of the USA */
			text = ",M3.2.0,M11.1.0";
		if (*text++ != ',' || !date_take(&text, &rule.begin) || *text++ != ',' ||
			!date_take(&text, &rule.end) || *text)
			return false;
	}
	*out = rule;
	return true;
}

static int64_t date_in_year_s(const struct zone_date *date, int64_t year)
{
	int64_t day = days_before_year(year);

	if (date->kind == 'M') {
		int offset, weekday;

		for (int month = 0; month < date->month; month++)
			day += days_in(year, month);
		weekday = (int)(day + 4 - floor_div(day + 4, 7) * 7);
		offset = (date->day - weekday + 7) % 7 + (date->week - 1) * 7;
		if (offset >= days_in(year, date->month))
			offset -= 7;
		day += offset;
	} else {
		day += date->day + (date->kind == 'J' && date->day >= 59 && is_leap(year));
	}
	return day * DAY_S + date->at_s;
}

static int32_t rule_offset_s(const struct zone_rule *rule, int64_t utc_s)
{
	int64_t year, begin_s, end_s;
	bool is_summer;

	if (!rule->has_summer)
		return rule->standard_s;
	year = year_of_day(floor_div(utc_s + rule->standard_s, DAY_S));
	begin_s = date_in_year_s(&rule->begin, year) - rule->standard_s;
	end_s = date_in_year_s(&rule->end, year) - rule->summer_s;
	if (begin_s < end_s)
		is_summer = begin_s <= utc_s && utc_s < end_s;
	else
		is_summer = utc_s < end_s || begin_s <= utc_s;
	return is_summer ? rule->summer_s : rule->standard_s;
}

/* --- files --- */

static int64_t big_endian(const unsigned char *from, size_t size)
{
	uint64_t value = size == 8 || from[0] < 0x80 ? 0 : UINT64_MAX;

	while (size--)
		value = value << 8 | *from++;
	return (int64_t)value;
}

static uint32_t count_at(const unsigned char *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Where the block at `at` ends, or 0 if there is none that we can use. */
static size_t block_parse(struct zone *zone, size_t at, size_t len, size_t time_bytes)
{
	const unsigned char *head = zone->data + at;
	uint64_t size;

	if (len < at || len - at < HEADER_BYTES || memcmp(head, "TZif", 4))
		return 0;
	zone->time_count = count_at(head + 32);
	zone->info_count = count_at(head + 36);
	zone->time_bytes = time_bytes;
	zone->times = at + HEADER_BYTES;
	size = (uint64_t)zone->time_count * (time_bytes + 1) +
	       (uint64_t)zone->info_count * INFO_BYTES + count_at(head + 40) +
	       (uint64_t)count_at(head + 28) * (time_bytes + 4) + count_at(head + 24) +
	       count_at(head + 20);
	if (!zone->info_count || size > len - zone->times)
		return 0;
	zone->types = zone->times + zone->time_count * time_bytes;
	zone->infos = zone->types + zone->time_count;
	return zone->times + (size_t)size;
}

/* The line that has the rule for after the last transition. */
static bool footer_parse(struct zone *zone, size_t at, size_t len)
{
	char *text = (char *)zone->data + at + 1;
	char *end;

	if (at + 2 > len || text[-1] != '\n')
		return false;
	end = memchr(text, '\n', len - at - 1);
	if (!end)
		return false;
	*end = '\0';
	return !*text || rule_parse(text, &zone->rule);
}

static bool offsets_are_sane(const struct zone *zone)
{
	for (uint32_t i = 0; i < zone->info_count; i++) {
		int64_t offset_s = big_endian(zone->data + zone->infos + i * INFO_BYTES, 4);

		if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S)
			return false;
	}
	for (uint32_t i = 0; i < zone->time_count; i++)
		if (zone->data[zone->types + i] >= zone->info_count)
			return false;
	return true;
}

static bool data_parse(struct zone *zone, size_t len)
{
	size_t end = block_parse(zone, 0, len, 4);

	if (!end)
		return false;
	if (zone->data[4] >= '2') {
		end = block_parse(zone, end, len, 8);
		if (!end || !footer_parse(zone, end, len))
			return false;
	}
	return offsets_are_sane(zone);
}

static ssize_t file_read(const char *path, unsigned char *data, size_t size)
{
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = sys_read(fd, data + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < size);
	sys_close(fd);
	if (n < 0)
		return n;
	return len < size ? (ssize_t)len : -EFBIG;
}

static int file_load(struct zone *zone, const char *path)
{
	ssize_t len = file_read(path, zone->data, sizeof zone->data);
	int err = len < 0 ? (int)len : data_parse(zone, (size_t)len) ? 0 : -EINVAL;

	if (err) {
		zone->info_count = zone->time_count = 0;
		zone->rule = (struct zone_rule){ 0 };
	}
	return err;
}

const char *zone_file(const char *name, char room[ZONE_FILE_MAX])
{
	struct zone_rule rule;
	int len;

	if (!name)
		return LOCALTIME_PATH;
	name += *name == ':';
	if (*name == '/')
		return name;
	if (!*name || rule_parse(name, &rule))
		return NULL;
	len = snprintf(room, ZONE_FILE_MAX, "/usr/share/zoneinfo/%s", name);
	return len < ZONE_FILE_MAX ? room : NULL;
}

int zone_load(struct zone *zone, const char *name)
{
	char room[ZONE_FILE_MAX];
	const char *file = zone_file(name, room);

	zone->info_count = zone->time_count = 0;
	zone->rule = (struct zone_rule){ 0 };
	if (file)
		return file_load(zone, file);
	name += *name == ':';
	return !*name || rule_parse(name, &zone->rule) ? 0 : -EINVAL;
}

/* --- asking --- */

static int64_t transition_s(const struct zone *zone, uint32_t i)
{
	return big_endian(zone->data + zone->times + i * zone->time_bytes, zone->time_bytes);
}

int32_t zone_offset_s(const struct zone *zone, int64_t utc_s)
{
	uint32_t low = 0, high = zone->time_count, type;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (transition_s(zone, middle) <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	/* low: how many transitions are past */
	if (zone->rule.is_set && low == zone->time_count)
		return rule_offset_s(&zone->rule, utc_s);
	if (!zone->info_count)
		return 0;
	type = low ? zone->data[zone->types + low - 1] : 0;
	return (int32_t)big_endian(zone->data + zone->infos + type * INFO_BYTES, 4);
}

struct civil zone_civil(const struct zone *zone, int64_t utc_s)
{
	/* Beyond these years nothing is right, but nothing overflows either. */
	int64_t limit = INT64_C(1) << 40;
	int64_t local_s, day, year;
	struct civil civil = { 0 };

	utc_s = utc_s > limit ? limit : utc_s < -limit ? -limit : utc_s;
	local_s = utc_s + zone_offset_s(zone, utc_s);
	day = floor_div(local_s, DAY_S);
	local_s -= day * DAY_S;
	year = year_of_day(day);
	day -= days_before_year(year);
	while (day >= days_in(year, civil.month))
		day -= days_in(year, civil.month++);
	civil.day = (int)day + 1;
	civil.hour = (int)(local_s / 3600);
	civil.minute = (int)(local_s / 60 % 60);
	civil.second = (int)(local_s % 60);
	return civil;
}
