/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as utmp and wtmp: reading ends behind the last whole record, the slot of a record is the one that a plain search
 * finds, what is put there is there and changes no other record, and what is appended is whole and the last. A wrong
 * answer aborts. */
#include <errno.h>

#include "fuzz/input.h"
#include "lib/utmpfile.h"

enum { BYTES = sizeof(struct utmp_record) };

static bool is_process(int type)
{
	return type >= UTMP_INIT_PROCESS && type <= UTMP_DEAD_PROCESS;
}

static void bytes_at(int fd, size_t number, struct utmp_record *out)
{
	FUZZ_CHECK(sys_pread(fd, out, BYTES, (off_t)(number * BYTES)) == BYTES);
}

static size_t size_of(int fd)
{
	struct stat st;

	FUZZ_CHECK(!sys_fstat(fd, &st));
	return (size_t)st.st_size;
}

static void check_reader(int fd, const char *path)
{
	size_t whole = size_of(fd) / BYTES, count = 0;
	struct utmp_record record, plain;
	struct utmp_reader reader;
	int err;

	FUZZ_CHECK(!utmp_reader_open(&reader, path));
	while (!(err = utmp_reader_next(&reader, &record))) {
		FUZZ_CHECK(count < whole);
		bytes_at(fd, count++, &plain);
		FUZZ_CHECK(!memcmp(&record, &plain, BYTES));
	}
	FUZZ_CHECK(err == -ENOENT && count == whole);
	FUZZ_CHECK(utmp_reader_next(&reader, &record) == -ENOENT);
	utmp_reader_close(&reader);
}

/* getutid(3), in the plainest way. whole: there is none. */
static size_t slot_of(int fd, size_t whole, const struct utmp_record *key)
{
	struct utmp_record record;
	size_t at;

	for (at = 0; at < whole; at++) {
		bytes_at(fd, at, &record);
		if (is_process(key->type) ? is_process(record.type) && !memcmp(record.id, key->id, sizeof key->id) :
					    record.type == key->type)
			break;
	}
	return at;
}

static void check_put(int fd, const struct utmp_record *key)
{
	size_t whole = size_of(fd) / BYTES, slot = slot_of(fd, whole, key), before = size_of(fd);
	struct utmp_record found, *all = malloc(before + 1);
	off_t at = -1;
	int err = utmp_find(fd, key, &found, &at);

	FUZZ_CHECK(all && sys_pread(fd, all, before, 0) == (ssize_t)before);
	FUZZ_CHECK(err == (slot < whole ? 0 : -ENOENT) && at == (off_t)(slot * BYTES));
	FUZZ_CHECK(err || !memcmp(&found, all + slot, BYTES));
	FUZZ_CHECK(!utmp_put(fd, at, key));
	FUZZ_CHECK(size_of(fd) == (slot < whole ? before : (whole + 1) * BYTES));
	for (size_t i = 0; i < whole; i++) {
		bytes_at(fd, i, &found);
		FUZZ_CHECK(!memcmp(&found, i == slot ? key : all + i, BYTES));
	}
	FUZZ_CHECK(!utmp_find(fd, key, &found, &at) && at == (off_t)(slot * BYTES));
	free(all);
}

static void check_append(int fd, const char *path, const struct utmp_record *key)
{
	size_t before = size_of(fd), records = (before + BYTES - 1) / BYTES;
	struct utmp_record last;
	int append = sys_open(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);

	FUZZ_CHECK(append >= 0 && !utmp_append(append, key));
	FUZZ_CHECK(size_of(fd) == (records + 1) * BYTES);
	bytes_at(fd, records, &last);
	FUZZ_CHECK(!memcmp(&last, key, BYTES));
	sys_close(append);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct utmp_record key = { .type = (int16_t)(input_number(&input, 1) % 12) };
	char path[FILE_PATH_MAX];
	int fd;

	key.pid = (int32_t)input_number(&input, 1);
	for (size_t i = 0; i < sizeof key.id; i++)
		key.id[i] = (char)input_byte(&input);
	utmp_set_text(key.line, sizeof key.line, "~");
	fd = file_of(input.at, input.left, path);
	check_reader(fd, path);
	check_put(fd, &key);
	check_append(fd, path, &key);
	check_reader(fd, path);
	sys_close(fd);
	return 0;
}
