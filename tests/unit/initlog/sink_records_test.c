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
#include <sys/utsname.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/sink.h"
#include "initlog/sink_records.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

enum { RECORD_BYTES = sizeof(struct utmp_record), MAX = 64, T0 = 1700000000 };

static char dir[64], utmp[96], wtmp[96], runlevel[96];
static struct initlog log_;
static void *state_of[SINK_COUNT];
static const struct sink_ops *const ops_of[SINK_COUNT] = {
	[SINK_RECORDS] = &sink_records_ops,
	[SINK_WTMP] = &sink_wtmp_ops,
};
static int64_t now_s;
static int deadline_ms;
static int fds_before;

/* --- the rig: a queue, two sinks, three files in a directory --- */

static void make_file(const char *path, const void *data, size_t len_bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(!len_bytes || fwrite(data, len_bytes, 1, f) == 1);
	assert_int_equal(fclose(f), 0);
}

static size_t load(const char *path, void *data, size_t size_bytes)
{
	FILE *f = fopen(path, "r");
	size_t got;

	assert_non_null(f);
	got = fread(data, 1, size_bytes, f);
	fclose(f);
	return got;
}

static size_t records_in(const char *path, struct utmp_record *out)
{
	size_t got = load(path, out, MAX * RECORD_BYTES);

	assert_int_equal(got % RECORD_BYTES, 0);
	return got / RECORD_BYTES;
}

static void helpers_start_anew(void)
{
	state_of[SINK_RECORDS] = sink_records_ops.open(&log_.config, log_.queue);
	state_of[SINK_WTMP] = sink_wtmp_ops.open(&log_.config, log_.queue);
}

static int set_up(void **state)
{
	(void)state;
	fault_clear();
	fds_before = fds_open();
	snprintf(dir, sizeof dir, "/tmp/sink_records_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(utmp, sizeof utmp, "%s/utmp", dir);
	snprintf(wtmp, sizeof wtmp, "%s/wtmp", dir);
	snprintf(runlevel, sizeof runlevel, "%s/runlevel", dir);
	make_file(utmp, "", 0);
	make_file(wtmp, "", 0);
	log_ = (struct initlog){ .config = { .utmp = utmp, .wtmp = wtmp, .runlevel = runlevel } };
	assert_int_equal(queue_create(&log_.queue), 0);
	helpers_start_anew();
	now_s = T0;
	deadline_ms = sink_records_ops.deadline_ms;
	fake_clock_set(-1, now_s * 1000000000 + 42000);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { utmp, wtmp, runlevel };

	(void)state;
	fault_clear();
	fake_clock_set(-1, -1);
	queue_free(log_.queue);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unlink(names[i]))
			rmdir(names[i]);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(fds_open(), fds_before);
	return 0;
}

/* Every event has a second of its own. */
static void tick(void)
{
	now_s++;
	fake_clock_set(-1, now_s * 1000000000 + 42000);
}

static void boot(void)
{
	tick();
	record_boot(&log_);
}

static void level(char to, char from)
{
	tick();
	record_level(&log_, to, from);
}

static void start(const char *id, pid_t pid)
{
	char field[4];

	tick();
	utmp_set_text(field, sizeof field, id);
	record_start(&log_, field, pid);
}

static void end(const char *id, pid_t pid)
{
	char field[4];

	tick();
	utmp_set_text(field, sizeof field, id);
	record_end(&log_, field, pid);
}

static int deliver_one(enum sink sink, const struct record *record)
{
	return ops_of[sink]->deliver(
		state_of[sink], record, mono_after_ms(mono_now(), deadline_ms));
}

/* What the helper does, up to the first error. */
static int run(enum sink sink)
{
	struct record record;

	while (!queue_take(log_.queue, sink, &record)) {
		int err = deliver_one(sink, &record);

		if (err)
			return err;
		queue_done(log_.queue, sink, &record);
	}
	return 0;
}

static void run_both(void)
{
	assert_int_equal(run(SINK_RECORDS), 0);
	assert_int_equal(run(SINK_WTMP), 0);
}

/* --- what is expected --- */

static struct utmp_record wanted(int type, const char *id, int32_t pid, int64_t s)
{
	struct utmp_record record = {
		.type = (int16_t)type, .pid = pid, .s = (utmp_long)s, .us = 42
	};

	utmp_set_text(record.id, sizeof record.id, id);
	return record;
}

static struct utmp_record wanted_boot(int64_t s)
{
	struct utmp_record record = wanted(UTMP_BOOT_TIME, "~~", 0, s);

