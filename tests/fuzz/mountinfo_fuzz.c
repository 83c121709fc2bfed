/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /proc/self/mountinfo: no more entries than lines, each with a place and a kind; what is found at a place is
 * the last of it, and what holds a path is a prefix of it, the longest that there is. A wrong answer aborts. */
#include <errno.h>

#include "fuzz/input.h"
#include "lib/mountinfo.h"

static size_t lines_of(const uint8_t *data, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static bool holds(const char *place, const char *path)
{
	size_t len = strlen(place);

	return !strcmp(place, "/") || (len && !strncmp(place, path, len) && (!path[len] || path[len] == '/'));
}

static void check_path(const struct mountinfo *info, const char *path)
{
	struct mountinfo_entry held;
	size_t longest = 0;
	int err = mountinfo_holding(info, path, &held);

	for (size_t i = 0; i < info->count; i++)
		if (holds(info->entry[i].place, path) && strlen(info->entry[i].place) > longest)
			longest = strlen(info->entry[i].place);
	FUZZ_CHECK(err == (longest ? 0 : -ENOENT));
	FUZZ_CHECK(err || (holds(held.place, path) && strlen(held.place) == longest));
	FUZZ_CHECK(err || *held.kind);
}

static void check_found(const struct mountinfo *info, size_t number)
{
	const struct mountinfo_entry *entry = &info->entry[number];
	struct mountinfo_entry found;
	size_t last = number;

	for (size_t i = number; i < info->count; i++)
		if (!strcmp(info->entry[i].place, entry->place))
			last = i;
	FUZZ_CHECK(*entry->kind && !strpbrk(entry->kind, " \n"));
	FUZZ_CHECK(!mountinfo_find(info, entry->place, &found));
	FUZZ_CHECK(found.place == info->entry[last].place && found.kind == info->entry[last].kind);
	(void)mountinfo_is_network(entry->kind);
	check_path(info, entry->place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FILE_PATH_MAX];
	int fd = file_of(data, size, path);
	struct mountinfo info;

	FUZZ_CHECK(!mountinfo_read(path, &info));
	FUZZ_CHECK(info.count <= lines_of(data, size));
	for (size_t i = 0; i < info.count && i < 64; i++)
		check_found(&info, i);
	check_path(&info, "/");
	check_path(&info, "/usr/lib/x");
	check_path(&info, "/mnt/a b");
	mountinfo_drop(&info);
	sys_close(fd);
	return 0;
}
