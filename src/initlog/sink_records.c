/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initlog/sink_records.h"

#include <errno.h>
#include <string.h>

#include "initlog/sink.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

enum {
	DEADLINE_MS = 2000,
	READERS_MS = 300,               /* a child waits half a second for its record */
	READERS_AGAIN_MS = 20,
	READERS_REMEMBERED_S = 60,
	LOCK_LOOK_MS = 500,
	TRUNCATE_WITHIN_S = 10,
};

/* What each of the two sinks keeps across restarts of its helper and new images of pid 1. */
enum word {
	WORD_BOOT,
	WORD_BOOT_WHEN,
	WORD_LEVEL,
	WORD_LEVEL_WHEN,
	WORD_LEVELS,
	WORD_LEVEL_SAID,        /* pid 1's */
	WORD_LEVEL_SHOWN,       /* in /var/run/runlevel */
	WORD_LINES_KEPT,
	WORD_LINES,
};
enum progress { NEVER_ASKED, DUE, OUT };
#define KNOWN (UINT64_C(1) << 63)       /* in a word that holds a time */

enum {
	LINE_BYTES = sizeof ((struct utmp_record *)0)->line,
	LINE_WORDS = 1 + LINE_BYTES / 8,        /* what it belongs to, and it */
	LINES = (QUEUE_SINK_WORDS - WORD_LINES) / LINE_WORDS,
};

/* An event on its way into the files. */
struct item {
	struct record_event event;
	uint64_t seq;
	struct wall when;
};

struct file_sink {
	struct queue *queue;
	enum sink sink;
	enum utmp_use use;
	const char *path;
	const char *utmp;
	const char *runlevel;                   /* NULL: not this sink's */
	char host[sizeof ((struct utsname *)0)->release];
	struct mono readers_until;              /* until then a read lock is known to stay */
	bool is_write_locked;                   /* was, at the last delivery */
	int (*write)(const struct file_sink *file, int fd, uint64_t seq,
		struct utmp_record *record);
};

/* --- words --- */

static uint64_t word(const struct file_sink *file, enum word which)
{
	return queue_word(file->queue, file->sink, which);
}

static void set_word(const struct file_sink *file, enum word which, uint64_t value)
{
	queue_set_word(file->queue, file->sink, which, value);
}

static uint64_t pack_wall(struct wall when)
{
	return KNOWN | (uint64_t)when.s << 20 | (uint32_t)when.us;
}

static struct wall unpack_wall(uint64_t packed)
{
	return (struct wall){ (int64_t)((packed & ~KNOWN) >> 20), (int32_t)(packed & 0xfffff) };
}

static uint64_t pack_levels(char level, char previous)
{
	return (uint8_t)level | (uint64_t)(uint8_t)previous << 8;
}

static bool is_level(char c)
{
	return c && strchr("0123456789S", c);
}

/* From any event: the one that was meant to say it may have been lost. */
static void remember(const struct file_sink *file, const struct record_event *event,
	struct wall when)
{
	uint64_t levels = pack_levels(event->level, event->previous);
	struct wall booted = { event->booted_s, event->booted_us };
	bool is_new_boot = event->kind == RECORD_BOOT || word(file, WORD_BOOT) == NEVER_ASKED;
	bool is_new_level = event->kind == RECORD_LEVEL || word(file, WORD_LEVELS) != levels;

	if (event->is_booted && is_new_boot) {
		set_word(file, WORD_BOOT_WHEN, pack_wall(booted));
		set_word(file, WORD_BOOT, DUE);
	}
	if (is_level(event->level) && is_new_level) {
		set_word(file, WORD_LEVEL_WHEN, pack_wall(when));
		set_word(file, WORD_LEVELS, levels);
		set_word(file, WORD_LEVEL, DUE);
	}
}

void record_say_level(struct queue *queue, char level)
{
	queue_set_word(queue, SINK_RECORDS, WORD_LEVEL_SAID, (uint8_t)level);
}

struct record_flags record_flags(const struct queue *queue)
{
	if (!queue)
		return (struct record_flags){ 0 };
	return (struct record_flags){
		.boot_in_wtmp = queue_word(queue, SINK_WTMP, WORD_BOOT) == OUT,
		.boot_in_utmp = queue_word(queue, SINK_RECORDS, WORD_BOOT) == OUT,
		.level_in_wtmp = queue_word(queue, SINK_WTMP, WORD_LEVEL) == OUT,
		.level_in_utmp = queue_word(queue, SINK_RECORDS, WORD_LEVEL) == OUT,
	};
}

