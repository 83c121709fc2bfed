/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/log_writer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "lib/systool.h"

/* A link in a folder that others may write to would let them choose the file: root's own are believed. */
static int link_check(const char *path)
{
	struct stat st;
	int err = sys_lstat(path, &st);

	if (err)
		return err == -ENOENT ? 0 : err;
	return S_ISLNK(st.st_mode) && st.st_uid ? -ELOOP : 0;
}

/* What exists is renamed and made anew, with or without -c; what does not is waited for, or made with -c. */
static int rename_old(struct log_writer *log)
{
	char old[PATH_MAX];
	struct stat st;
	int len = snprintf(old, sizeof old, "%s~", log->path), err = sys_stat(log->path, &st);

	if (len < 0 || (size_t)len >= sizeof old)
		return -ENAMETOOLONG;
	if (!err) {
		err = sys_rename(log->path, old);
		log->may_create = log->may_create || !err;
	} else if (err == -ENOENT && log->may_create) {
		err = 0;
	}
	log->must_rename = err;
	return err;
}

static int log_open(void *target, uint64_t *device)
{
	struct log_writer *log = target;
	int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, fd, err = link_check(log->path);
	struct stat st;

	if (!err && log->must_rename)
		err = rename_old(log);
	if (err)
		return err;
	fd = sys_open(log->path, flags | (log->may_create ? O_CREAT : 0), 0666);
	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && !S_ISREG(st.st_mode))
		err = -EINVAL;
	if (err) {
		sys_close(fd);
		return err;
	}
	*device = 0;
	log->fd = fd;
	return 0;
}

static int log_write(void *target, const char *bytes, size_t len_bytes, size_t *written)
{
	struct log_writer *log = target;

	while (*written < len_bytes) {
		ssize_t n = sys_write(log->fd, bytes + *written, len_bytes - *written);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -ENOSPC;
		*written += (size_t)n;
	}
	return log->sync_always ? sys_fdatasync(log->fd) : 0;
}

static int log_sync(void *target)
{
	struct log_writer *log = target;

	return sys_fdatasync(log->fd);
}

static void log_close(void *target)
{
	struct log_writer *log = target;

	sys_close(log->fd);
	log->fd = -1;
}

const struct writer_ops log_writer_ops = {
	.name = "log",
	.open = log_open,
	.write = log_write,
	.sync = log_sync,
	.close = log_close,
};
