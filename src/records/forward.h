/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forward.h - the records of a file or a stream, the oldest first, and those that are added later.
 * Only whole records are taken: one that is being written stays where it is until it is whole. A file that is cut short is
 * begun anew; when its name comes to mean another file, what is left of the old one comes first. Reading may block as
 * read(2) of that file may. */
#ifndef RECORDS_FORWARD_H
#define RECORDS_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "records/layout.h"

enum { FORWARD_BLOCK_BYTES = 1 << 16 };

struct forward {
	const char *path;               /* NULL: standard input, whose name is not looked at again */
	int fd;
	const struct layout *layout;    /* NULL: not known yet */
	bool is_old;
	bool is_stream;                 /* cannot be sought in */
	bool has_ended;                 /* a stream has */
	off_t at;                       /* behind the last record given, in the file */
	size_t used, have;              /* of the block: given, and read */
	unsigned char block[FORWARD_BLOCK_BYTES];
};

/* path NULL: standard input. layout NULL: the file's own, as of layout_detect() with is_old. 0 or a negative errno. */
int forward_open(struct forward *reader, const char *path, const struct layout *layout, bool is_old) MUST_CHECK;

/* Goes to the count-th record from the end, where there are so many and the file can be sought in. */
int forward_seek_last(struct forward *reader, int count) MUST_CHECK;

/* The next record, valid until the next call. 0, -ENOENT (none that is whole, now), or a negative errno. */
int forward_next(struct forward *reader, struct record *out) MUST_CHECK;

/* Bytes behind the last whole record, after forward_next() said -ENOENT. */
size_t forward_left_bytes(const struct forward *reader);

/* Looks whether the file was cut short or another one has its name, and goes there. To be called between -ENOENT and the next
 * forward_next(). 1: there can be more to come; 0: never (a stream that has ended); or a negative errno. */
int forward_look_again(struct forward *reader) MUST_CHECK;

void forward_close(struct forward *reader);

#endif
