/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a table's image: table_open() refuses it, or everything in it can be read. The
 * first byte says how much of a good header stands before the others, so that guesses reach the
 * entries. A wrong answer aborts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "init/table.h"
#include "lib/sys.h"

enum { HEADER_BYTES = 16, COUNT_AT = 8, SIZE_AT = 12 };

/* The magic number and the version, as the builder writes them. */
static void header_take(unsigned char header[HEADER_BYTES])
{
	int fd = sys_memfd("empty", 3);

	FUZZ_CHECK(fd >= 0 && !table_build_end(table_build_begin(), fd));
	FUZZ_CHECK(sys_pread(fd, header, HEADER_BYTES, 0) == HEADER_BYTES);
	sys_close(fd);
}

static int image_of(const uint8_t *data, size_t size)
{
	static unsigned char header[HEADER_BYTES];
	uint32_t whole = (uint32_t)(HEADER_BYTES + size - 1), count = data[0] & 0x7f;
	off_t at = 0;
	int fd = sys_memfd("image", 3);

	FUZZ_CHECK(fd >= 0);
	if (data[0] & 0x80) {
		if (!header[0])
			header_take(header);
		memcpy(header + COUNT_AT, &count, sizeof count);
		memcpy(header + SIZE_AT, &whole, sizeof whole);
		at = sizeof header;
		FUZZ_CHECK(sys_pwrite(fd, header, sizeof header, 0) == sizeof header);
	}
	FUZZ_CHECK(sys_pwrite(fd, data + 1, size - 1, at) == (ssize_t)size - 1);
	FUZZ_CHECK(!table_seal(fd));
	return fd;
}

static void check_entry(const struct table *table, const struct table_entry *entry)
{
	const char *process = table_process(table, entry), *image = table->image;

	FUZZ_CHECK(strlen(entry->id) && strlen(entry->id) <= TAB_ID_MAX);
	FUZZ_CHECK(strlen(entry->levels) && strlen(entry->levels) <= TAB_LEVELS_MAX);
	FUZZ_CHECK(entry->action > ACTION_NONE && entry->action < ACTION_COUNT);
	FUZZ_CHECK(process >= image && process < image + table->size_bytes);
	FUZZ_CHECK(process + entry->process_len < image + table->size_bytes);
	FUZZ_CHECK(strlen(process) == entry->process_len && entry->process_len <= TAB_LINE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table table;
	int fd, err;

	if (!size)
		return 0;
	fd = image_of(data, size);
	err = table_open(fd, &table);
	for (uint32_t i = 0; !err && i < table.count; i++)
		check_entry(&table, table_entry(&table, i));
	if (!err)
		table_close(&table);
	sys_close(fd);
	return 0;
}
