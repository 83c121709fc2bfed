/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesg - says or sets whether others may write to the terminal that is standard input. Exit 0: said or set; 1: not. */
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/systool.h"
#include "lib/tool.h"
#include "terminal/mesg_mode.h"

#define USAGE "Usage: mesg [y|n]\n"

static int mode_set(mode_t from, mode_t to)
{
	char name[64];
	int err;

	if (from == to)
		return TOOL_OK;
	err = sys_fchmod(STDIN_FILENO, to & 07777);
	if (!err)
		return TOOL_OK;
	tool_complain("mesg", ttyname_r(STDIN_FILENO, name, sizeof name) ? "stdin" : name, err);
	return TOOL_ERROR;
}

static int let_others(const struct stat *st)
{
	const struct group *tty = getgrnam("tty");

	if (tty && tty->gr_gid != st->st_gid) {
		fputs("mesg: error: tty device is not owned by group `tty'\n", stderr);
		return TOOL_ERROR;
	}
	return mode_set(st->st_mode, mesg_mode_open(st->st_mode, tty));
}

static int tell(const struct stat *st)
{
	puts(mesg_mode_is_open(st->st_mode) ? "is y" : "is n");
	return tool_finish("mesg", stdout, TOOL_OK);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct stat st;
	int err;

	if (argc == 2 && !strcmp(word, "--help")) {
		fputs(USAGE, stdout);
		return tool_finish("mesg", stdout, TOOL_OK);
	}
	if (argc == 2 && !strcmp(word, "--version"))
		return tool_version("mesg");
	if (sys_isatty(STDIN_FILENO)) {
		fputs("stdin: is not a tty\n", stderr);
		return TOOL_ERROR;
	}
	err = sys_fstat(STDIN_FILENO, &st);
	if (err) {
		tool_complain("mesg", "stdin", err);
		return TOOL_ERROR;
	}
	if (argc < 2)
		return tell(&st);
	if (argc == 2 && *word == 'y')
		return let_others(&st);
	if (argc == 2 && *word == 'n')
		return mode_set(st.st_mode, mesg_mode_close(st.st_mode));
	fputs(USAGE, stderr);
	return TOOL_ERROR;
}
