/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/births.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "lib/systool.h"

/* proc_sys_kernel(5), where the kernel can restore processes; and proc_loadavg(5), whose last word is the number. */
static const char *const files[] = { "sys/kernel/ns_last_pid", "loadavg" };

static int open_one(const char *name, const struct stat *proc, int dir)
{
	struct stat found;
	int fd = sys_openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!sys_fstat(fd, &found) && found.st_dev == proc->st_dev && births_last(fd) >= 0)
		return fd;
	(void)sys_close(fd);
	return -1;
}

int births_open(int proc)
{
	struct stat self;
	int fd = -1;

	if (sys_fstat(proc, &self))
		return -1;
	for (size_t i = 0; fd < 0 && i < sizeof files / sizeof files[0]; i++)
		fd = open_one(files[i], &self, proc);
	return fd;
}

int64_t births_last(int fd)
{
	char text[128], *word;
	int64_t last;
	ssize_t len = fd < 0 ? -1 : sys_pread(fd, text, sizeof text - 1, 0);

	if (len <= 0 || text[len - 1] != '\n')
		return -1;
	text[len - 1] = '\0';
	word = strrchr(text, ' ');
	return num_parse(word ? word + 1 : text, 0, INT32_MAX, &last) ? -1 : last;
}
