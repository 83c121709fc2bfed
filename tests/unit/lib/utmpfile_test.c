/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <utmp.h>
#endif

#include "fake/sys.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

enum { RECORD_BYTES = sizeof(struct utmp_record) };

static char dir[64], path[96];
static int fds_before;

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/utmpfile_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/utmp", dir);
	fds_before = fds_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	if (unlink(path))
		rmdir(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static struct utmp_record make(int type, const char *id, int32_t pid)
{
	struct utmp_record record = { .type = (int16_t)type, .pid = pid, .s = 1000, .us = 5 };

	utmp_set_text(record.id, sizeof record.id, id);
	return record;
}

static void fill(const void *data, size_t len_bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(!len_bytes || fwrite(data, len_bytes, 1, f) == 1);
	assert_int_equal(fclose(f), 0);
}

static size_t load(void *data, size_t size_bytes)
{
	FILE *f = fopen(path, "r");
	size_t got;

	assert_non_null(f);
	got = fread(data, 1, size_bytes, f);
	fclose(f);
	return got;
}

static int open_for(enum utmp_use use)
{
	int fd = -1;

	assert_int_equal(utmp_open(path, use, &fd), 0);
	return fd;
}

static struct mono in_ms(int64_t ms)
{
	return mono_after_ms(mono_now(), ms);
}

static void put(const struct utmp_record *record)
{
	int fd = open_for(UTMP_REPLACE);
	struct utmp_record old;
	off_t at;
	int err = utmp_find(fd, record, &old, &at);

	assert_true(!err || err == -ENOENT);
	assert_int_equal(utmp_put(fd, at, record), 0);
	close(fd);
}

/* --- a second process that holds a lock --- */

struct holder {
	pid_t pid;
	int gate;
};

static struct holder hold(short type, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len
	};
	int ready[2], gate[2];
	struct holder holder;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(gate, O_CLOEXEC), 0);
	holder.pid = fork();
	assert_true(holder.pid >= 0);
	if (!holder.pid) {
		int fd = open(path, type == F_RDLCK ? O_RDONLY : O_RDWR);

		close(gate[1]);
		if (fcntl(fd, F_SETLK, &lock) || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(gate[0], &c, 1) < 0);
	}
	close(ready[1]);
	close(gate[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	holder.gate = gate[1];
	return holder;
}

static void let_go(struct holder holder)
{
	int status;

	close(holder.gate);
	assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
	assert_int_equal(status, 0);
}

/* --- cases --- */

static void only_a_regular_file_is_opened(void **state)
{
	static const enum utmp_use uses[] = { UTMP_READ, UTMP_REPLACE, UTMP_APPEND };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char target[96];
	int fd = -1, s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(utmp_open(path, uses[i], &fd), -ENOENT);

		assert_int_equal(mkdir(path, 0755), 0);
		assert_true(utmp_is_absent(utmp_open(path, uses[i], &fd)));
		rmdir(path);

		assert_int_equal(mkfifo(path, 0600), 0);
		assert_true(utmp_is_absent(utmp_open(path, uses[i], &fd)));
		unlink(path);

		s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
		assert_int_equal(bind(s, (struct sockaddr *)&name, sizeof name), 0);
		assert_true(utmp_is_absent(utmp_open(path, uses[i], &fd)));
		close(s);
		unlink(path);

		assert_int_equal(symlink("/dev/null", path), 0);
		assert_true(utmp_is_absent(utmp_open(path, uses[i], &fd)));
		unlink(path);
	}
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_not_equal(utmp_truncate(path), 0);
	unlink(path);

	/* A link to a good file: read through, not written through. */
	snprintf(target, sizeof target, "%s/target", dir);
	assert_int_equal(close(open(target, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(utmp_open(path, UTMP_REPLACE, &fd), -ELOOP);
	assert_int_equal(utmp_open(path, UTMP_APPEND, &fd), -ELOOP);
	assert_int_equal(utmp_truncate(path), -ELOOP);
	fd = open_for(UTMP_READ);
	close(fd);
	unlink(target);
	assert_int_equal(fds_open(), fds_before);
}

static void errors_that_may_pass_do_not_mean_absent(void **state)
{
	(void)state;
	assert_false(utmp_is_absent(0));
	assert_false(utmp_is_absent(-EROFS));
	assert_false(utmp_is_absent(-ENOSPC));
	assert_false(utmp_is_absent(-EIO));
	assert_false(utmp_is_absent(-EAGAIN));
	assert_false(utmp_is_absent(-EINTR));
}

static void truncate_creates_or_empties(void **state)
{
	mode_t mask = umask(022);
	struct stat st;

	(void)state;
	assert_int_equal(utmp_truncate(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	fill("something", 9);
	assert_int_equal(utmp_truncate(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	umask(mask);
}

static void a_slot_is_found_as_getutid_finds_it(void **state)
{
	struct utmp_record found, all[] = {
		make(UTMP_EMPTY, "1", 0),
		make(UTMP_BOOT_TIME, "~~", 0),
		make(UTMP_RUN_LVL, "~~", 1),
		make(UTMP_INIT_PROCESS, "a", 2),
		make(UTMP_LOGIN_PROCESS, "b", 3),
		make(UTMP_USER_PROCESS, "c", 4),
		make(UTMP_DEAD_PROCESS, "d", 5),
		make(UTMP_USER_PROCESS, "a", 6),
		make(UTMP_RUN_LVL, "x", 7),
	};
	static const struct {
		int type;
		const char *id;
		int index;
	} rows[] = {
		{ UTMP_BOOT_TIME, "~~", 1 },
		{ UTMP_BOOT_TIME, "zz", 1 },
		{ UTMP_RUN_LVL, "x", 2 },
		{ UTMP_INIT_PROCESS, "a", 3 },
		{ UTMP_DEAD_PROCESS, "b", 4 },
		{ UTMP_INIT_PROCESS, "c", 5 },
		{ UTMP_INIT_PROCESS, "d", 6 },
		{ UTMP_DEAD_PROCESS, "a", 3 },
		{ UTMP_INIT_PROCESS, "1", -1 },
		{ UTMP_DEAD_PROCESS, "~~", -1 },
		{ UTMP_INIT_PROCESS, "aa", -1 },
		{ UTMP_NEW_TIME, "a", -1 },
	};
	int fd;
	off_t at;

	(void)state;
	fill(all, sizeof all);
	fd = open_for(UTMP_REPLACE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct utmp_record key = make(rows[i].type, rows[i].id, 99);
		int err = utmp_find(fd, &key, &found, &at);

		if (rows[i].index < 0) {
			assert_int_equal(err, -ENOENT);
			assert_int_equal(at, sizeof all);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(at, rows[i].index * RECORD_BYTES);
		assert_memory_equal(&found, &all[rows[i].index], RECORD_BYTES);
	}
	close(fd);
}

static void slots_are_found_behind_the_first_chunk(void **state)
{
	static struct utmp_record many[100];
	struct utmp_record key, found;
	off_t at;
	int fd;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char id[8];

		snprintf(id, sizeof id, "%d", i);
		many[i] = make(UTMP_INIT_PROCESS, id, i);
	}
	fill(many, sizeof many);
	fd = open_for(UTMP_REPLACE);
	for (int i = 0; i < 100; i++) {
		key = make(UTMP_DEAD_PROCESS, "", 0);
		memcpy(key.id, many[i].id, 4);
		assert_int_equal(utmp_find(fd, &key, &found, &at), 0);
		assert_int_equal(at, i * RECORD_BYTES);
	}
	key = make(UTMP_BOOT_TIME, "~~", 0);
	assert_int_equal(utmp_find(fd, &key, &found, &at), -ENOENT);
	assert_int_equal(at, sizeof many);
	close(fd);
}

static void a_sparse_giant_is_searched_up_to_the_bound(void **state)
{
	struct utmp_record key = make(UTMP_INIT_PROCESS, "1", 1), found;
	off_t at;
	int fd;

	(void)state;
	fill(&key, 0);
	assert_int_equal(truncate(path, (off_t)10 << 30), 0);
	fd = open_for(UTMP_REPLACE);
	fault_clear();
	assert_int_equal(utmp_find(fd, &key, &found, &at), -EFBIG);
	assert_true(fault_calls() <= UTMP_SCAN_MAX / 16);
	assert_true(utmp_is_absent(-EFBIG));

	/* What is there in front is still found and replaced. */
	assert_int_equal(utmp_put(fd, 3 * RECORD_BYTES, &key), 0);
	assert_int_equal(utmp_find(fd, &key, &found, &at), 0);
	assert_int_equal(at, 3 * RECORD_BYTES);
	close(fd);
}

static void a_partial_record_at_the_end_is_written_over_in_utmp(void **state)
{
	struct utmp_record two[2] = { make(UTMP_BOOT_TIME, "~~", 0),
		make(UTMP_USER_PROCESS, "1", 9) },
			   now[3];
	struct utmp_record key = make(UTMP_INIT_PROCESS, "1", 1);

	(void)state;
	fill(two, RECORD_BYTES + 100);
	put(&key);
	assert_int_equal(load(now, sizeof now), 2 * RECORD_BYTES);
	assert_memory_equal(&now[0], &two[0], RECORD_BYTES);
	assert_memory_equal(&now[1], &key, RECORD_BYTES);
}

static void appending_fills_up_a_partial_record(void **state)
{
	struct utmp_record old[2] = { make(UTMP_BOOT_TIME, "~~", 0),
		make(UTMP_USER_PROCESS, "1", 9) },
			   now[4], zero[1];
	struct utmp_record record = make(UTMP_DEAD_PROCESS, "x", 1);

	(void)state;
	memset(zero, 0, sizeof zero);
	for (size_t partial = 0; partial < RECORD_BYTES; partial += partial < 2 ? 1 : 91) {
		int fd;

		fill(old, RECORD_BYTES + partial);
		fd = open_for(UTMP_APPEND);
		assert_int_equal(utmp_append(fd, &record), 0);
		close(fd);
		assert_int_equal(load(now, sizeof now), (partial ? 3 : 2) * RECORD_BYTES);
		assert_memory_equal(now, old, RECORD_BYTES + partial);
		assert_memory_equal(&now[partial ? 2 : 1], &record, RECORD_BYTES);
		if (partial)
			assert_memory_equal(
				(char *)&now[1] + partial, zero, RECORD_BYTES - partial);
	}
}

static void a_full_disk_leaves_no_partial_record(void **state)
{
	struct rlimit old_limit, limit;
	struct utmp_record record = make(UTMP_BOOT_TIME, "~~", 0),
			   key = make(UTMP_INIT_PROCESS, "1", 1);
	struct stat st;
	int fd;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
	limit = old_limit;
	limit.rlim_cur = RECORD_BYTES + 100; /* cuts a write as a full disk does */
	fill(&record, RECORD_BYTES);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fd = open_for(UTMP_APPEND);
	assert_int_equal(utmp_append(fd, &key), -ENOSPC);
	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, RECORD_BYTES);

	fd = open_for(UTMP_REPLACE);
	assert_int_equal(utmp_put(fd, RECORD_BYTES, &key), -ENOSPC);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, RECORD_BYTES);

	/* And where the cut cannot be taken back, the next append fills it up. */
	fault_name("ftruncate", -EPERM);
	assert_int_equal(utmp_put(fd, RECORD_BYTES, &key), -ENOSPC);
	close(fd);
	assert_true(fault_fired());
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, RECORD_BYTES + 100);
	fd = open_for(UTMP_APPEND);
	assert_int_equal(utmp_append(fd, &key), 0);
	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3 * RECORD_BYTES);
	signal(SIGXFSZ, SIG_DFL);
}

static void a_readers_lock_is_told_from_a_writers(void **state)
{
	struct holder reader, writer;
	int fd;

	(void)state;
	fill("", 0);
	fd = open_for(UTMP_REPLACE);
	assert_int_equal(utmp_lock(fd, in_ms(50), in_ms(10000)), 0);
	close(fd);

	reader = hold(F_RDLCK, 0, 0);
	fd = open_for(UTMP_REPLACE);
	assert_int_equal(utmp_lock(fd, in_ms(50), in_ms(10000)), -EBUSY);
	assert_false(utmp_is_write_locked(fd));
	assert_int_equal(utmp_lock(fd, in_ms(10000), in_ms(50)), -EAGAIN);
	let_go(reader);
	assert_int_equal(utmp_lock(fd, in_ms(50), in_ms(10000)), 0);
	close(fd);

	writer = hold(F_WRLCK, 0, 0);
	fd = open_for(UTMP_REPLACE);
	assert_true(utmp_is_write_locked(fd));
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(50)), -EAGAIN);
	let_go(writer);
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(10000)), 0);
	assert_false(utmp_is_write_locked(fd));
	close(fd);
}

