/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs.h - which processes there are, and what their stat files say.
 * Everything goes through one descriptor of /proc, so that neither a mount over it nor the loss of the root changes what is
 * read. stat is the one file of a process that the kernel makes up without a lock which that process can hold: reading it,
 * like listing /proc, waits for nobody. No memory is allocated. */
#ifndef LIB_PROCFS_H
#define LIB_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/num.h"

enum {
	PROCFS_COMM_SIZE = 65,          /* 15 bytes of a process's own, up to 63 of a kernel thread's, and a NUL */
	PROCFS_LIST_SIZE = 32768,       /* a good size for procfs_list's buffer */
	PROCFS_NAME_SIZE = 48,          /* for "PID/task/TID/cmdline" */
};

struct procfs_stat {
	pid_t pid;
	char comm[PROCFS_COMM_SIZE];
	char state;                     /* R S D T t Z X I */
	pid_t parent;
	pid_t session;
	uint32_t flags;
	long threads;                   /* those that have not ended */
	uint64_t start_ticks;           /* since boot */
};

/* A descriptor of the directory. -ENOENT: it is not there, or no /proc: it has no self/stat. */
int procfs_open(const char *path, int *out) MUST_CHECK;

/* Reads "PID/stat". -ENOENT or -ESRCH: the process is gone; -EINVAL: not what stat looks like. */
int procfs_read_stat(int proc, pid_t pid, struct procfs_stat *out) MUST_CHECK;

/* text needs no NUL. */
int procfs_parse_stat(const char *text, size_t len_bytes, struct procfs_stat *out) MUST_CHECK;

/* A thread of the kernel: not to be killed. */
bool procfs_is_kernel_thread(const struct procfs_stat *stat);

/* Its first thread is on its way out, and makes no more children. */
bool procfs_is_ending(const struct procfs_stat *stat);

/* Ended, but not waited for. A process whose first thread alone has ended is not: the others run on. */
bool procfs_is_zombie(const struct procfs_stat *stat);

/* Opens "PID/NAME" for reading. The caller knows whether reading that file can block. */
int procfs_open_file(int proc, pid_t pid, const char *name, int *out) MUST_CHECK;

/* The processes in ascending order. Use procfs_list_begin() for each round. */
struct procfs_list {
	int proc;
	char *buf;
	size_t size_bytes, len_bytes, at;
};
int procfs_list_begin(struct procfs_list *list, int proc, char *buf, size_t size_bytes) MUST_CHECK;

/* 0, -ENOENT: there are no more, or a negative errno. */
int procfs_list_next(struct procfs_list *list, pid_t *out) MUST_CHECK;

#endif
