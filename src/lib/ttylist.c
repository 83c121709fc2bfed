/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ttylist.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/io.h"

static bool stands_for_another(const char *node, const char *type)
{
	return !strcmp(node, "/dev/tty") ? !strncmp(type, "system", 6) :
		!strcmp(node, "/dev/ptmx") || !strcmp(type, "pty:master");
}

/* Driver, name of its nodes, major, minor or minors, type. */
static bool line_parse(const char *line, struct ttylist_range *out)
{
	struct ttylist_range range;
	char node[32], type[32];
	int at = 0;

	if (sscanf(line, "%*s %31s %u %u%n", node, &range.major, &range.first, &at) != 3)
		return false;
	range.last = range.first;
	line += at;
	if (*line == '-') {
		if (sscanf(line, "-%u%n", &range.last, &at) != 1)
			return false;
		line += at;
	}
	if (sscanf(line, "%31s", type) != 1 || stands_for_another(node, type))
		return false;
	*out = range;
	return true;
}

static void list_parse(struct ttylist *list, char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (list->count < TTYLIST_MAX && line_parse(line, &list->range[list->count]))
			list->count++;
}

void ttylist_load(struct ttylist *list, const char *path)
{
	/* Documentation/admin-guide/devices.txt */
	static const struct ttylist known = { 3, { { 4, 0, 255 }, { 5, 1, 1 }, { 136, 0, 1048575 } } };
	char text[8192];

	list->count = 0;
	if (io_read_file(path, text, sizeof text) > 0)
		list_parse(list, text);
	if (!list->count)
		*list = known;
}

bool ttylist_has(const struct ttylist *list, dev_t device)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct ttylist_range *range = &list->range[i];

		if (major(device) == range->major && minor(device) >= range->first && minor(device) <= range->last)
			return true;
	}
	return false;
}