static void a_reader_in_front_does_not_hide_a_writer(void **state)
{
	struct holder reader, writer;
	int fd;

	(void)state;
	fill("", 0);
	reader = hold(F_RDLCK, 0, 10);
	writer = hold(F_WRLCK, 10, 0);
	fd = open_for(UTMP_REPLACE);
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(50)), -EAGAIN);
	let_go(writer);
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(10000)), -EBUSY);
	let_go(reader);
	close(fd);
}

static void a_file_system_without_locks_is_written_without(void **state)
{
	int fd;

	(void)state;
	fill("", 0);
	fd = open_for(UTMP_REPLACE);
	fault_name("lock", -ENOLCK);
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(0)), 0);
	fault_name("lock", -EIO);
	assert_int_equal(utmp_lock(fd, in_ms(0), in_ms(0)), -EIO);
	fault_clear();
	close(fd);
}

static void whole_records_are_read_and_no_more(void **state)
{
	struct utmp_record two[2] = { make(UTMP_BOOT_TIME, "~~", 0),
		make(UTMP_USER_PROCESS, "1", 9) },
			   out;
	struct utmp_reader reader;

	(void)state;
	assert_int_equal(utmp_reader_open(&reader, path), -ENOENT);
	fill(two, 2 * RECORD_BYTES - 1);
	assert_int_equal(utmp_reader_open(&reader, path), 0);
	assert_int_equal(utmp_reader_next(&reader, &out), 0);
	assert_memory_equal(&out, &two[0], RECORD_BYTES);
	assert_int_equal(utmp_reader_next(&reader, &out), -ENOENT);
	assert_int_equal(utmp_reader_next(&reader, &out), -ENOENT);
	reader.index = UTMP_READ_MAX;
	assert_int_equal(utmp_reader_next(&reader, &out), -ENOENT);
	utmp_reader_close(&reader);
}