	strcpy(record.user, "reboot");
	strcpy(record.line, "~");
	return record;
}

static struct utmp_record wanted_level(char to, char from, int64_t s)
{
	struct utmp_record record = wanted(UTMP_RUN_LVL, "~~", to + 256 * from, s);

	strcpy(record.user, "runlevel");
	strcpy(record.line, "~");
	return record;
}

static struct utmp_record in_wtmp(struct utmp_record record)
{
	struct utsname kernel;

	assert_int_equal(uname(&kernel), 0);
	utmp_set_text(record.host, sizeof record.host, kernel.release);
	return record;
}

static void expect(const char *path, const struct utmp_record *records, size_t count)
{
	static struct utmp_record found[MAX];

	assert_int_equal(records_in(path, found), count);
	for (size_t i = 0; i < count; i++) {
		struct utmp_record one = path == wtmp ? in_wtmp(records[i]) : records[i];

		assert_int_equal(found[i].type, one.type);
		assert_int_equal(found[i].pid, one.pid);
		assert_int_equal(found[i].s, one.s);
		assert_memory_equal(&found[i], &one, RECORD_BYTES);
	}
}

#define EXPECT(path, ...)                                                                          \
	do {                                                                                       \
		const struct utmp_record list_[] = { __VA_ARGS__ };                                \
		expect(path, list_, sizeof list_ / sizeof list_[0]);                               \
	} while (0)

static void expect_runlevel(const char *text)
{
	char found[16] = { 0 };

	assert_int_equal(load(runlevel, found, sizeof found), strlen(text));
	assert_string_equal(found, text);
}

/* --- other processes --- */

