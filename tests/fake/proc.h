/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/proc.h - a tree that looks like /proc, of processes that do not exist. */
#ifndef FAKE_PROC_H
#define FAKE_PROC_H

#include <stddef.h>
#include <sys/types.h>

struct fake_process {
	pid_t pid;
	const char *comm;               /* "name" when NULL */
	char state;                     /* 'S' when 0 */
	pid_t parent;                   /* 1 when 0 */
	int session;                    /* its pid when 0 */
	unsigned flags;
	int threads;                    /* 1 when 0 */
	const char *cmdline;            /* with cmdline_len bytes; NULL: empty */
	size_t cmdline_len;
	const char *exe;                /* text of the link; NULL: none */
	const char *uids;               /* as in status, "1000\t1000"; NULL: "0\t0" */
};

/* An empty tree with a self in it. Its path. */
const char *fake_proc_begin(void);
void fake_proc_end(void);

/* Adds a process, or writes its files anew. */
void fake_proc_put(const struct fake_process *process);

/* One more file, or what is in it: "77/cmdline". */
void fake_proc_write(const char *name, const void *data, size_t len_bytes);
void fake_proc_folder(const char *name);
void fake_proc_remove(const char *name);

#endif
