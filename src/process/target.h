/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.h - a program that pidof is asked about. What its file is, is found out once; the walk along its path can hang on a
 * dead server, so whoever calls target_resolve() must be somebody who can be given up. */
#ifndef PROCESS_TARGET_H
#define PROCESS_TARGET_H

#include <limits.h>
#include <stdbool.h>

#include "lib/mountinfo.h"
#include "lib/systool.h"

struct target {
	const char *text;               /* as it was typed */
	const char *base;               /* what follows the last slash */
	bool is_path;                   /* begins with a slash */
	bool exists, is_program;        /* the file of that name; a regular one that somebody may execute */
	char real[PATH_MAX];            /* without links; "": not known, or not to be found out */
	char place[PATH_MAX];           /* its folder without links, and base: where a deleted file was */
	struct sys_identity file;       /* when it exists */
};

/* The text alone: never blocks. */
void target_set(struct target *target, const char *text);

/* Fills in the file of a path. A name without a leading slash has none. */
void target_resolve(struct target *target);

/* True if the way to the path leads over a network file system, as far as mounts and the local links on it tell. Reads no
 * link on a network file system. */
bool target_is_on_network(const struct target *target, const struct mountinfo *mounts);

/* True if exe, the text of a link /proc/PID/exe, names the target, deleted since or not. */
bool target_has_path(const struct target *target, const char *exe);

#endif
