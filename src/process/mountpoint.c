/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mountpoint - says whether a directory is a mount point, or the numbers of a file system or a device. Follows no link that
 * the path ends in. Exit 0: it is; 1: it is not, or an error. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "include/paths.h"
#include "lib/tool.h"
#include "process/mounts.h"

struct wishes {
	bool is_quiet, wants_number, is_device, wants_help, wants_version;
	const char *path;
};

static const char usage[] = "Usage: mountpoint [-p] [-q] [-d] [-x] path\n";

enum { LONG_HELP = 256, LONG_VERSION, LONG_NOFOLLOW };

static bool take_option(struct wishes *wishes, int option)
{
	wishes->is_quiet |= option == 'q';
	wishes->wants_number |= option == 'd';
	wishes->is_device |= option == 'x';
	wishes->wants_help |= option == LONG_HELP;
	wishes->wants_version |= option == LONG_VERSION;
	return option != '?';
}

static bool parse(struct wishes *wishes, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "quiet", no_argument, NULL, 'q' }, { "fs-devno", no_argument, NULL, 'd' }, { "devno", no_argument, NULL, 'x' },
		{ "nofollow", no_argument, NULL, LONG_NOFOLLOW }, { "help", no_argument, NULL, LONG_HELP },
		{ "version", no_argument, NULL, LONG_VERSION }, { 0 } };
	int option;

	*wishes = (struct wishes){ 0 };
	while ((option = getopt_long(argc, argv, "dpqx", longs, NULL)) >= 0)
		if (!take_option(wishes, option))
			return false;
	if (wishes->wants_help || wishes->wants_version)
		return true;
	if (argc - optind != 1)
		return false;
	wishes->path = argv[optind];
	return true;
}

static void complain(const char *path, int err)
{
	if (err == -ENOTDIR || err == -ENOTBLK)
		fprintf(stderr, "mountpoint: %s: not a %s\n", path, err == -ENOTDIR ? "directory" : "block device");
	else
		tool_complain("mountpoint", path, err);
}

static int answer(const struct wishes *wishes)
{
	struct mounts_place place = { 0 };
	int err = wishes->is_device ? mounts_look_device(wishes->path, &place) :
		mounts_look(wishes->path, MOUNTINFO_PATH, &place);

	if (err && !wishes->is_quiet)
		complain(wishes->path, err);
	if (err)
		return TOOL_ERROR;
	if (wishes->wants_number || wishes->is_device)
		printf("%u:%u\n", place.major, place.minor);
	else if (!wishes->is_quiet)
		printf("%s is %sa mountpoint\n", wishes->path, place.is_mounted ? "" : "not ");
	return wishes->is_device || place.is_mounted ? TOOL_OK : TOOL_ERROR;
}

int main(int argc, char **argv)
{
	struct wishes wishes;
	int status = TOOL_OK;

	if (!parse(&wishes, argc, argv)) {
		fputs(usage, stderr);
		return TOOL_ERROR;
	}
	if (wishes.wants_version)
		return tool_version("mountpoint");
	if (wishes.wants_help)
		fputs(usage, stdout);
	else
		status = answer(&wishes);
	return tool_finish("mountpoint", stdout, status);
}
