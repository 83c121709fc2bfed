/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backward.h - the records of a file, the newest first.
 * Read in blocks from the end, so that memory does not grow with the file and no record costs a system call. What cannot be
 * sought in (a pipe) is copied into memory first. Partial and damaged records are passed over and counted; behind a partial
 * one in the middle, where all others stand askew, the place of the next is looked for. Reading may block as read(2) of that
 * file may. */
#ifndef RECORDS_BACKWARD_H
#define RECORDS_BACKWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "records/layout.h"

enum { BACKWARD_BLOCK_BYTES = 1 << 19 };

struct backward {
	const struct layout *layout;
	int fd;
	off_t end;                      /* of what was not given yet */
	off_t low, high;                /* what of the file is in block */
	bool has_previous;
	const unsigned char *previous;  /* the record given last: in the block, or in kept */
	int64_t previous_s, previous_us;
	unsigned char kept[LAYOUT_BYTES_MAX];
	unsigned char first[LAYOUT_BYTES_MAX];
	bool has_first;                 /* the file's first record: it is whole */
	int64_t changed_s;              /* when the file was changed last */
	int trailing;                   /* bytes at the end that are no record */
	uint64_t damaged;               /* records and gaps passed over so far */
	off_t damaged_at;               /* where the last of them in the file is */
	unsigned char block[BACKWARD_BLOCK_BYTES];
};

/* Takes fd, which the reader closes at its end and on failure. layout NULL: the file's own, as of layout_detect() with
 * is_old. 0 or a negative errno. */
int backward_open(struct backward *reader, int fd, const struct layout *layout, bool is_old) MUST_CHECK;

/* The next older record, valid until the next call, with whether it is byte for byte the same as the one given before. 0,
 * -ENOENT in front of the first, or a negative errno. */
int backward_next(struct backward *reader, struct record *out, bool *is_repeated) MUST_CHECK;

void backward_close(struct backward *reader);

#endif
