/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subject.h - a process that pidof looks at: what /proc tells of it, each file read when it is first asked for and once at
 * most. Reading a command line waits for a lock of that process, and naming a root or a program may wait for a file system:
 * for somebody who can be given up. Where the first thread of a process has ended, another one is asked. */
#ifndef PROCESS_SUBJECT_H
#define PROCESS_SUBJECT_H

#include <limits.h>
#include <stdbool.h>

#include "lib/procfs.h"
#include "lib/systool.h"

enum { SUBJECT_CMDLINE_SIZE = 16384 };

/* What can hang, one bit each. */
enum subject_part { SUBJECT_CMDLINE = 1, SUBJECT_EXE = 2, SUBJECT_PLACES = 4 };

/* Where pidof itself lives. */
struct home {
	struct sys_identity root, mounts;
	bool has_root, has_mounts;
	uid_t uid;
};

struct subject {
	int proc;
	pid_t pid, thread;              /* thread: whose files are read, when it is not the first */
	int stuck;                      /* parts that must not be touched: as if they could not be read */
	_Atomic int *doing;             /* says which part is being read, for whoever watches; NULL: nobody does */
	bool has_stat, has_cmdline, has_exe;
	int stat_err, exe_err;
	struct procfs_stat stat;
	const char *argv0, *argv1;      /* NULL: none */
	char cmdline[SUBJECT_CMDLINE_SIZE];
	char exe[PATH_MAX + 1];
};

void home_find(struct home *home, int proc);

/* The struct may be used for one process after the other. */
void subject_begin(struct subject *subject, int proc, pid_t pid, int stuck, _Atomic int *doing);

/* NULL: it is gone. */
const struct procfs_stat *subject_stat(struct subject *subject);

/* The first argument, and the first later one that is not an option, before any empty one. NULL: none. */
const char *subject_argv0(struct subject *subject);
const char *subject_argv1(struct subject *subject);

/* The text of the link; NULL: there is none (a thread of the kernel), or it may not be read. */
const char *subject_exe(struct subject *subject);

/* What the program's file is, asked through the process itself. */
int subject_identify_exe(struct subject *subject, struct sys_identity *out) MUST_CHECK;

/* 1: its root is ours; 0: another; a negative errno. */
int subject_has_root_of(struct subject *subject, const struct home *home) MUST_CHECK;

/* True if paths mean something else to it: another root, or mounts of its own. What may not be read counts as the same. */
bool subject_is_apart(struct subject *subject, const struct home *home);

/* True if it belongs to root or to the one who asks, in both of its user ids: what it says of itself is believed. */
bool subject_is_trusted(struct subject *subject, const struct home *home);

#endif