static void a_write_lock_that_stays_costs_a_reader_a_bounded_time(void **state)
{
	static struct utmp_record many[1000];
	struct utmp_record out;
	struct utmp_reader reader;
	struct holder writer;
	int count = 0;

	(void)state;
	fill(many, sizeof many);
	writer = hold(F_WRLCK, 0, 0);
	assert_int_equal(utmp_reader_open(&reader, path), 0);
	fault_clear();
	while (!utmp_reader_next(&reader, &out))
		count++;
	assert_int_equal(count, 1000);
	assert_int_equal(reader.naps_left, 0);
	assert_true(fault_calls() < 10000);
	utmp_reader_close(&reader);
	let_go(writer);
}

/* Rewrites the record without end, under the lock, as getty and login do. */
static _Noreturn void rewrite(off_t at)
{
	struct flock lock = { .l_whence = SEEK_SET };
	char bytes[RECORD_BYTES];
	int fd = open(path, O_WRONLY);

	for (int i = 0;; i++) {
		memset(bytes, i & 0xff, sizeof bytes);
		lock.l_type = F_WRLCK;
		fcntl(fd, F_SETLKW, &lock);
		if (pwrite(fd, bytes, sizeof bytes, at) != RECORD_BYTES)
			_exit(1);
		lock.l_type = F_UNLCK;
		fcntl(fd, F_SETLK, &lock);
	}
}

