/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/follow.h"

#include <errno.h>

#include "lib/systool.h"

int follow_open(struct follow *follow, const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	*follow = (struct follow){ .path = path, .fd = fd };
	return 0;
}

ssize_t follow_read(struct follow *follow, char *out, size_t size_bytes)
{
	ssize_t got;

	do
		got = sys_read(follow->fd, out, size_bytes);
	while (got == -EINTR);
	if (got > 0)
		follow->at += got;
	return got;
}

/* 1: the name has another file now. What was appended to the old one since the last read is read before. */
static int look_for_another(struct follow *follow, const struct stat *mine)
{
	struct stat named;
	struct follow next;

	if (sys_stat(follow->path, &named) || (named.st_dev == mine->st_dev && named.st_ino == mine->st_ino))
		return 0;
	if (mine->st_size > follow->at || follow_open(&next, follow->path))
		return 0;
	sys_close(follow->fd);
	*follow = next;
	return 1;
}

int follow_wait(struct follow *follow, int fd_out)
{
	struct pollfd out = { .fd = fd_out };
	struct stat mine;

	if (sys_poll(&out, 1, FOLLOW_NAP_MS) == 1 && out.revents & (POLLERR | POLLHUP | POLLNVAL))
		return -EPIPE;
	if (sys_fstat(follow->fd, &mine) || !S_ISREG(mine.st_mode))
		return 0;
	if (mine.st_size < follow->at) {
		off_t at = sys_lseek(follow->fd, 0, SEEK_SET);

		follow->at = at < 0 ? follow->at : at;
		return at >= 0;
	}
	return look_for_another(follow, &mine);
}

void follow_close(struct follow *follow)
{
	sys_close(follow->fd);
}
