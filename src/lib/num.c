/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/num.h"

#include <errno.h>
#include <stdbool.h>

int num_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		int digit = *text - '0';

		if (digit < 0 || digit > 9)
			return -EINVAL;
		/* Built downwards: the negative range is the larger one. */
		if (value < (INT64_MIN + digit) / 10)
			return -ERANGE;
		value = value * 10 - digit;
	}
	if (!negative && value == INT64_MIN)
		return -ERANGE;
	value = negative ? value : -value;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

uint32_t num_hash(const void *data, size_t len_bytes)
{
	const unsigned char *byte = data;
	uint32_t hash = 2166136261u;

	while (len_bytes--)
		hash = (hash ^ *byte++) * 16777619u;
	return hash;
}