static pid_t dead_pid(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static pid_t holder_pid;
static int holder_gate;

/* Lets go when its gate is closed. */
static void hold(const char *path, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
	int ready[2], gate[2];
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(gate, O_CLOEXEC), 0);
	holder_pid = fork();
	assert_true(holder_pid >= 0);
	if (!holder_pid) {
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
	holder_gate = gate[1];
}

static void let_go(void)
{
	int status;

	close(holder_gate);
	assert_int_equal(waitpid(holder_pid, &status, 0), holder_pid);
	assert_int_equal(status, 0);
}

/* --- the table of records --- */

static void each_event_gives_the_record_of_the_table(void **state)
{
	pid_t dead = dead_pid();

	(void)state;
	start("si", 1000);
	end("si", 1000);
	boot();
	level('2', 'N');
	start("1", 1001);
	start("abcd", 1002);
	end("1", 1001);
	start("1", dead);
	level('3', '2');
	run_both();
	EXPECT(utmp, wanted(UTMP_DEAD_PROCESS, "si", 1000, T0 + 2), wanted_boot(T0 + 3),
		wanted_level('3', '2', T0 + 9), wanted(UTMP_INIT_PROCESS, "1", dead, T0 + 8),
		wanted(UTMP_INIT_PROCESS, "abcd", 1002, T0 + 6));
	EXPECT(wtmp, wanted(UTMP_INIT_PROCESS, "si", 1000, T0 + 1),
		wanted(UTMP_DEAD_PROCESS, "si", 1000, T0 + 2), wanted_boot(T0 + 3),
		wanted_level('2', 'N', T0 + 4), wanted(UTMP_INIT_PROCESS, "1", 1001, T0 + 5),
		wanted(UTMP_INIT_PROCESS, "abcd", 1002, T0 + 6),
		wanted(UTMP_DEAD_PROCESS, "1", 1001, T0 + 7),
		wanted(UTMP_INIT_PROCESS, "1", dead, T0 + 8), wanted_level('3', '2', T0 + 9));
	expect_runlevel("3");
}

static void levels_have_the_numbers_that_others_read(void **state)
{
	static struct utmp_record found[MAX];

	(void)state;
	level('2', 'N');
	run_both();
	assert_int_equal(records_in(utmp, found), 1);
	assert_int_equal(found[0].pid, 20018);
	level('3', '2');
	run_both();
	records_in(utmp, found);
	assert_int_equal(found[0].pid, 12851);
}

static void an_end_keeps_the_line(void **state)
{
	struct utmp_record login = wanted(UTMP_USER_PROCESS, "1", dead_pid(), T0), dead;

	(void)state;
	strcpy(login.line, "tty1");
	strcpy(login.user, "root");
	strcpy(login.host, "somewhere");
	make_file(utmp, &login, RECORD_BYTES);
	tick();
	record_end(&log_, "1\0\0", login.pid);
	run_both();
	dead = wanted(UTMP_DEAD_PROCESS, "1", login.pid, T0 + 1);
	strcpy(dead.line, "tty1");
	EXPECT(utmp, dead);
	EXPECT(wtmp, dead);
}

/* utmp has what login left there, then init says that the process has ended. The record that is
 * expected. */
static struct utmp_record a_session_ends(const char *line)
{
	pid_t pid = dead_pid();
	struct utmp_record login = wanted(UTMP_USER_PROCESS, "1", pid, T0), dead;

	utmp_set_text(login.line, sizeof login.line, line);
	make_file(utmp, &login, RECORD_BYTES);
	end("1", pid);
	dead = wanted(UTMP_DEAD_PROCESS, "1", pid, now_s);
	memcpy(dead.line, login.line, sizeof dead.line);
	return dead;
}

static void the_line_reaches_wtmp_whichever_sink_is_ahead(void **state)
{
	static const char longest[] = "pts/a-line-of-thirty-two-bytes..";
	struct utmp_record dead;

	(void)state;
	assert_int_equal(strlen(longest), 32);
	for (int i = 0; i < 4; i++) {
		pid_t next;

		make_file(wtmp, "", 0);
		dead = a_session_ends(i & 1 ? "tty1" : longest);
		if (i >= 2)
			assert_int_equal(run(SINK_WTMP), 0);
		assert_int_equal(run(SINK_RECORDS), 0);
		next = dead_pid();
		start("1", next);
		assert_int_equal(run(SINK_RECORDS), 0);
		helpers_start_anew();
		assert_int_equal(run(SINK_WTMP), 0);
		EXPECT(wtmp, dead, wanted(UTMP_INIT_PROCESS, "1", next, now_s));
	}
}

static void leave_out(const char *path, int type)
{
	static struct utmp_record found[MAX];
	size_t count = records_in(path, found), kept = 0;

	for (size_t i = 0; i < count; i++)
		if (found[i].type != type)
			found[kept++] = found[i];
	make_file(path, found, kept * RECORD_BYTES);
}

static void lines_wait_for_a_wtmp_that_is_behind(void **state)
{
	enum { KEPT = 19, ENDS = 25 };
	struct utmp_record dead[ENDS];

	(void)state;
	for (int i = 0; i < ENDS; i++) {
		dead[i] = a_session_ends("tty1");
		assert_int_equal(run(SINK_RECORDS), 0);
		start("2", dead[i].pid); /* takes no room among the lines */
		assert_int_equal(run(SINK_RECORDS), 0);
	}
	make_file(utmp, "", 0);
	assert_int_equal(run(SINK_WTMP), 0);
	leave_out(wtmp, UTMP_INIT_PROCESS);
	for (int i = 0; i < ENDS - KEPT; i++)
		memset(dead[i].line, 0, sizeof dead[i].line);
	expect(wtmp, dead, ENDS);
}

static void a_start_has_no_line(void **state)
{
	struct utmp_record theirs = wanted(UTMP_LOGIN_PROCESS, "1", getpid(), T0);

	(void)state;
	strcpy(theirs.line, "tty1");
	make_file(utmp, &theirs, RECORD_BYTES);
	start("1", getpid());
	run_both();
	EXPECT(wtmp, wanted(UTMP_INIT_PROCESS, "1", getpid(), now_s));

	a_session_ends("tty1");
	start("1", getpid());
	run_both();
	EXPECT(utmp, wanted(UTMP_INIT_PROCESS, "1", getpid(), now_s));
}

static void an_end_does_not_take_the_line_of_a_living_process(void **state)
{
	struct utmp_record theirs = wanted(UTMP_USER_PROCESS, "1", getpid(), T0);
	pid_t dead = dead_pid();

	(void)state;
	strcpy(theirs.line, "tty1");
	make_file(utmp, &theirs, RECORD_BYTES);
	for (int i = 0; i < 2; i++) {
		make_file(wtmp, "", 0);
		end("1", dead);
		assert_int_equal(run(i ? SINK_WTMP : SINK_RECORDS), 0);
		assert_int_equal(run(i ? SINK_RECORDS : SINK_WTMP), 0);
		EXPECT(utmp, theirs);
		EXPECT(wtmp, wanted(UTMP_DEAD_PROCESS, "1", dead, now_s));
	}
}

/* --- what a late record may do --- */

static void a_late_start_leaves_getty_and_login_alone(void **state)
{
	static const int types[] = { UTMP_LOGIN_PROCESS, UTMP_USER_PROCESS };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct utmp_record theirs = wanted(types[i], "1", getpid(), T0);

		strcpy(theirs.line, "tty1");
		make_file(utmp, &theirs, RECORD_BYTES);
		start("1", getpid());
		assert_int_equal(run(SINK_RECORDS), 0);
		EXPECT(utmp, theirs);
	}
}

