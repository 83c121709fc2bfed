/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /etc/inittab: what the loader makes of them is a table that pid 1 takes, each
 * entry of which can be planned. A wrong answer aborts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz/fuzz.h"
#include "fuzz/tables.h"
#include "init/loader.h"
#include "lib/sys.h"

static void hear(void *context, const char *text)
{
	int *count = context;

	FUZZ_CHECK(*text && !strchr(text, '\n'));
	++*count;
}

static void check_image(int fd)
{
	struct table table;

	FUZZ_CHECK(!table_open(fd, &table));
	check_table(&table);
	table_close(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int said = 0, tab = sys_memfd("inittab", 1), image = sys_memfd("image", 3), err;
	char path[64];
	struct loader_config config = {
		.tab = path, .tab_dir = "/nonexistent", .cmdline = "/nonexistent", .say = hear,
		.context = &said,
	};

	FUZZ_CHECK(tab >= 0 && image >= 0);
	FUZZ_CHECK(sys_pwrite(tab, data, size, 0) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", tab);
	err = loader_run(&config, image);
	FUZZ_CHECK(!err || said);
	FUZZ_CHECK(said <= LOADER_COMPLAINTS_MAX + 2);
	check_image(image);
	sys_close(tab);
	sys_close(image);
	return 0;
}
