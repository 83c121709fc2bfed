/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.h - what must hold of every table that the loader hands over. */
#ifndef FUZZ_TABLES_H
#define FUZZ_TABLES_H

#include <stdbool.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "init/command.h"
#include "init/simple.h"
#include "init/table.h"

static inline void check_words(const struct command *command)
{
	int count = 0;

	while (command->argv[count]) {
		(void)strlen(command->argv[count]);
		FUZZ_CHECK(++count <= COMMAND_ARGS_MAX);
	}
}

/* It is whole, and can be planned. */
static inline void check_entry(const struct table *table, const struct table_entry *entry)
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

static inline void check_table(const struct table *table)
{
	bool first = true;

	for (uint32_t i = 0; i < table->count; i++) {
		const struct table_entry *entry = table_entry(table, i);

		FUZZ_CHECK(first || !action_is_first((enum action)entry->action));
		first = first && action_is_first((enum action)entry->action);
		check_entry(table, entry);
	}
}

#endif