/* The eleventh record lies across a page boundary, where the kernel's copy is not atomic. */
static void a_reader_never_sees_half_of_two_records(void **state)
{
	enum { AT = 10, TURNS = 5000 };
	struct utmp_record all[AT + 1] = { { 0 } }, out;
	struct utmp_reader reader;
	pid_t writer;
	int torn = 0, changed = 0;
	char last = 0;

	(void)state;
	fill(all, sizeof all);
	writer = fork();
	assert_true(writer >= 0);
	if (!writer)
		rewrite(AT * RECORD_BYTES);
	for (int i = 0; i < TURNS || !changed; i++) {
		const char *bytes = (const char *)&out;

		assert_int_equal(utmp_reader_open(&reader, path), 0);
		reader.index = AT;
		assert_int_equal(utmp_reader_next(&reader, &out), 0);
		utmp_reader_close(&reader);
		torn += memcmp(bytes, bytes + 1, RECORD_BYTES - 1) != 0;
		changed += bytes[0] != last;
		last = bytes[0];
	}
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(torn, 0);
}

static int all_of_it(const struct utmp_record *record)
{
	struct utmp_record found;
	off_t at;
	int fd, err = utmp_open(path, UTMP_REPLACE, &fd);

	if (err)
		return err;
	err = utmp_lock(fd, mono_now(), in_ms(50));
	if (!err)
		err = utmp_find(fd, record, &found, &at);
	if (err == -ENOENT)
		err = 0;
	if (!err)
		err = utmp_put(fd, at, record);
	sys_close(fd);
	if (err)
		return err;
	err = utmp_open(path, UTMP_APPEND, &fd);
	if (err)
		return err;
	err = utmp_append(fd, record);
	sys_close(fd);
	return err;
}

