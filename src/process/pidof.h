/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pidof.h - the command line of pidof, and what it prints. */
#ifndef PROCESS_PIDOF_H
#define PROCESS_PIDOF_H

#include <stdbool.h>
#include <stdio.h>

#include "process/pidset.h"
#include "process/scout.h"

enum { PIDOF_FOUND = 0, PIDOF_NONE = 1 };
enum { PIDOF_SEPARATOR_SIZE = 8 };

enum pidof_wish { PIDOF_LOOK, PIDOF_HELP, PIDOF_VERSION };

struct pidof {
	enum pidof_wish wish;
	bool is_quiet, is_single, same_root, with_scripts, with_zombies, avoid_network;
	char separator[PIDOF_SEPARATOR_SIZE];   /* one character, more than one byte in UTF-8 */
	struct pidset omitted;
	char *const *programs;
	size_t count;
};

/* 0; -EINVAL: not a command line of pidof; -ENOMEM. Reorders argv, operands last. netfs is the value of PIDOF_NETFS, NULL:
 * unset. pidof_drop() is due after success alone. */
int pidof_parse(struct pidof *pidof, const char *name, int argc, char *argv[], const char *netfs) MUST_CHECK;
void pidof_drop(struct pidof *pidof);

/* Writes those found for each program, the highest number first, on one line. How many. */
size_t pidof_print(const struct pidof *pidof, const struct scout_list *found, FILE *out) MUST_CHECK;

/* All of pidof: the status to exit with. */
int pidof_main(const char *name, int argc, char *argv[]) MUST_CHECK;

#endif