static void a_start_takes_the_slot_of_another_process_unless_it_is_gone_itself(void **state)
{
	struct utmp_record theirs = wanted(UTMP_USER_PROCESS, "1", getppid(), T0);

	(void)state;
	make_file(utmp, &theirs, RECORD_BYTES);
	start("1", dead_pid());
	assert_int_equal(run(SINK_RECORDS), 0);
	EXPECT(utmp, theirs);

	start("1", getpid());
	assert_int_equal(run(SINK_RECORDS), 0);
	EXPECT(utmp, wanted(UTMP_INIT_PROCESS, "1", getpid(), now_s));
}

static void an_end_takes_no_slot_of_a_living_process(void **state)
{
	static const int types[] = { UTMP_INIT_PROCESS, UTMP_LOGIN_PROCESS, UTMP_USER_PROCESS };
	struct utmp_record theirs;
	pid_t dead = dead_pid(), other = dead_pid();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		theirs = wanted(types[i], "1", getpid(), T0);
		make_file(utmp, &theirs, RECORD_BYTES);
		end("1", dead);
		assert_int_equal(run(SINK_RECORDS), 0);
		EXPECT(utmp, theirs);
	}
	/* Its own slot, one of a dead process, and one that was given up are taken. Pids that
	 * would address groups or everybody are nobody's. */
	const struct utmp_record taken[] = {
		wanted(UTMP_USER_PROCESS, "1", dead, T0),
		wanted(UTMP_USER_PROCESS, "1", other, T0),
		wanted(UTMP_DEAD_PROCESS, "1", getpid(), T0),
		wanted(UTMP_USER_PROCESS, "1", 0, T0),
		wanted(UTMP_USER_PROCESS, "1", -1, T0),
	};
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		make_file(utmp, &taken[i], RECORD_BYTES);
		end("1", dead);
		assert_int_equal(run(SINK_RECORDS), 0);
		EXPECT(utmp, wanted(UTMP_DEAD_PROCESS, "1", dead, now_s));
	}
}

/* --- truncating, emptied, absent --- */

