/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /etc/inittab: what the loader makes of them is a table that pid 1 takes, each
 * entry of which can be planned. A wrong answer aborts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz/fuzz.h"
#include "init/command.h"
#include "init/loader.h"
#include "init/simple.h"
#include "init/table.h"
#include "lib/sys.h"

static void hear(void *context, const char *text)
{
	int *count = context;

	FUZZ_CHECK(*text && !strchr(text, '\n'));
	++*count;
}

static void check_words(const struct command *command)
{
	int count = 0;

	while (command->argv[count]) {
		(void)strlen(command->argv[count]);
		FUZZ_CHECK(++count <= COMMAND_ARGS_MAX);
	}
}

static void check_entry(const struct table *table, const struct table_entry *entry)
{
	struct tab_line line = { .action = (enum action)entry->action };
	const char *process = table_process(table, entry);
	struct command command;

	FUZZ_CHECK(strlen(entry->id) && strlen(entry->id) <= TAB_ID_MAX);
	FUZZ_CHECK(strlen(entry->levels) && strlen(entry->levels) <= TAB_LEVELS_MAX);
	FUZZ_CHECK(!strchr(entry->levels, 's'));
	FUZZ_CHECK(!strchr(process, '\n') && strlen(process) == entry->process_len);
	strcpy(line.id, entry->id);
	strcpy(line.levels, entry->levels);
	command_plan(&command, process, &line, false);
	check_words(&command);
	command_plan(&command, process, &line, true);
	check_words(&command);
	FUZZ_CHECK(!strcmp(command.argv[2], entry->id));
}

static void check_table(int fd)
{
	struct table table;
	bool first = true;

	FUZZ_CHECK(!table_open(fd, &table));
	for (uint32_t i = 0; i < table.count; i++) {
		const struct table_entry *entry = table_entry(&table, i);

		FUZZ_CHECK(first || !action_is_first((enum action)entry->action));
		first = first && action_is_first((enum action)entry->action);
		check_entry(&table, entry);
	}
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
	check_table(image);
	sys_close(tab);
	sys_close(image);
	return 0;
}
