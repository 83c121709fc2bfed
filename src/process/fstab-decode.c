/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fstab-decode - runs a command with its arguments decoded, so that a script can hand on fields of /proc/mounts. Takes no
 * options but --help and --version alone: what follows is the command's. Exit 127: the command could not be run. */
#include <stdio.h>
#include <string.h>

#include "lib/systool.h"
#include "lib/tool.h"
#include "process/decode.h"

enum { NOT_RUN = 127 };

static const char usage[] = "Usage: fstab-decode command [arguments]\n";

static int give_help(void)
{
	fputs(usage, stdout);
	return tool_finish("fstab-decode", stdout, TOOL_OK);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs(usage, stderr);
		return TOOL_ERROR;
	}
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return give_help();
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return tool_version("fstab-decode");
	for (char **field = argv + 2; *field; field++)
		decode_field(*field);
	tool_complain("fstab-decode", argv[1], sys_exec_search(argv[1], argv + 1));
	return NOT_RUN;
}