static void utmp_is_emptied_or_created(void **state)
{
	struct utmp_record old = wanted_boot(T0 - 1000), found[1];
	mode_t mask = umask(022);
	struct stat st;

	(void)state;
	make_file(utmp, &old, RECORD_BYTES);
	record_truncate_utmp(&log_);
	run_both();
	assert_int_equal(load(utmp, found, sizeof found), 0);
	unlink(utmp);
	record_truncate_utmp(&log_);
	run_both();
	assert_int_equal(stat(utmp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	umask(mask);

	/* Only then: later it might take what others wrote. */
	make_file(utmp, &old, RECORD_BYTES);
	record_truncate_utmp(&log_);
	fault_name("open", -EROFS);
	assert_int_equal(run(SINK_RECORDS), 0);
	fault_clear();
	assert_int_equal(load(utmp, found, sizeof found), RECORD_BYTES);

	record_truncate_utmp(&log_);
	fake_clock_set(mono_now().ns + 11 * (int64_t)1000000000, now_s * 1000000000);
	assert_int_equal(run(SINK_RECORDS), 0);
	assert_int_equal(load(utmp, found, sizeof found), RECORD_BYTES);
}

static void a_level_that_finds_no_boot_in_utmp_writes_it_again(void **state)
{
	(void)state;
	boot();
	level('S', 'N');
	run_both();
	EXPECT(utmp, wanted_boot(T0 + 1), wanted_level('S', 'N', T0 + 2));

	make_file(utmp, "", 0); /* as Debian's bootmisc.sh does */
	level('2', 'S');
	run_both();
	EXPECT(utmp, wanted_boot(T0 + 1), wanted_level('2', 'S', T0 + 3));
	EXPECT(wtmp, wanted_boot(T0 + 1), wanted_level('S', 'N', T0 + 2),
		wanted_level('2', 'S', T0 + 3));

	/* Also when a process ended since. */
	make_file(utmp, "", 0);
	end("bw", 1001);
	level('3', '2');
	run_both();
	EXPECT(utmp, wanted(UTMP_DEAD_PROCESS, "bw", 1001, T0 + 4), wanted_boot(T0 + 1),
		wanted_level('3', '2', T0 + 5));

	make_file(utmp, "", 0);
	level('1', '3'); /* not a level among 2-5 */
	run_both();
	EXPECT(utmp, wanted_level('1', '3', T0 + 6));
}

static void an_absent_file_is_not_made_and_gets_boot_and_level_when_it_comes(void **state)
{
	(void)state;
	unlink(utmp);
	unlink(wtmp);
	start("si", 1000);
	boot();
	level('2', 'N');
	start("1", 1001);
	run_both();
	assert_int_not_equal(access(utmp, F_OK), 0);
	assert_int_not_equal(access(wtmp, F_OK), 0);
	expect_runlevel("2");

	make_file(utmp, "", 0);
	start("2", 1002);
	run_both();
	EXPECT(utmp, wanted_boot(T0 + 2), wanted_level('2', 'N', T0 + 3),
		wanted(UTMP_INIT_PROCESS, "2", 1002, now_s));

	make_file(wtmp, "", 0);
	helpers_start_anew(); /* the queue remembers, not the process */
	end("2", 1002);
	end("1", 1001);
	run_both();
	EXPECT(wtmp, wanted_boot(T0 + 2), wanted_level('2', 'N', T0 + 3),
		wanted(UTMP_DEAD_PROCESS, "2", 1002, now_s - 1),
		wanted(UTMP_DEAD_PROCESS, "1", 1001, now_s));
}

static void what_is_no_file_counts_as_absent(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		unlink(utmp);
		unlink(wtmp);
		if (kind == 0)
			assert_int_equal(mkfifo(utmp, 0600) | mkfifo(wtmp, 0600), 0);
		else if (kind == 1)
			assert_int_equal(mkdir(utmp, 0700) | mkdir(wtmp, 0700), 0);
		else
			assert_int_equal(symlink("/dev/full", utmp) | symlink(runlevel, wtmp), 0);
		record_truncate_utmp(&log_);
		boot();
		level('2', 'N');
		start("1", 1001);
		end("1", 1001);
		run_both();
		rmdir(utmp);
		rmdir(wtmp);
	}
	expect_runlevel("2");
}

static void a_sparse_giant_does_not_hang_the_helper(void **state)
{
	(void)state;
	assert_int_equal(truncate(utmp, (off_t)10 << 30), 0);
	fault_clear();
	boot();
	start("1", 1001);
	assert_int_equal(run(SINK_RECORDS), 0);
	assert_true(fault_calls() < 10000);
	assert_false(record_flags(log_.queue).boot_in_utmp);
}

static void odd_ends_of_the_files_are_dealt_with(void **state)
{
	struct utmp_record old[2] = { wanted(UTMP_USER_PROCESS, "9", 5, 1),
		wanted(UTMP_USER_PROCESS, "8", 6, 1) };
	static struct utmp_record found[MAX];
	struct utmp_record last = in_wtmp(wanted(UTMP_INIT_PROCESS, "1", 1001, T0 + 1));

	(void)state;
	make_file(utmp, old, RECORD_BYTES + 17);
	make_file(wtmp, old, RECORD_BYTES + 17);
	start("1", 1001);
	run_both();
	EXPECT(utmp, old[0], wanted(UTMP_INIT_PROCESS, "1", 1001, T0 + 1));
	assert_int_equal(records_in(wtmp, found), 3);
	assert_memory_equal(found, old, RECORD_BYTES + 17);
	assert_memory_equal(&found[2], &last, RECORD_BYTES);
}

/* --- what may pass --- */

static void a_read_only_file_system_gets_all_of_it_later(void **state)
{
	static const int errors[] = { -EROFS, -ENOSPC, -EIO, -EDQUOT };

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int64_t t = now_s;

		make_file(utmp, "", 0);
		make_file(wtmp, "", 0);
		start("1", 1001);
		boot();
		level('2', 'N');
		end("1", 1001);
		fault_name("open", errors[i]);
		assert_int_equal(run(SINK_RECORDS), errors[i]);
		assert_int_equal(run(SINK_WTMP), errors[i]);
		fault_clear();
		helpers_start_anew();
		run_both();
		EXPECT(utmp, wanted(UTMP_DEAD_PROCESS, "1", 1001, t + 4), wanted_boot(t + 2),
			wanted_level('2', 'N', t + 3));
		EXPECT(wtmp, wanted(UTMP_INIT_PROCESS, "1", 1001, t + 1), wanted_boot(t + 2),
			wanted_level('2', 'N', t + 3), wanted(UTMP_DEAD_PROCESS, "1", 1001, t + 4));
	}
}

