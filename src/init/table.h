/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - a parsed inittab on its way from the loader (a disposable child) to pid 1: an image
 * in a memfd. The loader writes and seals it; pid 1 maps it read-only and believes nothing in it
 * before table_open() has checked every offset, length and field. Cannot block (memory only). */
#ifndef INIT_TABLE_H
#define INIT_TABLE_H

#include "init/inittab.h"

enum {
	TABLE_ENTRIES_MAX = 65536,
	TABLE_BYTES_MAX = 64 << 20,
};

struct table_entry {                    /* as in the image: fixed width, no pointers */
	char id[8];
	char levels[16];
	uint32_t action;
	uint32_t process_offset;        /* into the image */
	uint32_t process_len;           /* without the NUL that stands behind it */
	uint32_t line;                  /* for messages; 0: not from a file */
};

/* --- the loader's side: private memory, then one write of the image --- */
struct table_builder;
struct table_builder *table_build_begin(void);          /* NULL: out of memory */
void table_build_drop(struct table_builder *b);
/* -EEXIST: the id is taken (but for "~~"), -ENOSPC: TABLE_ENTRIES_MAX, -ENOMEM. */
int table_build_add(struct table_builder *b, const struct tab_line *line, uint32_t number)
	MUST_CHECK;
bool table_build_has_id(const struct table_builder *b, const char *id);
/* Is there an entry for the level, other than initdefault and those that need an event? */
bool table_build_has_level(const struct table_builder *b, char level);
size_t table_build_count(const struct table_builder *b);
/* Orders the entries (power and ctrlaltdel first, else as added), writes the image to fd and
 * seals it, frees b. 0 or -errno. */
int table_build_end(struct table_builder *b, int fd) MUST_CHECK;
/* Against any change. Not for pid 1: the kernel first drains the page lists of every processor
 * (memfd_add_seals(), lru_add_drain_all()), an uninterruptible sleep for as long as one of them
 * is kept busy. */
int table_seal(int fd) MUST_CHECK;

/* --- pid 1's side --- */
struct table {
	const void *image;
	size_t size_bytes;
	uint32_t count;
};

/* Maps and checks it. fd stays the caller's. 0, -EPROTO (damaged, or not sealed), -EFBIG,
 * -ENOMEM ... */
int table_open(int fd, struct table *out) MUST_CHECK;
void table_close(struct table *table);

/* The table that needs no loader: a shell for root in level S. Not to be closed. */
void table_fallback(struct table *out);

/* index < count */
const struct table_entry *table_entry(const struct table *table, uint32_t index);
const char *table_process(const struct table *table, const struct table_entry *entry);

#endif