static void resume(const struct file_sink *file, uint64_t levels, bool is_boot_out,
	bool is_level_out)
{
	if (word(file, WORD_BOOT) != NEVER_ASKED || word(file, WORD_LEVEL) != NEVER_ASKED)
		return;
	set_word(file, WORD_BOOT, is_boot_out ? OUT : NEVER_ASKED);
	set_word(file, WORD_LEVELS, is_level_out ? levels : 0);
	set_word(file, WORD_LEVEL, is_level_out ? OUT : NEVER_ASKED);
}

void record_resume(struct initlog *log, char level, char previous, const struct record_flags *out)
{
	struct file_sink utmp = { .queue = log->queue, .sink = SINK_RECORDS };
	struct file_sink wtmp = { .queue = log->queue, .sink = SINK_WTMP };
	uint64_t levels = pack_levels(level, previous);

	log->level = level;
	log->previous = previous;
	if (!log->queue)
		return;
	log->is_booted = word(&wtmp, WORD_BOOT_WHEN) & KNOWN;
	log->booted = unpack_wall(word(&wtmp, WORD_BOOT_WHEN));
	record_say_level(log->queue, level);
	resume(&utmp, levels, out->boot_in_utmp, out->level_in_utmp);
	resume(&wtmp, levels, out->boot_in_wtmp, out->level_in_wtmp);
}

/* --- lines of ended processes, from the one sink to the other --- */

/* wtmp wants the line that a process had in utmp, for last(1) to see the end of a session. By
 * then its record there may have given way to the next one's, so the utmp sink leaves the lines
 * of the last ends in its words. */
union kept_line {
	char text[LINE_BYTES];
	uint64_t word[LINE_BYTES / 8];
};

static uint64_t line_mark(uint64_t seq, const union kept_line *line)
{
	return seq << 32 | num_hash(line, sizeof *line);
}

static void keep_line(const struct file_sink *file, uint64_t seq, const struct utmp_record *record)
{
	uint64_t count = word(file, WORD_LINES_KEPT);
	enum word at = WORD_LINES + (enum word)(count % LINES) * LINE_WORDS;
	union kept_line line;

	memcpy(line.text, record->line, sizeof line.text);
	set_word(file, at, line_mark(seq, &line));
	for (unsigned i = 0; i < LINE_BYTES / 8; i++)
		set_word(file, at + 1 + i, line.word[i]);
	set_word(file, WORD_LINES_KEPT, count + 1);
}

/* Half of a line, or one that has given way to a newer, does not fit its mark. */
static bool find_kept_line(const struct file_sink *file, uint64_t seq, struct utmp_record *record)
{
	union kept_line line;

	for (unsigned at = WORD_LINES; at + LINE_WORDS <= QUEUE_SINK_WORDS; at += LINE_WORDS) {
		for (unsigned i = 0; i < LINE_BYTES / 8; i++)
			line.word[i] = queue_word(file->queue, SINK_RECORDS, at + 1 + i);
		if (queue_word(file->queue, SINK_RECORDS, at) != line_mark(seq, &line))
			continue;
		memcpy(record->line, line.text, sizeof line.text);
		return true;
	}
	return false;
}

/* The utmp sink has not been here yet, or long ago: then the record must still be the process's
 * own. */
static bool find_own_line(const struct file_sink *file, struct utmp_record *record)
{
	struct utmp_record own;
	bool found;
	off_t at;
	int fd;

	if (utmp_open(file->utmp, UTMP_READ, &fd))
		return false;
	found = !utmp_find(fd, record, &own, &at) && own.pid == record->pid;
	sys_close(fd);
	if (found)
		memcpy(record->line, own.line, sizeof record->line);
	return found;
}

/* --- one record into one file --- */

static bool is_living(int32_t pid)
{
	return pid > 0 && sys_kill(pid, 0) != -ESRCH;
}

/* True if the record comes too late for the slot that it would replace. */
static bool is_overtaken(const struct utmp_record *record, const struct utmp_record *old)
{
	bool is_in_use = old->type == UTMP_LOGIN_PROCESS || old->type == UTMP_USER_PROCESS;
	bool is_others = old->type != UTMP_DEAD_PROCESS && old->pid != record->pid &&
		is_living(old->pid);

	if (record->type == UTMP_INIT_PROCESS)
		return (is_in_use && old->pid == record->pid) ||
			(is_others && !is_living(record->pid));
	return record->type == UTMP_DEAD_PROCESS && is_others;
}

static int replace(const struct file_sink *file, int fd, uint64_t seq, struct utmp_record *record)
{
	struct utmp_record old;
	off_t at;
	int err = utmp_find(fd, record, &old, &at);
	bool overtaken = !err && is_overtaken(record, &old);

	if (err && err != -ENOENT)
		return err;
	if (record->type == UTMP_DEAD_PROCESS) {
		if (!err && !overtaken)
			memcpy(record->line, old.line, sizeof record->line);
		keep_line(file, seq, record);
	}
	return overtaken ? 0 : utmp_put(fd, at, record);
}