static void a_wtmp_that_cannot_be_written_does_not_hold_utmp_up(void **state)
{
	struct record_flags flags;

	(void)state;
	boot();
	level('2', 'N');
	fault_name("open", -EROFS);
	assert_int_equal(run(SINK_WTMP), -EROFS);
	fault_clear();
	assert_int_equal(run(SINK_RECORDS), 0);
	EXPECT(utmp, wanted_boot(T0 + 1), wanted_level('2', 'N', T0 + 2));
	flags = record_flags(log_.queue);
	assert_true(flags.boot_in_utmp && flags.level_in_utmp && !flags.boot_in_wtmp &&
		    !flags.level_in_wtmp);
	assert_int_equal(queue_status(log_.queue, SINK_WTMP).pending, 2);
	assert_int_equal(run(SINK_WTMP), 0);
	flags = record_flags(log_.queue);
	assert_true(flags.boot_in_wtmp && flags.level_in_wtmp);
}

static void a_queue_that_laps_costs_neither_boot_nor_level(void **state)
{
	(void)state;
	boot();
	level('2', 'N');
	level('3', '2');
	for (int i = 0; i < QUEUE_SLOTS; i++)
		initlog(&log_, LOG_TO_CONSOLE, "line %d", i);
	start("1", 1001);
	run_both();
	EXPECT(utmp, wanted_boot(T0 + 1), wanted_level('3', '2', now_s),
		wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));
	EXPECT(wtmp, wanted_boot(T0 + 1), wanted_level('3', '2', now_s),
		wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));
	expect_runlevel("3");
	assert_int_equal(queue_status(log_.queue, SINK_WTMP).lost, 3);
}

static void what_a_former_init_wrote_is_not_written_again(void **state)
{
	struct record_flags out = { true, true, true, true };

	(void)state;
	record_resume(&log_, '2', 'N', &out);
	start("1", 1001);
	run_both();
	EXPECT(utmp, wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));
	EXPECT(wtmp, wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));

	/* And nobody knows its time of boot. */
	make_file(utmp, "", 0);
	level('3', '2');
	run_both();
	EXPECT(utmp, wanted_level('3', '2', now_s));
}

static void what_a_former_init_could_not_write_is_written(void **state)
{
	(void)state;
	record_resume(&log_, '2', 'N',
		&(struct record_flags){ .boot_in_wtmp = true, .level_in_utmp = true });
	start("1", 1001);
	run_both();
	EXPECT(utmp, wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));
	EXPECT(wtmp, wanted_level('2', 'N', now_s), wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));
}

/* --- /var/run/runlevel --- */

