/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree[64];

static const char *place(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", tree, name);
	return path;
}

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

void fake_proc_write(const char *name, const void *data, size_t len_bytes)
{
	int fd = open(place(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	check(fd >= 0, name);
	check(write(fd, data, len_bytes) == (ssize_t)len_bytes, name);
	close(fd);
}

void fake_proc_folder(const char *name)
{
	(void)mkdir(place(name), 0755);
}

void fake_proc_remove(const char *name)
{
	check(!unlink(place(name)), name);
}

static void put_text(const char *folder, const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	fake_proc_write(path, text, strlen(text));
}

static void put(const char *folder, const struct fake_process *process)
{
	char text[512];

	(void)mkdir(place(folder), 0755);
	(void)snprintf(text, sizeof text, "%d (%s) %c %d 1 %d 0 -1 %u 0 0 0 0 0 0 0 0 20 0 %d 0 4711 0 0 18446744073709551615 0 0\n",
		process->pid, process->comm ? process->comm : "name", process->state ? process->state : 'S', process->parent ? process->parent : 1,
		process->session ? process->session : process->pid, process->flags, process->threads ? process->threads : 1);
	put_text(folder, "stat", text);
	(void)snprintf(text, sizeof text, "Name:\tx\nUid:\t%s\t0\t0\n", process->uids ? process->uids : "0\t0");
	put_text(folder, "status", text);
	(void)snprintf(text, sizeof text, "%s/cmdline", folder);
	fake_proc_write(text, process->cmdline ? process->cmdline : "", process->cmdline ? process->cmdline_len : 0);
	if (!process->exe)
		return;
	(void)snprintf(text, sizeof text, "%s/exe", folder);
	(void)unlink(place(text));
	check(!symlink(process->exe, place(text)), "exe");
}

void fake_proc_put(const struct fake_process *process)
{
	char folder[16];

	(void)snprintf(folder, sizeof folder, "%d", process->pid);
	put(folder, process);
}

const char *fake_proc_begin(void)
{
	(void)snprintf(tree, sizeof tree, "/tmp/fake_proc.XXXXXX");
	check(mkdtemp(tree) != NULL, tree);
	put("self", &(struct fake_process){ .pid = 4000001, .comm = "self" });
	return tree;
}

void fake_proc_end(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf '%s'", tree);
	check(!system(command), "rm");
}
