/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /proc/cmdline, /proc/consoles and the list of active consoles: every name found is a path below /dev of a
 * length that fits, and none comes twice. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/cmdline.h"
#include "terminal/bootcons.h"

static void check_found(const struct bootcons *found)
{
	FUZZ_CHECK(found->count >= 0 && found->count <= BOOTCONS_MAX);
	for (int i = 0; i < found->count; i++) {
		FUZZ_CHECK(memchr(found->path[i], '\0', BOOTCONS_PATH_SIZE));
		FUZZ_CHECK(!strncmp(found->path[i], "/dev/", 5) && found->path[i][5]);
		FUZZ_CHECK(strcmp(found->path[i], "/dev/tty0") && strcmp(found->path[i], "/dev/null"));
		for (int j = 0; j < i; j++)
			FUZZ_CHECK(strcmp(found->path[i], found->path[j]));
	}
}

static void check_words(const char *text)
{
	struct cmdline line;
	size_t count = 0;

	cmdline_begin(&line, text);
	while (cmdline_next(&line)) {
		const char *value = cmdline_value(&line, "console");

		FUZZ_CHECK(memchr(line.word, '\0', sizeof line.word));
		FUZZ_CHECK(!value || (value >= line.word && value < line.word + sizeof line.word));
		count++;
	}
	FUZZ_CHECK(count <= strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootcons cmdline = { 0 }, consoles = { 0 }, active = { 0 };
	char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_words(text);
	bootcons_from_cmdline(&cmdline, text);
	bootcons_from_consoles(&consoles, text);
	bootcons_from_active(&active, text);
	check_found(&cmdline);
	check_found(&consoles);
	check_found(&active);
	free(text);
	return 0;
}