static void the_runlevel_file_has_one_character(void **state)
{
	mode_t mask = umask(022);
	struct stat st;

	(void)state;
	level('2', 'N');
	run_both();
	expect_runlevel("2");
	assert_int_equal(stat(runlevel, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	umask(mask);
	make_file(runlevel, "something\n", 10);
	level('3', '2');
	run_both();
	expect_runlevel("3");

	unlink(runlevel);
	level('3', '3');
	run_both();
	expect_runlevel("3");

	/* Written once a change. */
	make_file(runlevel, "x", 1);
	start("1", 1001);
	run_both();
	expect_runlevel("x");
	record_show_level(&log_, '3');          /* asked for, it is */
	run_both();
	expect_runlevel("3");
}

static void a_runlevel_file_that_fails_stops_nothing_and_is_written_later(void **state)
{
	char text[16];

	(void)state;
	make_file(wtmp, "precious", 8);
	assert_int_equal(symlink(wtmp, runlevel), 0);
	level('2', 'N');
	assert_int_equal(run(SINK_RECORDS), 0);
	assert_int_equal(load(runlevel, text, sizeof text), 8);
	assert_memory_equal(text, "precious", 8);
	unlink(runlevel);
	assert_int_equal(mkfifo(runlevel, 0600), 0);
	level('3', '2');
	run_both();
	unlink(runlevel);
	start("1", 1001);
	run_both();
	expect_runlevel("3");
	EXPECT(utmp, wanted_level('3', '2', now_s - 1),
		wanted(UTMP_INIT_PROCESS, "1", 1001, now_s));

	/* Nor does a utmp that cannot be written keep it old. */
	unlink(utmp);
	level('4', '3');
	run_both();
	expect_runlevel("4");
}

static void the_runlevel_file_does_not_wait_for_a_locked_utmp(void **state)
{
	(void)state;
	start("1", 1001);
	level('2', 'N');
	hold(utmp, F_WRLCK);
	deadline_ms = 50;
	assert_int_equal(run(SINK_RECORDS), -EAGAIN);
	expect_runlevel("2");
	level('3', '2');
	sink_records_ops.wait(state_of[SINK_RECORDS], mono_after_ms(mono_now(), 10));
	expect_runlevel("3");
	let_go();
}

static void a_machine_without_a_clock_boots_in_1970(void **state)
{
	(void)state;
	fake_clock_set(-1, 42000);
	record_boot(&log_);
	run_both();
	EXPECT(utmp, wanted_boot(0));
	make_file(utmp, "", 0);
	level('2', 'N');
	run_both();
	EXPECT(utmp, wanted_boot(0), wanted_level('2', 'N', now_s));
}

/* --- locks --- */

static void a_readers_lock_delays_the_first_record_only(void **state)
{
	static const enum sink sinks[] = { SINK_RECORDS, SINK_WTMP };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct mono before;

		start("1", 1001);
		hold(i ? wtmp : utmp, F_RDLCK);
		before = mono_now();
		assert_int_equal(run(sinks[i]), 0);
		assert_true(mono_now().ns - before.ns >= 300 * 1000000);
		start("2", 1002);
		start("3", 1003);
		fault_clear();
		assert_int_equal(run(sinks[i]), 0);
		assert_true(fault_calls() <
			    2 * 30); /* a few tries a record; 300 ms were some 60 calls each */
		let_go();
	}
	EXPECT(utmp, wanted(UTMP_INIT_PROCESS, "1", 1001, T0 + 1),
		wanted(UTMP_INIT_PROCESS, "2", 1002, T0 + 2),
		wanted(UTMP_INIT_PROCESS, "3", 1003, T0 + 3));
}

static void a_writers_lock_is_waited_out(void **state)
{
	static const enum sink sinks[] = { SINK_RECORDS, SINK_WTMP };
	static struct utmp_record found[MAX];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *path = i ? wtmp : utmp;

		start("1", 1001);
		hold(path, F_WRLCK);
		deadline_ms = 50;
		assert_int_equal(run(sinks[i]), -EAGAIN);
		assert_int_equal(records_in(path, found), 0);
		let_go();
		assert_int_equal(run(sinks[i]), 0);
		assert_true(records_in(path, found) > 0);
	}
}

static void the_wait_for_a_writer_ends_with_its_lock(void **state)
{
	struct mono begin;
	int ready[2];
	char c;
	pid_t closer;

	(void)state;
	start("1", 1001);
	hold(utmp, F_WRLCK);
	deadline_ms = 50;
	assert_int_equal(run(SINK_RECORDS), -EAGAIN);
	assert_int_equal(pipe(ready), 0);
	closer = fork();
	if (!closer) {
		close(ready[1]);
		_exit(read(ready[0], &c, 1) != 1 || kill(holder_pid, SIGKILL));
	}
	begin = mono_now();
	assert_int_equal(write(ready[1], "x", 1), 1);
	ops_of[SINK_RECORDS]->wait(state_of[SINK_RECORDS], mono_after_s(begin, 40));
	assert_true(mono_now().ns - begin.ns < 20 * (int64_t)1000000000);
	assert_int_equal(run(SINK_RECORDS), 0);
	waitpid(closer, NULL, 0);
	waitpid(holder_pid, NULL, 0);
	close(holder_gate);
	close(ready[0]);
	close(ready[1]);
}

static void the_wait_without_a_lock_lasts_its_time(void **state)
{
	struct mono begin = mono_now();

	(void)state;
	ops_of[SINK_WTMP]->wait(state_of[SINK_WTMP], mono_after_ms(begin, 50));
	assert_true(mono_now().ns - begin.ns >= 50 * 1000000);
}

/* --- strangers --- */

static void what_is_no_event_is_dropped(void **state)
{
	struct record_event event = {
		.version = RECORD_EVENT_VERSION, .kind = RECORD_START, .pid = 7
	};
	struct record record = { .len_bytes = sizeof event };
	static struct utmp_record found[MAX];
	unsigned seed = 1;

	(void)state;
	for (size_t len = 0; len <= QUEUE_TEXT_MAX; len++) {
		if (len == sizeof event)
			continue;
		record.len_bytes = len;
		memcpy(record.text, &event, sizeof event);
		assert_int_equal(deliver_one(SINK_RECORDS, &record), 0);
	}
	record.len_bytes = sizeof event;
	event.version++;
	memcpy(record.text, &event, sizeof event);
	assert_int_equal(deliver_one(SINK_RECORDS, &record), 0);
	event.version--;
	for (int kind = RECORD_KINDS; kind < 256; kind++) {
		event.kind = (uint8_t)kind;
		memcpy(record.text, &event, sizeof event);
		assert_int_equal(deliver_one(SINK_RECORDS, &record), 0);
		assert_int_equal(deliver_one(SINK_WTMP, &record), 0);
	}
	assert_int_equal(records_in(utmp, found), 0);
	assert_int_equal(records_in(wtmp, found), 0);

	for (int i = 0; i < 3000; i++) {
		for (size_t at = 0; at < sizeof event; at++)
			record.text[at] = (char)(rand_r(&seed) >> 7);
		record.text[0] = RECORD_EVENT_VERSION;
		record.text[1] = (char)(rand_r(&seed) % RECORD_KINDS);
		(void)deliver_one(SINK_RECORDS, &record);
	}
	assert_int_equal(load(utmp, found, sizeof found) % RECORD_BYTES, 0);
}

