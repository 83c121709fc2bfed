/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/procfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"
#include "lib/systool.h"

enum { FLAG_EXITING = 0x00000004, FLAG_KERNEL_THREAD = 0x00200000 };    /* PF_EXITING, PF_KTHREAD: include/linux/sched.h */
enum { STAT_SIZE = 1024, PID_DIGITS_MAX = 9 };

/* The fields behind the name, counted as in proc_pid_stat(5). */
enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_SESSION = 6, FIELD_FLAGS = 9, FIELD_THREADS = 20, FIELD_START = 22 };

int procfs_open(const char *path, int *out)
{
	struct procfs_stat self;
	char text[STAT_SIZE];
	int err, file, fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	ssize_t len;

	if (fd < 0)
		return fd;
	file = sys_openat(fd, "self/stat", O_RDONLY | O_CLOEXEC);
	err = file;
	if (file < 0)
		goto fail;
	len = io_read_all(file, text, sizeof text);
	(void)sys_close(file);
	err = len < 0 ? (int)len : procfs_parse_stat(text, (size_t)len, &self);
	if (err)
		goto fail;
	*out = fd;
	return 0;
fail:
	(void)sys_close(fd);
	return err;
}

int procfs_open_file(int proc, pid_t pid, const char *name, int *out)
{
	char path[PROCFS_NAME_SIZE];
	int fd;

	(void)snprintf(path, sizeof path, "%d/%s", pid, name);
	fd = sys_openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

int procfs_read_stat(int proc, pid_t pid, struct procfs_stat *out)
{
	char text[STAT_SIZE];
	ssize_t len;
	int fd, err = procfs_open_file(proc, pid, "stat", &fd);

	if (err)
		return err;
	len = sys_read(fd, text, sizeof text);
	(void)sys_close(fd);
	if (len < 0)
		return (int)len;
	return procfs_parse_stat(text, (size_t)len, out);
}

static const char *last_parenthesis(const char *text, size_t len)
{
	while (len && text[len - 1] != ')')
		len--;
	return len ? text + len - 1 : NULL;
}

/* A decimal number of a text that ends at end. Moves *at behind it and the blank that follows. */
static int take_number(const char **at, const char *end, int64_t *out)
{
	const char *p = *at;
	bool is_negative = p < end && *p == '-';
	uint64_t value = 0;
	int digits = 0;

	for (p += is_negative; p < end && *p >= '0' && *p <= '9'; p++, digits++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (!digits || digits > 20 || (p < end && *p != ' ' && *p != '\n'))
		return -EINVAL;
	*at = p < end ? p + 1 : p;
	*out = (int64_t)(is_negative ? 0 - value : value);
	return 0;
}

static int take_fields(const char *at, const char *end, struct procfs_stat *out)
{
	for (int field = FIELD_STATE + 1; field <= FIELD_START; field++) {
		int64_t value;
		int err = take_number(&at, end, &value);

		if (err)
			return err;
		if (field == FIELD_PARENT)
			out->parent = (pid_t)value;
		else if (field == FIELD_SESSION)
			out->session = (pid_t)value;
		else if (field == FIELD_FLAGS)
			out->flags = (uint32_t)value;
		else if (field == FIELD_THREADS)
			out->threads = (long)value;
		else if (field == FIELD_START)
			out->start_ticks = (uint64_t)value;
	}
	return 0;
}

int procfs_parse_stat(const char *text, size_t len_bytes, struct procfs_stat *out)
{
	const char *end = text + len_bytes, *open = memchr(text, '(', len_bytes);
	const char *close = last_parenthesis(text, len_bytes), *at = text;
	struct procfs_stat stat = { 0 };
	int64_t pid;
	size_t len;

	if (!open || !close || close < open || end - close < 5 || close[1] != ' ' || close[3] != ' ')
		return -EINVAL;
	if (take_number(&at, open, &pid) || pid < 1 || pid > INT32_MAX)
		return -EINVAL;
	len = (size_t)(close - open - 1);
	if (len >= sizeof stat.comm)
		len = sizeof stat.comm - 1;
	memcpy(stat.comm, open + 1, len);
	stat.pid = (pid_t)pid;
	stat.state = close[2];
	if (take_fields(close + 4, end, &stat))
		return -EINVAL;
	*out = stat;
	return 0;
}

bool procfs_is_kernel_thread(const struct procfs_stat *stat)
{
	return stat->flags & FLAG_KERNEL_THREAD;
}

bool procfs_is_ending(const struct procfs_stat *stat)
{
	return stat->flags & FLAG_EXITING;
}

bool procfs_is_zombie(const struct procfs_stat *stat)
{
	return (stat->state == 'Z' && stat->threads <= 1) || stat->state == 'X' || stat->state == 'x';
}

/* linux_dirent64, getdents64(2): the C library has it under a name that is not in every one. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t len_bytes;
	uint8_t type;
	char name[];
};

int procfs_list_begin(struct procfs_list *list, int proc, char *buf, size_t size_bytes)
{
	off_t at = sys_lseek(proc, 0, SEEK_SET);

	*list = (struct procfs_list){ .proc = proc, .buf = buf, .size_bytes = size_bytes };
	return at < 0 ? (int)at : 0;
}

/* 0: no number. */
static pid_t number_of(const char *name)
{
	int value = 0, digits = 0;

	for (; *name >= '0' && *name <= '9' && digits < PID_DIGITS_MAX; name++, digits++)
		value = value * 10 + (*name - '0');
	return *name ? 0 : value;
}

int procfs_list_next(struct procfs_list *list, pid_t *out)
{
	for (;;) {
		char *place = list->buf + list->at;
		uint16_t len;
		pid_t pid;
		ssize_t got;

		if (list->at < list->len_bytes) {
			memcpy(&len, place + offsetof(struct entry, len_bytes), sizeof len);
			list->at += len;
			pid = number_of(place + offsetof(struct entry, name));
			if (!pid)
				continue;
			*out = pid;
			return 0;
		}
		got = sys_getdents(list->proc, list->buf, list->size_bytes);
		if (got <= 0)
			return got ? (int)got : -ENOENT;
		list->at = 0;
		list->len_bytes = (size_t)got;
	}
}
