/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/bootcons.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/cmdline.h"
#include "lib/io.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ" "0123456789_-./"

enum { TEXT_BYTES = 8192, FIELD_MAX = 32 };

static const char *const custom[] = { "tty0", "hvc0", "ttyS0", "ttySC0", "ttyAMA0", "ttyB0", NULL };

const struct bootcons_places bootcons_system = {
	.cmdline = CMDLINE_PATH, .consoles = CONSOLES_PATH, .active = CONSOLES_ACTIVE_PATH, .custom = custom,
};

static bool is_device_name(const char *name, size_t len)
{
	return len && len < BOOTCONS_PATH_SIZE - sizeof "/dev/" && strspn(name, LETTERS) >= len;
}

static bool is_word(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && !strncmp(name, word, len);
}

static void add(struct bootcons *out, const char *name, size_t len)
{
	char path[BOOTCONS_PATH_SIZE];

	if (!is_device_name(name, len) || is_word(name, len, "null"))
		return;
	/* The console redirects what is written to tty0, too: its first screen is meant. */
	if (is_word(name, len, "tty0") || is_word(name, len, "tty"))
		(void)snprintf(path, sizeof path, "/dev/tty1");
	else
		(void)snprintf(path, sizeof path, "/dev/%.*s", (int)len, name);
	for (int i = 0; i < out->count; i++)
		if (!strcmp(out->path[i], path))
			return;
	if (out->count < BOOTCONS_MAX)
		strcpy(out->path[out->count++], path);
}

/* A Braille device may stand before the console itself: "brl,ttyS0", "brl=ttyS1,ttyS0". */
static const char *without_braille(const char *value)
{
	const char *comma = strchr(value, ',');

	return comma && (!strncmp(value, "brl,", 4) || !strncmp(value, "brl=", 4)) ? comma + 1 : value;
}

void bootcons_from_cmdline(struct bootcons *out, const char *text)
{
	struct bootcons all = { 0 };
	struct cmdline line;

	cmdline_begin(&line, text);
	while (cmdline_next(&line) && strcmp(line.word, "--")) {
		const char *value = cmdline_value(&line, "console");

		if (!value)
			continue;
		if (all.count == BOOTCONS_MAX) {        /* the first one counts least */
			memmove(all.path[0], all.path[1], sizeof all.path - sizeof all.path[0]);
			all.count--;
		}
		value = without_braille(value);
		/* As a word of its own, so that a name that comes again counts where it comes last. */
		(void)snprintf(all.path[all.count++], sizeof all.path[0], "%.*s", (int)strcspn(value, ","), value);
	}
	while (all.count--)
		add(out, all.path[all.count], strlen(all.path[all.count]));
}

/* "ttyS0 -W- (EC p a) 4:64": enabled, and with a device. Network and storage consoles have none. */
static void add_line(struct bootcons *out, const char *line)
{
	char name[FIELD_MAX], flags[FIELD_MAX];
	unsigned major, minor;

	if (sscanf(line, "%31s %*s (%31[^)]) %u:%u", name, flags, &major, &minor) == 4 && strchr(flags, 'E'))
		add(out, name, strlen(name));
}

void bootcons_from_consoles(struct bootcons *out, const char *text)
{
	while (*text) {
		add_line(out, text);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

void bootcons_from_active(struct bootcons *out, const char *text)
{
	struct bootcons all = { 0 };

	for (size_t len; *(text += strspn(text, " \n")); text += len) {
		len = strcspn(text, " \n");
		if (all.count < BOOTCONS_MAX && is_device_name(text, len))
			(void)snprintf(all.path[all.count++], sizeof all.path[0], "%.*s", (int)len, text);
	}
	/* The preferred one is the last here. */
	while (all.count--)
		add(out, all.path[all.count], strlen(all.path[all.count]));
}

void bootcons_find(enum bootcons_source source, const struct bootcons_places *places, struct bootcons *out)
{
	static void (*const from[])(struct bootcons *, const char *) = {
		[BOOTCONS_CMDLINE] = bootcons_from_cmdline,
		[BOOTCONS_CONSOLES] = bootcons_from_consoles,
		[BOOTCONS_ACTIVE] = bootcons_from_active,
	};
	const char *const path[] = {
		[BOOTCONS_CMDLINE] = places->cmdline,
		[BOOTCONS_CONSOLES] = places->consoles,
		[BOOTCONS_ACTIVE] = places->active,
	};
	char text[TEXT_BYTES];

	out->count = 0;
	if (source < sizeof path / sizeof path[0]) {
		if (io_read_file(path[source], text, sizeof text) >= 0)
			from[source](out, text);
		return;
	}
	for (const char *const *name = places->custom; *name; name++)
		add(out, *name, strlen(*name));
}