static int append(const struct file_sink *file, int fd, uint64_t seq, struct utmp_record *record)
{
	/* Asked again at last: it may have come, and its record in utmp gone, between the first
	 * two. */
	if (record->type == UTMP_DEAD_PROCESS && !find_kept_line(file, seq, record) &&
		!find_own_line(file, record))
		(void)find_kept_line(file, seq, record);
	return utmp_append(fd, record);
}

static struct utmp_record new_record(const struct file_sink *file, enum utmp_type type,
	struct wall when)
{
	struct utmp_record record = { .type = (int16_t)type };

	record.s = (utmp_long)when.s;
	record.us = when.us;
	utmp_set_text(record.host, sizeof record.host, file->host);
	return record;
}

static int write_system(const struct file_sink *file, int fd, enum utmp_type type,
	const char *user, int32_t pid, uint64_t when)
{
	struct utmp_record record = new_record(file, type, unpack_wall(when));

	record.pid = pid;
	utmp_set_text(record.user, sizeof record.user, user);
	utmp_set_text(record.id, sizeof record.id, "~~");
	utmp_set_text(record.line, sizeof record.line, "~");
	return file->write(file, fd, 0, &record);
}

static int write_process(const struct file_sink *file, int fd, const struct item *item)
{
	const struct record_event *event = &item->event;
	enum utmp_type type = event->kind == RECORD_START ? UTMP_INIT_PROCESS : UTMP_DEAD_PROCESS;
	struct utmp_record record = new_record(file, type, item->when);

	record.pid = event->pid;
	memcpy(record.id, event->id, sizeof record.id);
	return file->write(file, fd, item->seq, &record);
}

/* Boot and level, as far as they are not out yet. */
static int write_due(const struct file_sink *file, int fd)
{
	uint64_t levels = word(file, WORD_LEVELS);
	int err;

	if (word(file, WORD_BOOT) == DUE) {
		err = write_system(file, fd, UTMP_BOOT_TIME, "reboot", 0,
			word(file, WORD_BOOT_WHEN));
		if (err)
			return err;
		set_word(file, WORD_BOOT, OUT);
	}
	if (word(file, WORD_LEVEL) == DUE) {
		err = write_system(file, fd, UTMP_RUN_LVL, "runlevel", (int32_t)(levels & 0xffff),
			word(file, WORD_LEVEL_WHEN));
		if (err)
			return err;
		set_word(file, WORD_LEVEL, OUT);
	}
	return 0;
}

static bool is_multi_user(char level)
{
	return level >= '2' && level <= '5';
}

/* Boot scripts empty utmp after the boot record went into it. */
static int notice_emptied(const struct file_sink *file, int fd, const struct record_event *event)
{
	const struct utmp_record key = { .type = UTMP_BOOT_TIME };
	struct utmp_record found;
	off_t at;
	int err;

	if (file->use != UTMP_REPLACE || event->kind != RECORD_LEVEL ||
		!is_multi_user(event->level))
		return 0;
	err = utmp_find(fd, &key, &found, &at);
	if (err != -ENOENT)
		return err;
	if (word(file, WORD_BOOT) == OUT && (word(file, WORD_BOOT_WHEN) & KNOWN))
		set_word(file, WORD_BOOT, DUE);
	return 0;
}

static int write_item(const struct file_sink *file, int fd, const struct item *item)
{
	int err = notice_emptied(file, fd, &item->event);

	if (!err)
		err = write_due(file, fd);
	if (!err && (item->event.kind == RECORD_START || item->event.kind == RECORD_END))
		err = write_process(file, fd, item);
	return err;
}

/* --- delivery --- */

/* 0: the lock is ours, or ignored. */
static int take_lock(struct file_sink *file, int fd, struct mono deadline)
{
	struct mono now = mono_now();
	bool is_known = !mono_is_due(file->readers_until, now);
	struct mono readers_until = mono_after_ms(now, is_known ? READERS_AGAIN_MS : READERS_MS);
	struct mono until = mono_after_ms(now, mono_left_ms(deadline, now) * 3 / 4);
	int err = utmp_lock(fd, readers_until, until);

	file->is_write_locked = err == -EAGAIN;
	if (err != -EBUSY)
		return err;
	if (!is_known)
		file->readers_until = mono_after_s(mono_now(), READERS_REMEMBERED_S);
	return 0;
}

