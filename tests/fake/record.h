/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/record.h - records made up for tests: in a layout of any machine, in memory or in a file. Everything asserts. */
#ifndef FAKE_RECORD_H
#define FAKE_RECORD_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "records/layout.h"

enum { FAKE_RECORDS_MAX = 64 };

struct fake_file {
	const struct layout *layout;
	unsigned char bytes[FAKE_RECORDS_MAX * LAYOUT_BYTES_MAX];
	size_t len;
};

static inline void fake_text(struct record_fields *fields, enum layout_text which, const char *text)
{
	assert(strlen(text) <= sizeof fields->text[which]);
	memset(fields->text[which], 0, sizeof fields->text[which]);
	memcpy(fields->text[which], text, strlen(text));
}

static inline struct record_fields fake_fields(int type, int32_t pid, const char *line, const char *user, int64_t s)
{
	struct record_fields fields = { .type = type, .pid = pid, .s = s };

	fake_text(&fields, TEXT_LINE, line);
	fake_text(&fields, TEXT_USER, user);
	return fields;
}

static inline void fake_add_fields(struct fake_file *file, const struct record_fields *fields)
{
	int err = layout_encode(file->layout, fields, file->bytes + file->len);

	assert(!err && file->len + file->layout->bytes <= sizeof file->bytes);
	(void)err;
	file->len += file->layout->bytes;
}

static inline void fake_add(struct fake_file *file, int type, int32_t pid, const char *line, const char *user, int64_t s)
{
	struct record_fields fields = fake_fields(type, pid, line, user, s);

	fake_add_fields(file, &fields);
}

static inline void fake_add_bytes(struct fake_file *file, const void *bytes, size_t len)
{
	assert(file->len + len <= sizeof file->bytes);
	memcpy(file->bytes + file->len, bytes, len);
	file->len += len;
}

/* The number of the record, from 0. */
static inline struct record fake_record(const struct fake_file *file, size_t number)
{
	return record_of(file->layout, file->bytes + number * file->layout->bytes);
}

/* A file without a name that holds len bytes; its descriptor stands at its beginning. */
static inline int fake_descriptor(const void *bytes, size_t len)
{
	char path[] = "/tmp/fake_record.XXXXXX";
	int fd = mkstemp(path);

	assert(fd >= 0);
	unlink(path);
	if (write(fd, bytes, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

#endif
