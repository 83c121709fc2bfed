/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/forward.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/systool.h"

static int open_path(const char *path)
{
	return path ? sys_open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0) : STDIN_FILENO;
}

int forward_open(struct forward *r, const char *path, const struct layout *layout, bool is_old)
{
	int fd = open_path(path);
	off_t at;

	if (fd < 0)
		return fd;
	at = sys_lseek(fd, 0, SEEK_CUR);
	r->path = path;
	r->fd = fd;
	r->layout = layout;
	r->is_old = is_old;
	r->is_stream = at < 0;
	r->has_ended = false;
	r->at = r->is_stream ? 0 : at;
	r->used = r->have = 0;
	return 0;
}

/* More bytes behind those in the block. Their number, 0 at the end, or a negative errno. */
static ssize_t read_more(struct forward *r)
{
	unsigned char *to = r->block + r->have;
	size_t room = sizeof r->block - r->have;
	ssize_t got;

	do
		got = r->is_stream ? sys_read(r->fd, to, room) : sys_pread(r->fd, to, room, r->at + (off_t)r->have);
	while (got == -EINTR);
	if (got > 0)
		r->have += (size_t)got;
	else if (!got)
		r->has_ended = r->is_stream;
	return got;
}

static void drop_used(struct forward *r)
{
	memmove(r->block, r->block + r->used, r->have - r->used);
	r->have -= r->used;
	if (!r->is_stream)
		r->at += (off_t)r->used;
	r->used = 0;
	if (!r->is_stream)
		r->have = 0;            /* part of a record: it may be another one when it is whole */
}

/* At the file's beginning all that is there says more than its first record does. */
static int find_layout(struct forward *r)
{
	ssize_t got = 1;

	if (r->layout)
		return 0;
	while (got > 0 && r->have < (r->is_old ? 56 : LAYOUT_BYTES_MAX))
		got = read_more(r);
	if (got < 0)
		return (int)got;
	/* What is in the block now may be a stream's first piece of many. */
	if (r->have)
		r->layout = layout_detect(r->block, r->have, r->is_old);
	return r->have ? 0 : -ENOENT;
}

static bool has_whole(const struct forward *r)
{
	return r->have - r->used >= r->layout->bytes;
}

int forward_next(struct forward *r, struct record *out)
{
	int err = find_layout(r);

	if (err)
		return err;
	if (!has_whole(r))
		drop_used(r);
	while (!has_whole(r)) {
		ssize_t got = read_more(r);

		if (got < 0)
			return (int)got;
		if (!got)
			return -ENOENT;
	}
	*out = record_of(r->layout, r->block + r->used);
	r->used += r->layout->bytes;
	return 0;
}

size_t forward_left_bytes(const struct forward *r)
{
	return r->have - r->used;
}

int forward_seek_last(struct forward *r, int count)
{
	struct stat st;
	off_t whole;
	int err;

	if (r->is_stream)
		return 0;
	err = find_layout(r);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = sys_fstat(r->fd, &st);
	if (err)
		return err;
	whole = st.st_size / r->layout->bytes;
	if (whole > count) {
		r->at = (whole - count) * r->layout->bytes;
		r->used = r->have = 0;
	}
	return 0;
}

static int begin_anew(struct forward *r)
{
	r->at = 0;
	r->used = r->have = 0;
	return 1;
}

/* The old file is read to its end once more first: it may have got records until its name was taken away. */
static int change_over(struct forward *r, const struct stat *old)
{
	struct stat now;
	int fd;

	if (!r->path || sys_stat(r->path, &now) || (now.st_dev == old->st_dev && now.st_ino == old->st_ino))
		return 1;
	if (old->st_size >= r->at + (off_t)r->layout->bytes)
		return 1;
	fd = open_path(r->path);
	if (fd < 0)
		return 1;               /* not there yet, or never for us: the old one will do */
	sys_close(r->fd);
	r->fd = fd;
	return begin_anew(r);
}

int forward_look_again(struct forward *r)
{
	struct stat st;
	int err;

	if (r->is_stream)
		return !r->has_ended;
	if (!r->layout)                 /* nothing was there yet */
		r->layout = layout_native(r->is_old);
	err = sys_fstat(r->fd, &st);
	if (err)
		return err;
	if (st.st_size < r->at)
		return begin_anew(r);
	return change_over(r, &st);
}

void forward_close(struct forward *r)
{
	if (r->path)
		sys_close(r->fd);
}
