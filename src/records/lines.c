/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/lines.h"

#include <errno.h>
#include <string.h>

#include "lib/sys.h"

void lines_init(struct lines *lines, int fd)
{
	lines->fd = fd;
	lines->has_ended = false;
	lines->number = 0;
	lines->used = lines->have = 0;
}

static int read_more(struct lines *lines)
{
	ssize_t got;

	memmove(lines->block, lines->block + lines->used, lines->have - lines->used);
	lines->have -= lines->used;
	lines->used = 0;
	do
		got = sys_read(lines->fd, lines->block + lines->have, sizeof lines->block - lines->have);
	while (got == -EINTR);
	if (got < 0)
		return (int)got;
	lines->has_ended = !got;
	lines->have += (size_t)got;
	return 0;
}

int lines_next(struct lines *lines, const char **line, size_t *len)
{
	for (;;) {
		const char *begin = lines->block + lines->used;
		size_t left = lines->have - lines->used;
		const char *end = memchr(begin, '\n', left);
		size_t length = end ? (size_t)(end - begin) : left;
		int err;

		if (length > LINES_LENGTH_MAX) {
			lines->number++;
			return -EMSGSIZE;
		}
		if (end || (lines->has_ended && left)) {
			lines->number++;
			lines->used += length + !!end;
			*line = begin;
			*len = length;
			return 1;
		}
		if (lines->has_ended)
			return 0;
		err = read_more(lines);
		if (err)
			return err;
	}
}