static int write_out(struct file_sink *file, const struct item *item, struct mono deadline)
{
	int fd, err = utmp_open(file->path, file->use, &fd);

	if (err)
		return err;
	err = take_lock(file, fd, deadline);
	if (!err)
		err = write_item(file, fd, item);
	sys_close(fd);
	return err;
}

/* One character, and never none: written first, cut afterwards. */
static int write_runlevel(const char *path, char level)
{
	int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int err, fd = sys_open(path, flags, 0644);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && !S_ISREG(st.st_mode))
		err = -EINVAL;
	if (!err) {
		n = sys_pwrite(fd, &level, 1, 0);
		err = n == 1 ? sys_ftruncate(fd, 1) : n < 0 ? (int)n : -EIO;
	}
	sys_close(fd);
	return err;
}

/* Tried with every event and while utmp is locked. No failure is a reason to hold an event up. */
static void show_level(const struct file_sink *file)
{
	uint64_t level = word(file, WORD_LEVEL_SAID);

	if (!file->runlevel || !level || level == word(file, WORD_LEVEL_SHOWN))
		return;
	if (!write_runlevel(file->runlevel, (char)level))
		set_word(file, WORD_LEVEL_SHOWN, level);
}

static bool is_event(const struct record *record, struct item *item)
{
	if (record->len_bytes != sizeof item->event)
		return false;
	memcpy(&item->event, record->text, sizeof item->event);
	item->seq = record->seq;
	item->when = record->when;
	return item->event.version == RECORD_EVENT_VERSION;
}

/* Later it would empty what others wrote. */
static int truncate_now_or_never(const char *path, struct mono said_at)
{
	int err;

	if (mono_is_due(mono_after_s(said_at, TRUNCATE_WITHIN_S), mono_now()))
		return 0;
	err = utmp_truncate(path);
	return err == -EINTR ? err : 0;
}

static int deliver(void *state, const struct record *record, struct mono deadline)
{
	struct file_sink *file = state;
	struct item item;
	int err;

	if (!is_event(record, &item))
		return 0;
	file->is_write_locked = false;
	if (item.event.kind == RECORD_TRUNCATE)
		return truncate_now_or_never(file->path, (struct mono){ item.event.said_at_ns });
	remember(file, &item.event, item.when);
	if (item.event.kind == RECORD_LEVEL || item.event.kind == RECORD_SHOW)
		set_word(file, WORD_LEVEL_SHOWN, 0);    /* a new /run may have hidden it */
	show_level(file);
	if (item.event.kind == RECORD_SHOW)
		return 0;
	err = write_out(file, &item, deadline);
	return utmp_is_absent(err) ? 0 : err;
}

static void nap(struct mono until, int at_most_ms)
{
	int left = mono_left_ms(until, mono_now());
	struct timespec time;

	if (at_most_ms && (left < 0 || left > at_most_ms))
		left = at_most_ms;
	time = (struct timespec){ left / 1000, left % 1000 * 1000000L };
	if (left > 0)
		(void)sys_sleep(&time);         /* cut short: the caller looks at the clock */
}

static bool is_still_locked(const struct file_sink *file)
{
	int fd;
	bool locked;

	if (utmp_open(file->path, file->use, &fd))
		return false;
	locked = utmp_is_write_locked(fd);
	sys_close(fd);
	return locked;
}

static void back_off(void *state, struct mono until)
{
	struct file_sink *file = state;

	if (!file->is_write_locked) {
		nap(until, 0);
		return;
	}
	do {
		show_level(file);
		nap(until, LOCK_LOOK_MS);
	} while (!mono_is_due(until, mono_now()) && is_still_locked(file));
}

static void *open_utmp(const struct initlog_config *config, struct queue *queue)
{
	static struct file_sink file;

	file = (struct file_sink){
		.queue = queue, .sink = SINK_RECORDS, .use = UTMP_REPLACE, .path = config->utmp,
		.utmp = config->utmp, .runlevel = config->runlevel, .write = replace,
	};
	return &file;
}

static void *open_wtmp(const struct initlog_config *config, struct queue *queue)
{
	static struct file_sink file;
	struct utsname kernel;

	file = (struct file_sink){
		.queue = queue, .sink = SINK_WTMP, .use = UTMP_APPEND, .path = config->wtmp,
		.utmp = config->utmp, .write = append,
	};
	if (!sys_uname(&kernel))
		memcpy(file.host, kernel.release, sizeof file.host);
	return &file;
}

const struct sink_ops sink_records_ops = {
	.name = "records", .deadline_ms = DEADLINE_MS,
	.open = open_utmp, .deliver = deliver, .wait = back_off,
};

const struct sink_ops sink_wtmp_ops = {
	.name = "wtmp", .deadline_ms = DEADLINE_MS,
	.open = open_wtmp, .deliver = deliver, .wait = back_off,
};