static void any_failing_call_leaves_whole_records_and_nothing_open(void **state)
{
	static const int errors[] = { -EIO, -EINTR, -EROFS, -ENOSPC };
	struct utmp_record boot = make(UTMP_BOOT_TIME, "~~", 0),
			   record = make(UTMP_INIT_PROCESS, "1", 1), now[8];

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int nth = 0, err;

		do {
			fill(&boot, RECORD_BYTES);
			fault_arm(++nth, errors[i]);
			err = all_of_it(&record);
			assert_true(!err || err == errors[i]);
			assert_int_equal(fds_open(), fds_before);
			assert_int_equal(load(now, sizeof now) % RECORD_BYTES, 0);
			assert_memory_equal(&now[0], &boot, RECORD_BYTES);
		} while (fault_fired());
		assert_int_equal(err, 0);
		assert_int_equal(load(now, sizeof now), 3 * RECORD_BYTES);
		assert_true(nth > 6);
	}
}

#ifdef __GLIBC__
/* What the C library writes for the same sequence is the judge. */
static void the_file_is_the_one_that_the_c_library_writes(void **state)
{
	static const struct {
		int type;
		const char *id;
		int pid;
	} rows[] = {
		{ BOOT_TIME, "~~", 0 },
		{ INIT_PROCESS, "1", 10 },
		{ INIT_PROCESS, "2", 11 },
		{ RUN_LVL, "~~", 20018 },
		{ LOGIN_PROCESS, "1", 10 },
		{ USER_PROCESS, "1", 10 },
		{ DEAD_PROCESS, "1", 10 },
		{ INIT_PROCESS, "1", 12 },
		{ RUN_LVL, "~~", 12851 },
		{ INIT_PROCESS, "abcd", 13 },
		{ DEAD_PROCESS, "new", 14 },
		{ BOOT_TIME, "~~", 0 },
	};
	struct utmp_record theirs[12], ours[12];
	size_t len;

	(void)state;
	fill("", 0);
	assert_int_equal(utmpname(path), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct utmp u = { .ut_type = (short)rows[i].type, .ut_pid = rows[i].pid };

		memcpy(u.ut_id, make(0, rows[i].id, 0).id, 4);
		u.ut_tv.tv_sec = 1000;
		u.ut_tv.tv_usec = 5;
		setutent();
		assert_non_null(pututline(&u));
	}
	endutent();
	len = load(theirs, sizeof theirs);
	fill("", 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct utmp_record record = make(rows[i].type, rows[i].id, rows[i].pid);

		put(&record);
	}
	assert_int_equal(load(ours, sizeof ours), len);
	assert_int_equal(len, 6 * RECORD_BYTES);
	assert_memory_equal(ours, theirs, len);
}
#endif

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(only_a_regular_file_is_opened),
		CASE(errors_that_may_pass_do_not_mean_absent),
		CASE(truncate_creates_or_empties),
		CASE(a_slot_is_found_as_getutid_finds_it),
		CASE(slots_are_found_behind_the_first_chunk),
		CASE(a_sparse_giant_is_searched_up_to_the_bound),
		CASE(a_partial_record_at_the_end_is_written_over_in_utmp),
		CASE(appending_fills_up_a_partial_record),
		CASE(a_full_disk_leaves_no_partial_record),
		CASE(a_readers_lock_is_told_from_a_writers),
		CASE(a_reader_in_front_does_not_hide_a_writer),
		CASE(a_file_system_without_locks_is_written_without),
		CASE(whole_records_are_read_and_no_more),
		CASE(a_write_lock_that_stays_costs_a_reader_a_bounded_time),
		CASE(a_reader_never_sees_half_of_two_records),
		CASE(any_failing_call_leaves_whole_records_and_nothing_open),
#ifdef __GLIBC__
		CASE(the_file_is_the_one_that_the_c_library_writes),
#endif
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
