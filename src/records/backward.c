/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/backward.h"

#include <errno.h>
#include <string.h>

#include "lib/io.h"
#include "lib/systool.h"

/* All that is left to read of fd, in memory; takes fd. A descriptor or a negative errno. */
static int copy_to_memory(int fd, unsigned char *buf, size_t size_bytes)
{
	int memory = sys_memfd("records", 1);
	ssize_t got = memory;

	while (got >= 0) {
		int err;

		got = io_read_all(fd, buf, size_bytes);
		if (got <= 0)
			break;
		err = io_write_all(memory, buf, (size_t)got);
		if (err)
			got = err;
	}
	sys_close(fd);
	if (got >= 0)
		return memory;
	if (memory >= 0)
		sys_close(memory);
	return (int)got;
}

static bool may_be_sought_in(int fd)
{
	return sys_lseek(fd, 0, SEEK_CUR) >= 0;
}

/* Makes [at - bytes, at) part of the block. -ENODATA: the file does not reach so far any more. */
static int hold(struct backward *r, off_t at, size_t bytes)
{
	off_t low = at > BACKWARD_BLOCK_BYTES ? at - BACKWARD_BLOCK_BYTES : 0;
	off_t from = at > (off_t)bytes ? at - (off_t)bytes : 0;
	ssize_t got;

	if (from >= r->low && at <= r->high)
		return 0;
	if (r->has_previous && r->previous != r->kept) {
		memcpy(r->kept, r->previous, r->layout->bytes);
		r->previous = r->kept;
	}
	r->low = r->high = 0;
	got = io_read_at(r->fd, r->block, (size_t)(at - low), low);
	if (got < 0)
		return (int)got;
	if (got < at - low)
		return -ENODATA;
	r->low = low;
	r->high = at;
	return 0;
}

/* The record that ends at this place, if there is room for one. */
static int record_before(struct backward *r, off_t at, struct record *out)
{
	size_t bytes = r->layout->bytes;
	int err;

	if (at < (off_t)bytes)
		return -ENOENT;
	err = hold(r, at, bytes);
	if (err)
		return err;
	*out = record_of(r->layout, r->block + (at - (off_t)bytes - r->low));
	return 0;
}

/* Whether two sound records end here, or one that is the file's first. */
static bool is_in_step(struct backward *r, off_t at)
{
	off_t bytes = r->layout->bytes;
	struct record record;

	if (record_before(r, at, &record) || !record_is_sound(&record))
		return false;
	return at == bytes || (!record_before(r, at - bytes, &record) && record_is_sound(&record));
}

/* Where a whole number of records ends, unless only those counted from the other end make sense: then a partial one lies
 * somewhere in between. */
static off_t find_end(struct backward *r, off_t size)
{
	off_t trailing = size % r->layout->bytes, even = size - trailing;
	struct record record;

	if (!trailing)
		return size;
	if (even && !record_before(r, even, &record) && !record_is_sound(&record) && is_in_step(r, size))
		return size;
	r->trailing = (int)trailing;
	return even;
}

static int look_at_file(struct backward *r, const struct layout *layout, bool is_old)
{
	struct stat st;
	int err = sys_fstat(r->fd, &st);
	ssize_t got;

	if (err)
		return err;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	got = io_read_at(r->fd, r->block, LAYOUT_SAMPLE_BYTES, 0);
	if (got < 0)
		return (int)got;
	r->layout = layout ? layout : layout_detect(r->block, (size_t)got, is_old);
	r->has_first = got >= r->layout->bytes;
	if (r->has_first)
		memcpy(r->first, r->block, r->layout->bytes);
	r->changed_s = st.st_ctim.tv_sec;
	r->end = find_end(r, st.st_size);
	return 0;
}

int backward_open(struct backward *r, int fd, const struct layout *layout, bool is_old)
{
	int err;

	if (!may_be_sought_in(fd)) {
		fd = copy_to_memory(fd, r->block, sizeof r->block);
		if (fd < 0)
			return fd;
	}
	r->fd = fd;
	r->low = r->high = 0;
	r->has_previous = false;
	r->previous = r->kept;
	r->trailing = 0;
	r->damaged = 0;
	r->damaged_at = 0;
	err = look_at_file(r, layout, is_old);
	if (err)
		sys_close(fd);
	return err;
}

static void note_damage(struct backward *r, off_t at)
{
	if (!r->damaged++)
		r->damaged_at = at;
}

/* How many bytes to pass over so that records begin where they should; 0: no better place than this one. */
static off_t find_step(struct backward *r)
{
	if (hold(r, r->end, 3 * (size_t)r->layout->bytes))      /* all that is looked at, at once */
		return 0;
	for (off_t by = 1; by < r->layout->bytes; by++)
		if (r->end - by >= r->layout->bytes && is_in_step(r, r->end - by))
			return by;
	return 0;
}

/* What a program that was cut short, a full disk or a crash leaves: neither sound nor a slot that is empty. */
static bool is_damaged(const struct record *record)
{
	return !record_is_known_type(record->type) || (record->type != UTMP_EMPTY && !record->s && !record->us);
}

static bool is_above_doubt(const struct record *record)
{
	return record_is_sound(record) || (record->type == UTMP_EMPTY && record_is_blank(record));
}

/* The times, which are at hand, tell nearly all apart. */
static bool is_same_as_previous(const struct backward *r, const struct record *record)
{
	return r->has_previous && record->s == r->previous_s && record->us == r->previous_us &&
		!memcmp(record->bytes, r->previous, r->layout->bytes);
}

int backward_next(struct backward *r, struct record *out, bool *is_repeated)
{
	for (;;) {
		off_t by = 0;
		int err = record_before(r, r->end, out);

		if (err == -ENOENT && r->end > 0)
			note_damage(r, 0);              /* part of a record in front of the first */
		if (err == -ENOENT)
			r->end = 0;
		if (err)
			return err;
		if (is_above_doubt(out))
			break;
		by = find_step(r);
		err = record_before(r, r->end, out);    /* the block may hold another part now */
		if (err)
			return err;
		if (!by && !is_damaged(out))
			break;
		r->end -= by ? by : r->layout->bytes;
		note_damage(r, r->end);
	}
	r->end -= r->layout->bytes;
	*is_repeated = is_same_as_previous(r, out);
	r->has_previous = true;
	r->previous = out->bytes;
	r->previous_s = out->s;
	r->previous_us = out->us;
	return 0;
}

void backward_close(struct backward *r)
{
	sys_close(r->fd);
}
