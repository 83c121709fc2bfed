/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/utmpfile.h"

#include <errno.h>
#include <string.h>
#ifdef __GLIBC__
#include <utmp.h>
#endif

#include "lib/sys.h"

#ifdef __GLIBC__
static_assert(sizeof(struct utmp) == sizeof(struct utmp_record) &&
	offsetof(struct utmp, ut_tv) == offsetof(struct utmp_record, s),
	"UTMP_WIDE is wrong for this architecture");
#endif

enum {
	RECORD_BYTES = sizeof(struct utmp_record),
	LOCK_PAUSE_MS = 10,
	READER_NAPS = 300,
	TRIES = 8,
};

static int check_regular(int fd, off_t *size)
{
	struct stat st;
	int err = sys_fstat(fd, &st);

	if (err)
		return err;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*size = st.st_size;
	return 0;
}

static int open_regular(const char *path, int flags, int *out)
{
	int err, fd = sys_open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	off_t size;

	if (fd < 0)
		return fd;
	err = check_regular(fd, &size);
	if (err) {
		sys_close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int utmp_open(const char *path, enum utmp_use use, int *out)
{
	static const int flags[] = {
		[UTMP_READ] = O_RDONLY,
		[UTMP_REPLACE] = O_RDWR | O_NOFOLLOW,
		[UTMP_APPEND] = O_WRONLY | O_APPEND | O_NOFOLLOW,
	};

	return open_regular(path, flags[use], out);
}

bool utmp_is_absent(int err)
{
	switch (-err) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EISDIR:
	case ENXIO:     /* a FIFO without a reader, a socket */
	case ENODEV:
	case EINVAL:
	case EACCES:
	case EPERM:     /* chattr +i: somebody wants it as it is */
	case EFBIG:
		return true;
	default:
		return false;
	}
}

int utmp_truncate(const char *path)
{
	int err, fd;

	err = open_regular(path, O_WRONLY | O_CREAT | O_NOFOLLOW, &fd);
	if (err)
		return err;
	err = sys_ftruncate(fd, 0);
	sys_close(fd);
	return err;
}

static void whole_file(struct flock *lock, short type)
{
	memset(lock, 0, sizeof *lock);
	lock->l_type = type;
	lock->l_whence = SEEK_SET;
}

bool utmp_is_write_locked(int fd)
{
	struct flock lock;

	/* Asking for a read lock names only what keeps readers out: writers. */
	whole_file(&lock, F_RDLCK);
	return !sys_lock(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static bool is_held_by_others(int err)
{
	return err == -EAGAIN || err == -EACCES;        /* fcntl(2): either, by POSIX */
}

int utmp_lock(int fd, struct mono readers_until, struct mono deadline)
{
	static const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000 };

	for (;;) {
		struct flock lock;
		struct mono now;
		int err;

		whole_file(&lock, F_WRLCK);
		err = sys_lock(fd, F_SETLK, &lock);
		if (!err)
			return 0;
		if (err == -ENOLCK || err == -ENOSYS || err == -EINVAL || err == -EOPNOTSUPP)
			return 0;       /* a record without a lock is better than none */
		if (!is_held_by_others(err) && err != -EINTR)
			return err;
		now = mono_now();
		if (err != -EINTR && mono_is_due(readers_until, now) && !utmp_is_write_locked(fd))
			return -EBUSY;
		if (mono_is_due(deadline, now))
			return -EAGAIN;
		(void)sys_sleep(&pause);        /* cut short: the clock is looked at above */
	}
}

static bool is_process(int type)
{
	return type >= UTMP_INIT_PROCESS && type <= UTMP_DEAD_PROCESS;
}

static bool is_slot_of(const struct utmp_record *record, const struct utmp_record *key)
{
	if (is_process(key->type))
		return is_process(record->type) && !memcmp(record->id, key->id, sizeof key->id);
	return record->type == key->type;
}

/* Up to len_bytes from at: less only at the end of the file. */
static ssize_t read_at(int fd, void *buf, size_t len_bytes, off_t at)
{
	size_t got = 0;
	int tries = TRIES;

	while (got < len_bytes) {
		ssize_t n = sys_pread(fd, (char *)buf + got, len_bytes - got, at + (off_t)got);

		if (n == -EINTR && tries--)
			continue;
		if (n < 0)
			return n;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int utmp_find(int fd, const struct utmp_record *key, struct utmp_record *found, off_t *at)
{
	struct utmp_record chunk[16];
	uint64_t index = 0;

	while (index < UTMP_SCAN_MAX) {
		ssize_t got = read_at(fd, chunk, sizeof chunk, (off_t)(index * RECORD_BYTES));
		size_t count;

		if (got < 0)
			return (int)got;
		count = (size_t)got / RECORD_BYTES;
		for (size_t i = 0; i < count; i++) {
			if (!is_slot_of(&chunk[i], key))
				continue;
			*found = chunk[i];
			*at = (off_t)((index + i) * RECORD_BYTES);
			return 0;
		}
		index += count;
		if ((size_t)got < sizeof chunk) {
			*at = (off_t)(index * RECORD_BYTES);    /* over a partial record */
			return -ENOENT;
		}
	}
	return -EFBIG;
}

/* So that no other program meets a partial record. Where this fails too, utmp_append() fills it
 * up next time. */
static void take_back(int fd, off_t before, ssize_t written)
{
	off_t size;

	if (check_regular(fd, &size) || size != before + written || sys_ftruncate(fd, before))
		return;
}

int utmp_put(int fd, off_t at, const struct utmp_record *record)
{
	int tries = TRIES;
	ssize_t n;

	do
		n = sys_pwrite(fd, record, RECORD_BYTES, at);
	while (n == -EINTR && tries--);
	if (n == RECORD_BYTES)
		return 0;
	if (n > 0) {
		take_back(fd, at, n);
		return -ENOSPC;
	}
	return n < 0 ? (int)n : -EIO;
}

int utmp_append(int fd, const struct utmp_record *record)
{
	char buf[2 * RECORD_BYTES] = { 0 };
	int err, tries = TRIES;
	size_t len, fill;
	off_t size;
	ssize_t n;

	err = check_regular(fd, &size);
	if (err)
		return err;
	fill = (RECORD_BYTES - (size_t)(size % RECORD_BYTES)) % RECORD_BYTES;
	len = fill + RECORD_BYTES;
	memcpy(buf + fill, record, RECORD_BYTES);
	do
		n = sys_write(fd, buf, len);
	while (n == -EINTR && tries--);
	if (n == (ssize_t)len)
		return 0;
	if (n > 0) {
		take_back(fd, size, n);
		return -ENOSPC;
	}
	return n < 0 ? (int)n : -EIO;
}

int utmp_reader_open(struct utmp_reader *reader, const char *path)
{
	int fd, err = utmp_open(path, UTMP_READ, &fd);

	if (err)
		return err;
	*reader = (struct utmp_reader){ .fd = fd, .naps_left = READER_NAPS };
	return 0;
}

static int read_whole(int fd, uint64_t index, struct utmp_record *out)
{
	ssize_t got = read_at(fd, out, sizeof *out, (off_t)(index * RECORD_BYTES));

	if (got < 0)
		return (int)got;
	return got == RECORD_BYTES ? 0 : -ENOENT;
}

/* Half of a record means that its writer held the lock then. If it is free afterwards, the
 * writer is done, and a second reading differs. */
static int read_twice(int fd, uint64_t index, struct utmp_record *out, bool *settled)
{
	struct utmp_record first;
	int err = read_whole(fd, index, &first);
	bool locked;

	if (err)
		return err;
	locked = utmp_is_write_locked(fd);
	err = read_whole(fd, index, out);
	*settled = !err && !locked && !memcmp(&first, out, sizeof first);
	return err;
}

int utmp_reader_next(struct utmp_reader *reader, struct utmp_record *out)
{
	static const struct timespec pause = { 0, 1000000 };
	struct utmp_record record;
	bool settled;
	int err;

	if (reader->index >= UTMP_READ_MAX)
		return -ENOENT;
	for (int tries = 0;; tries++) {
		err = read_twice(reader->fd, reader->index, &record, &settled);
		if (err)
			return err;
		if (settled || reader->naps_left <= 0)
			break;
		if (tries < TRIES)
			continue;
		(void)sys_sleep(&pause);        /* a shorter one only makes us less patient */
		reader->naps_left--;
	}
	reader->index++;
	*out = record;
	return 0;
}

void utmp_reader_close(struct utmp_reader *reader)
{
	sys_close(reader->fd);
}

void utmp_set_text(char *field, size_t size_bytes, const char *text)
{
	size_t len = strnlen(text, size_bytes);

	memcpy(field, text, len);
	memset(field + len, 0, size_bytes - len);
}
