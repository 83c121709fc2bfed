/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utmpfile.h - the record of utmp(5) as it lies in utmp and wtmp, and how we read, replace and
 * append one.
 * The layout is ours, not the C library's, so that an init linked with musl writes what the
 * system's programs read. Nobody is trusted: a path that is no regular file is not written to, a
 * scan is bounded, a partial record at the end of the file harms nothing. No call waits for a
 * lock in the kernel; what can block is only the file system itself (frozen, dead server),
 * uninterruptibly: helpers and tools only, never pid 1. */
#ifndef LIB_UTMPFILE_H
#define LIB_UTMPFILE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/num.h"

/* Which of the two layouts the system's C library has is a matter of the architecture.
 * utmpfile.c compares this with glibc's own struct when it is built with glibc; the builder may
 * decide with -DUTMP_WIDE=0 or 1. */
#ifndef UTMP_WIDE
#if defined __aarch64__ || defined __alpha__ || defined __ia64__ || defined __s390__
#define UTMP_WIDE 1
#else
#define UTMP_WIDE 0
#endif
#endif

#if UTMP_WIDE
typedef int64_t utmp_long;
#else
typedef int32_t utmp_long;              /* seconds are cut to 32 bits, unsigned as of 2038 */
#endif

enum utmp_type {
	UTMP_EMPTY,
	UTMP_RUN_LVL,
	UTMP_BOOT_TIME,
	UTMP_NEW_TIME,
	UTMP_OLD_TIME,
	UTMP_INIT_PROCESS,
	UTMP_LOGIN_PROCESS,
	UTMP_USER_PROCESS,
	UTMP_DEAD_PROCESS,
};

/* Texts are padded with NULs, and not terminated when they fill their field. */
struct utmp_record {
	int16_t type;
	int16_t padding;
	int32_t pid;
	char line[32];
	char id[4];
	char user[32];
	char host[256];
	int16_t termination;
	int16_t exit;
	utmp_long session;
	utmp_long s;
	utmp_long us;
	uint32_t address[4];
	char reserved[20];
#if UTMP_WIDE
	char tail[4];
#endif
};
static_assert(offsetof(struct utmp_record, pid) == 4 && offsetof(struct utmp_record, line) == 8 &&
	offsetof(struct utmp_record, id) == 40 && offsetof(struct utmp_record, user) == 44 &&
	offsetof(struct utmp_record, host) == 76 &&
	offsetof(struct utmp_record, termination) == 332 &&
	offsetof(struct utmp_record, session) == 336, "utmp(5) wire format");
static_assert(sizeof(struct utmp_record) == (UTMP_WIDE ? 400 : 384) &&
	offsetof(struct utmp_record, s) == (UTMP_WIDE ? 344 : 340) &&
	offsetof(struct utmp_record, address) == (UTMP_WIDE ? 360 : 348), "utmp(5) wire format");

enum {
	UTMP_SCAN_MAX = 16384,          /* for utmp_find(): 6 MiB, against sparse giants */
	UTMP_READ_MAX = 262144,         /* for a reader: 96 MiB */
};

enum utmp_use { UTMP_READ, UTMP_REPLACE, UTMP_APPEND };

/* Opens an existing file. Never creates one, never waits for a FIFO's other end, follows no
 * symbolic link to write. -EINVAL: not a regular file. */
int utmp_open(const char *path, enum utmp_use use, int *out) MUST_CHECK;

/* True for the errors that mean "there is no such file to be written": absent, not a regular
 * file, not permitted, too large to search. Others (read-only, full, broken) may pass. */
bool utmp_is_absent(int err);

/* Empties the file, or creates it with mode 0644. 0 or a negative errno. */
int utmp_truncate(const char *path) MUST_CHECK;

/* The lock of getutent(3)'s writers, tried every 10 ms. 0: locked, or the file system knows no
 * locks. -EBUSY: readers_until is past and only readers hold it, so no writer can be harmed by
 * writing without it. -EAGAIN: deadline is past. The lock ends with the first close of any
 * descriptor of that file. */
int utmp_lock(int fd, struct mono readers_until, struct mono deadline) MUST_CHECK;

/* True if somebody else's write lock is on the file. */
bool utmp_is_write_locked(int fd);

/* The slot that key replaces, as getutid(3) defines it: for the four process types the first
 * record of such a type with the same id, for the others the first of the same type. 0, and
 * *found and *at are it; -ENOENT, and *at is where to add one; -EFBIG: not among the first
 * UTMP_SCAN_MAX records and no room below that. */
int utmp_find(int fd, const struct utmp_record *key, struct utmp_record *found,
	off_t *at) MUST_CHECK;

/* Writes a record at a place that utmp_find() gave. Leaves no partial record at the end of the
 * file. */
int utmp_put(int fd, off_t at, const struct utmp_record *record) MUST_CHECK;

/* Adds a record with one write to a file opened UTMP_APPEND. What somebody left there of a
 * partial record is filled up with NULs first (not cut: files may be append-only, and it may be
 * evidence). Takes back a partial write. */
int utmp_append(int fd, const struct utmp_record *record) MUST_CHECK;

/* Reading takes no lock and waits for none. */
struct utmp_reader {
	int fd;
	uint64_t index;
	int naps_left;
};

/* 0 or a negative errno, -EINVAL: not a regular file. */
int utmp_reader_open(struct utmp_reader *reader, const char *path) MUST_CHECK;

/* The next record: read until it is the same twice and nobody holds the write lock, so that it
 * is not half of two. A lock that stays costs a third of a second over the reader's life. 0,
 * -ENOENT behind the last whole record or behind UTMP_READ_MAX of them, or a negative errno. */
int utmp_reader_next(struct utmp_reader *reader, struct utmp_record *out) MUST_CHECK;
void utmp_reader_close(struct utmp_reader *reader);

/* Copies text into a field: cut, padded with NULs. */
void utmp_set_text(char *field, size_t size_bytes, const char *text);

#endif
