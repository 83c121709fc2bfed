/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - how the process field of an entry is run. command_plan() is pure; command_exec()
 * runs in the forked child and may block. */
#ifndef INIT_COMMAND_H
#define INIT_COMMAND_H

#include <stdbool.h>

#include "init/inittab.h"

enum { COMMAND_WORDS_MAX = 14, COMMAND_ARGS_MAX = COMMAND_WORDS_MAX + 1 };

/* Leading + (no utmp record) and @ (never a shell) of a process field. */
bool command_has_record(const char *process);

struct command {
	char text[TAB_LINE_MAX + 8];    /* the words, cut at NULs, or the shell's line */
	char *argv[COMMAND_ARGS_MAX + 1];
};

/* Fills out for `process` of the entry (id, levels, action word). with_initscript:
 * /etc/initscript is readable and the level is not S. Rules: spec in inittab(5): initscript;
 * shell characters -> sh -c, with "exec " before one simple command; else words (at most
 * COMMAND_WORDS_MAX, a word beginning with # ends the line; nothing to run is one empty word). */
void command_plan(struct command *out, const char *process, const struct tab_line *entry,
	bool with_initscript);

/* Executes argv (PATH of envp is searched). A file that the kernel does not know (ENOEXEC) is a
 * shell script: /bin/sh FILE WORDS. Returns a negative errno only. */
int command_exec(const struct command *command, char *const envp[]);

#endif
