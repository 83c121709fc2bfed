/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a wtmp file, read as last(1) and utmpdump(1) do: every record lies within the file, every line is one line of
 * printable ASCII, and the exact form of a record gives its bytes back. The first byte chooses the layout and the columns.
 * A wrong answer aborts. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/sys.h"
#include "records/backward.h"
#include "records/columns.h"
#include "records/dump.h"
#include "records/history.h"
#include "records/moment.h"

static void check_printable(const char *line, size_t len)
{
	FUZZ_CHECK(len && line[len - 1] == '\n');
	for (size_t i = 0; i + 1 < len; i++)
		FUZZ_CHECK(line[i] >= ' ' && line[i] <= '~');
}

static void check_dump(const struct record *record)
{
	unsigned char again[LAYOUT_BYTES_MAX];
	struct record_fields fields;
	char line[DUMP_LINE_MAX];
	size_t len = dump_write(record, false, line);

	check_printable(line, len);
	FUZZ_CHECK(!dump_read(line, len - 1, &fields));
	len = dump_write(record, true, line);
	check_printable(line, len);
	FUZZ_CHECK(!dump_read(line, len - 1, &fields));
	FUZZ_CHECK(!layout_encode(record->layout, &fields, again));
	FUZZ_CHECK(!memcmp(again, record->bytes, record->layout->bytes));
}

static void check_record(struct history *history, const struct record *record, const struct columns *columns,
	struct moment *moment)
{
	char line[COLUMNS_LINE_MAX + 1];
	struct happening what;
	int shown = history_take(history, record, &what);

	FUZZ_CHECK(shown >= 0);
	if (shown)
		check_printable(line, (size_t)columns_write(columns, moment, &what, record_text(record, TEXT_HOST), line));
	check_dump(record);
}

static void check_file(int fd, const struct layout *layout, size_t size, uint8_t options)
{
	const struct history_config config = { .is_bad = options & 4, .with_system = options & 8 };
	const struct columns columns = { .full_dates = options & 16, .whole_names = options & 32, .host_last = options & 64,
		.long_names = options & 128 };
	struct backward *reader = malloc(sizeof *reader);
	struct history *history = history_new(&config);
	struct moment *moment = malloc(sizeof *moment);
	struct record record;
	size_t taken = 0;
	bool is_repeated;
	int err;

	FUZZ_CHECK(reader && history && moment);
	moment_init(moment);
	FUZZ_CHECK(!backward_open(reader, fd, layout, options & 1));
	while (!(err = backward_next(reader, &record, &is_repeated))) {
		taken += record.layout->bytes;
		FUZZ_CHECK(taken <= size);
		check_record(history, &record, &columns, moment);
	}
	FUZZ_CHECK(err == -ENOENT);
	backward_close(reader);
	history_free(history);
	free(moment);
	free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "384le", "384be", "400le", "400be", "56le", "56be", NULL, NULL };
	const char *name;
	int fd;

	if (!size)
		return 0;
	(void)setenv("TZ", "Europe/Berlin", 1);
	fd = sys_memfd("wtmp", 1);
	FUZZ_CHECK(fd >= 0 && sys_pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1);
	name = names[data[0] & 7];
	check_file(fd, name ? layout_named(name) : NULL, size - 1, data[0]);
	return 0;
}