/* --- any call may fail --- */

static int run_with_retries(enum sink sink)
{
	int err = -1;

	for (int tries = 0; err && tries < 4; tries++)
		err = run(sink);
	return err;
}

static void any_failing_call_is_made_up_for(void **state)
{
	static const int errors[] = { -EIO, -EROFS, -EINTR, -ENOSPC, -EMFILE };
	enum { COUNT = 5 };

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int nth = 0;
		bool fired;

		do {
			int64_t t = now_s;

			make_file(utmp, "", 0);
			make_file(wtmp, "", 0);
			start("1", 1001);
			boot();
			level('2', 'N');
			start("2", getpid());
			end("1", 1001);
			fault_arm(++nth, errors[i]);
			assert_int_equal(run_with_retries(SINK_RECORDS), 0);
			assert_int_equal(run_with_retries(SINK_WTMP), 0);
			fired = fault_fired();
			assert_int_equal(fds_open(), fds_before + 1); /* the queue's */
			EXPECT(utmp, wanted(UTMP_DEAD_PROCESS, "1", 1001, t + 5),
				wanted_boot(t + 2), wanted_level('2', 'N', t + 3),
				wanted(UTMP_INIT_PROCESS, "2", getpid(), t + 4));
			EXPECT(wtmp, wanted(UTMP_INIT_PROCESS, "1", 1001, t + 1),
				wanted_boot(t + 2), wanted_level('2', 'N', t + 3),
				wanted(UTMP_INIT_PROCESS, "2", getpid(), t + 4),
				wanted(UTMP_DEAD_PROCESS, "1", 1001, t + 5));
		} while (fired);
		assert_true(nth > 10 * COUNT);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(each_event_gives_the_record_of_the_table),
		CASE(levels_have_the_numbers_that_others_read),
		CASE(an_end_keeps_the_line),
		CASE(the_line_reaches_wtmp_whichever_sink_is_ahead),
		CASE(lines_wait_for_a_wtmp_that_is_behind),
		CASE(a_start_has_no_line),
		CASE(an_end_does_not_take_the_line_of_a_living_process),
		CASE(a_late_start_leaves_getty_and_login_alone),
		CASE(a_start_takes_the_slot_of_another_process_unless_it_is_gone_itself),
		CASE(an_end_takes_no_slot_of_a_living_process),
		CASE(utmp_is_emptied_or_created),
		CASE(a_level_that_finds_no_boot_in_utmp_writes_it_again),
		CASE(an_absent_file_is_not_made_and_gets_boot_and_level_when_it_comes),
		CASE(what_is_no_file_counts_as_absent),
		CASE(a_sparse_giant_does_not_hang_the_helper),
		CASE(odd_ends_of_the_files_are_dealt_with),
		CASE(a_read_only_file_system_gets_all_of_it_later),
		CASE(a_wtmp_that_cannot_be_written_does_not_hold_utmp_up),
		CASE(a_queue_that_laps_costs_neither_boot_nor_level),
		CASE(what_a_former_init_wrote_is_not_written_again),
		CASE(what_a_former_init_could_not_write_is_written),
		CASE(the_runlevel_file_has_one_character),
		CASE(a_runlevel_file_that_fails_stops_nothing_and_is_written_later),
		CASE(the_runlevel_file_does_not_wait_for_a_locked_utmp),
		CASE(a_machine_without_a_clock_boots_in_1970),
		CASE(a_readers_lock_delays_the_first_record_only),
		CASE(a_writers_lock_is_waited_out),
		CASE(the_wait_for_a_writer_ends_with_its_lock),
		CASE(the_wait_without_a_lock_lasts_its_time),
		CASE(what_is_no_event_is_dropped),
		CASE(any_failing_call_is_made_up_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
