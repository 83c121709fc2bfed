/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the text that utmpdump -r reads: each line is refused, or is a record that, where it fits, dumps to a line
 * that gives the same bytes. A wrong answer aborts. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/sys.h"
#include "records/dump.h"
#include "records/lines.h"

static void check_layout(const struct layout *layout, const struct record_fields *fields)
{
	unsigned char bytes[LAYOUT_BYTES_MAX], again[LAYOUT_BYTES_MAX];
	struct record_fields back;
	char line[DUMP_LINE_MAX];
	struct record record;
	size_t len;

	if (layout_encode(layout, fields, bytes))
		return;
	record = record_of(layout, bytes);
	len = dump_write(&record, true, line);
	FUZZ_CHECK(len && line[len - 1] == '\n');
	FUZZ_CHECK(!dump_read(line, len - 1, &back));
	FUZZ_CHECK(!layout_encode(layout, &back, again));
	FUZZ_CHECK(!memcmp(bytes, again, layout->bytes));
}

static void check_line(const char *line, size_t len)
{
	static const char *const names[] = { "384le", "400be", "56le" };
	struct record_fields fields;

	if (dump_read(line, len, &fields))
		return;
	for (int i = 0; i < 3; i++)
		check_layout(layout_named(names[i]), &fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines *lines = malloc(sizeof *lines);
	int fd = sys_memfd("text", 1), got;
	size_t taken = 0, len;
	const char *line;

	(void)setenv("TZ", "Europe/Berlin", 1);
	FUZZ_CHECK(lines && fd >= 0 && sys_pwrite(fd, data, size, 0) == (ssize_t)size);
	lines_init(lines, fd);
	while ((got = lines_next(lines, &line, &len)) == 1) {
		taken += len;
		FUZZ_CHECK(taken <= size);
		check_line(line, len);
	}
	FUZZ_CHECK(got == 0 || got == -EMSGSIZE);
	sys_close(fd);
	free(lines);
	return 0;
}
