/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/household.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/procfs.h"
#include "lib/systool.h"

enum { FILE_SIZE = 4096, STATUS_SIZE = 512 };

/* Where the link "PID/exe" leads, as text: nothing there is touched. Its length, or a negative errno. */
static ssize_t file_of(int proc, pid_t pid, char *out)
{
	char path[PROCFS_NAME_SIZE];

	(void)snprintf(path, sizeof path, "%d/exe", pid);
	return sys_readlinkat(proc, path, out, FILE_SIZE);
}

static bool runs_the_same(int proc, pid_t pid)
{
	char first[FILE_SIZE], other[FILE_SIZE];
	ssize_t len = file_of(proc, 1, first);

	return len > 0 && file_of(proc, pid, other) == len && !memcmp(first, other, (size_t)len);
}

/* The owner of its files in /proc is no proof: root owns those of a process that cannot be dumped. */
static bool is_of_root(int proc, pid_t pid)
{
	char text[STATUS_SIZE];
	ssize_t len;
	int fd;

	if (procfs_open_file(proc, pid, "status", &fd))
		return false;
	len = io_read_all(fd, text, sizeof text - 1);
	(void)sys_close(fd);
	if (len < 0)
		return false;
	text[len] = '\0';
	return strstr(text, "\nUid:\t0\t0\t0\t0\n");
}

static void consider(int proc, pid_t pid, struct pidset *out)
{
	struct procfs_stat stat;

	if (!procfs_read_stat(proc, pid, &stat) && stat.parent == 1 && !strcmp(stat.comm, HELPER_COMM) &&
		is_of_root(proc, pid) && runs_the_same(proc, pid))
		pidset_add(out, pid);
}

/* False: the kernel has no list of them, or a longer one than buf takes. */
static bool consider_children(int proc, char *buf, size_t size_bytes, struct pidset *out)
{
	char *end;
	ssize_t len;
	long pid;
	int fd;

	if (procfs_open_file(proc, 1, "task/1/children", &fd))
		return false;
	len = io_read_all(fd, buf, size_bytes);
	(void)sys_close(fd);
	if (len < 0 || (size_t)len == size_bytes)
		return false;
	buf[len] = '\0';
	for (const char *at = buf; (pid = strtol(at, &end, 10)) > 0 && pid <= INT_MAX; at = end)
		consider(proc, (pid_t)pid, out);
	return true;
}

void household_find(int proc, char *buf, size_t size_bytes, struct pidset *out)
{
	struct procfs_list list;
	pid_t pid;

	if (consider_children(proc, buf, size_bytes, out) || procfs_list_begin(&list, proc, buf, size_bytes))
		return;
	while (!procfs_list_next(&list, &pid))
		consider(proc, pid, out);
}
