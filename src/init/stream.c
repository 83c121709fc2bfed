/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/table.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { WORD_BYTES = 3, LINE_MAX_BYTES = WORD_BYTES + TAB_LINE_MAX, COMPLAINTS_MAX = 64, FIRST_MARKS = 64,
	TABLE_MEMFD = 1 | 2 };          /* MFD_CLOEXEC | MFD_ALLOW_SEALING */

#define LEVELS "S0123456789"

/* The events that a signal stands for: the set of pending signals has bit N for signal N. */
static const struct {
	int signal;
	uint32_t event;
} pending[] = {
	{ SIGHUP, LEVEL_SIGNAL_HUP },
	{ SIGINT, LEVEL_SIGNAL_INT },
	{ SIGWINCH, LEVEL_SIGNAL_WINCH },
	{ SIGPWR, LEVEL_SIGNAL_POWER_FAIL },
};
enum { PENDING_COUNT = sizeof pending / sizeof pending[0], EVENTS_KNOWN = (LEVEL_SIGNAL_POWER_OK << 1) - 1 };

static const struct {
	const char *word;
	uint32_t flag;
} flags[] = {
	{ "DE", ENTRY_DEMAND },
	{ "XD", ENTRY_EXECUTED },
	{ "WT", ENTRY_WAITING },
};
enum { FLAGS_COUNT = sizeof flags / sizeof flags[0] };

/* --- writing --- */

struct text {
	int fd, err;
	size_t used;
	char bytes[8192];
};

static void text_flush(struct text *text)
{
	if (!text->err)
		text->err = io_write_all(text->fd, text->bytes, text->used);
	text->used = 0;
}

__attribute__((format(printf, 2, 3)))
static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int wrote;

	if (sizeof text->bytes - text->used < LINE_MAX_BYTES + 2)
		text_flush(text);
	va_start(args, format);
	wrote = vsnprintf(text->bytes + text->used, sizeof text->bytes - text->used, format, args);
	va_end(args);
	if (wrote > 0)
		text->used += (size_t)wrote;
}

static unsigned pending_set(uint32_t events)
{
	unsigned set = 0;

	for (int i = 0; i < PENDING_COUNT; i++)
		if (events & pending[i].event)
			set |= 1u << pending[i].signal;
	return set;
}

static void put_head(struct text *text, const struct init *in)
{
	const struct level *level = &in->level;
	struct record_flags out = { false, false, false, false };

	if (in->log.queue)
		out = record_flags(in->log.queue);
	put(text, "VER@(#) init %s\n-RL%c\n-TL%c\n-PL%c\n", VERSION, level->now, level->now, level->previous);
	put(text, "-SI%u\n-WR%d\n-WU%d\n-LW%d\n-LU%d\n", pending_set(level->events), out.boot_in_wtmp, out.boot_in_utmp,
		out.level_in_wtmp, out.level_in_utmp);
	put(text, "-ST%d\n-DB%d\n", (int)level->stop_s, level->did_boot);
	put(text, "-XE%u\n", (unsigned)level->events);
}

/* The status as wait(2) has it. */
static int status_of(const struct entry *entry)
{
	if (entry->wait_code == CLD_EXITED)
		return (entry->wait_status & 0xff) << 8;
	return entry->wait_code == CLD_DUMPED ? entry->wait_status | 0x80 : entry->wait_status;
}

static void put_entry(struct text *text, const struct init *in, const struct entry *entry)
{
	put(text, "REC%.*s\nLEV%.*s\n", TAB_ID_MAX, entry->id, TAB_LEVELS_MAX, entry->levels);
	if (entry->pid)
		put(text, "FL RU\n");
	for (int i = 0; i < FLAGS_COUNT; i++)
		if (entry->flags & flags[i].flag)
			put(text, "FL %s\n", flags[i].word);
	put(text, "PID%d\nEXS%d\nAC %s\n", (int)entry->pid, status_of(entry), action_word((enum action)entry->action));
	if (entry->guard_count || entry->held_until_ns)
		put(text, "XGD%u %lld %lld\n", (unsigned)entry->guard_count, (long long)entry->guard_since_ns,
			(long long)entry->held_until_ns);
	put(text, "CMD%s\nEOR\n", family_process(&in->family, entry));
}

int stream_write_in_child(const struct init *in, int fd)
{
	struct text text = { .fd = fd };

	put_head(&text, in);
	for (int32_t i = 0; i < in->family.count && !text.err; i++)
		put_entry(&text, in, &in->family.entry[i]);
	put(&text, "END\n");
	text_flush(&text);
	return text.err;
}

/* --- reading --- */

/* What an entry has beside what the table holds. */
struct mark {
	enum action action;
	uint32_t flags;
	int32_t pid;
	int code, status;
	uint32_t guard_count;
	int64_t guard_since_ns, held_until_ns;
};

struct stream {
	void (*say)(void *, const char *);
	void *context;
	int complaints;

	char line[LINE_MAX_BYTES + 1];
	size_t len;
	bool is_bad_line;               /* too long, or with a NUL in it */

	bool has_end, is_short;         /* END was read; no memory for all of it */
	struct level level;
	struct record_flags out;
	bool has_level_in_wtmp, has_level_in_utmp;

	bool in_record;
	const char *fault;              /* of the record */
	char id[TAB_ID_MAX + 1], levels[TAB_LEVELS_MAX + 1], action[TAB_ACTION_MAX + 1];
	char process[TAB_LINE_MAX + 1];
	bool is_running;
	struct mark mark;

	struct table_builder *builder;
	struct mark *marks;             /* one for each entry of the builder, in the order in which they were added */
	uint32_t count, room;
};

struct stream *stream_begin(void (*say)(void *, const char *), void *context)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->say = say;
	s->context = context;
	s->level = (struct level){ .phase = PHASE_STEADY, .previous = 'N', .stop_s = LEVEL_STOP_DEFAULT_S,
		.did_boot = true, .deadline = MONO_NEVER, .reread_at = MONO_NEVER };
	s->room = FIRST_MARKS;
	s->builder = table_build_begin();
	s->marks = calloc(s->room, sizeof *s->marks);
	if (s->builder && s->marks)
		return s;
	if (s->builder)
		table_build_drop(s->builder);
	free(s->marks);
	free(s);
	return NULL;
}

static void complain(struct stream *s, const char *what, const char *why)
{
	char text[160];

	if (s->complaints++ >= COMPLAINTS_MAX)
		return;
	(void)snprintf(text, sizeof text, "state of the init before: %.32s: %s", what, why);
	s->say(s->context, text);
}

/* --- the machine's state --- */

static bool take_number(struct stream *s, const char *word, const char *value, int64_t max, int64_t *out)
{
	if (!num_parse(value, 0, max, out))
		return true;
	complain(s, word, "no number that can be");
	return false;
}

static void take_letter(struct stream *s, const char *word, const char *value, const char *letters, char *out)
{
	if (strlen(value) == 1 && strchr(letters, *value))
		*out = *value;
	else
		complain(s, word, "no level");
}

static void take_level(struct stream *s, const char *value)
{
	take_letter(s, "-RL", value, LEVELS, &s->level.now);
}

static void take_previous(struct stream *s, const char *value)
{
	take_letter(s, "-PL", value, "N" LEVELS, &s->level.previous);
}

static void take_signals(struct stream *s, const char *value)
{
	int64_t set;

	if (!take_number(s, "-SI", value, UINT_MAX, &set))
		return;
	for (int i = 0; i < PENDING_COUNT; i++)
		if ((uint64_t)set & 1u << pending[i].signal)
			s->level.events |= pending[i].event;
}

static void take_events(struct stream *s, const char *value)
{
	int64_t events;

	if (take_number(s, "-XE", value, EVENTS_KNOWN, &events))
		s->level.events = (uint32_t)events;
}

static void take_stop_time(struct stream *s, const char *value)
{
	(void)!take_number(s, "-ST", value, INT_MAX, &s->level.stop_s);
}

static void take_flag(struct stream *s, const char *word, const char *value, bool *out)
{
	int64_t number;

	if (take_number(s, word, value, INT_MAX, &number))
		*out = number != 0;
}

static void take_did_boot(struct stream *s, const char *value)
{
	take_flag(s, "-DB", value, &s->level.did_boot);
}

static void take_boot_in_wtmp(struct stream *s, const char *value)
{
	take_flag(s, "-WR", value, &s->out.boot_in_wtmp);
}

static void take_boot_in_utmp(struct stream *s, const char *value)
{
	take_flag(s, "-WU", value, &s->out.boot_in_utmp);
}

static void take_level_in_wtmp(struct stream *s, const char *value)
{
	s->has_level_in_wtmp = true;
	take_flag(s, "-LW", value, &s->out.level_in_wtmp);
}

static void take_level_in_utmp(struct stream *s, const char *value)
{
	s->has_level_in_utmp = true;
	take_flag(s, "-LU", value, &s->out.level_in_utmp);
}

/* --- entries --- */

static void drop_record(struct stream *s, const char *why)
{
	complain(s, s->id[0] ? s->id : "an entry", why);
	s->in_record = false;
}

/* A field of the record. One with a colon would be another field of the line that is made of them. */
static void take_field(struct stream *s, const char *value, char *out, size_t size_bytes, const char *fault)
{
	if (strlen(value) < size_bytes && !strpbrk(value, ": \t"))
		strcpy(out, value);
	else if (!s->fault)
		s->fault = fault;
}

static void take_record(struct stream *s, const char *value)
{
	if (s->in_record)
		drop_record(s, "cut off");
	s->id[0] = s->levels[0] = s->action[0] = s->process[0] = '\0';
	s->in_record = true;
	s->is_running = false;
	s->fault = NULL;
	s->mark = (struct mark){ .code = CLD_EXITED };
	take_field(s, value, s->id, sizeof s->id, "no id");
}

static void take_levels(struct stream *s, const char *value)
{
	take_field(s, value, s->levels, sizeof s->levels, "no levels");
}

static void take_action(struct stream *s, const char *value)
{
	take_field(s, value, s->action, sizeof s->action, "no action");
}

static void take_process(struct stream *s, const char *value)
{
	strcpy(s->process, value);              /* a line is no longer */
}

static void take_mark(struct stream *s, const char *value)
{
	if (!strcmp(value, "RU"))
		s->is_running = true;
	for (int i = 0; i < FLAGS_COUNT; i++)
		if (!strcmp(value, flags[i].word))
			s->mark.flags |= flags[i].flag;
}

static void take_pid(struct stream *s, const char *value)
{
	int64_t pid;

	s->mark.pid = num_parse(value, 0, INT32_MAX, &pid) ? -1 : (int32_t)pid;
}

static void take_status(struct stream *s, const char *value)
{
	int64_t number;
	int status;

	if (num_parse(value, INT_MIN, INT_MAX, &number)) {
		complain(s, s->id, "no exit status");
		return;
	}
	status = (int)number;
	s->mark.code = !(status & 0x7f) ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
	s->mark.status = s->mark.code == CLD_EXITED ? status >> 8 & 0xff : status & 0x7f;
}

static void take_guard(struct stream *s, const char *value)
{
	int64_t number[3];
	char text[80], *rest = text, *word;

	/* A guard that starts afresh does no harm. */
	if (strlen(value) >= sizeof text)
		return;
	strcpy(text, value);
	for (int i = 0; i < 3; i++) {
		word = strtok_r(rest, " ", &rest);
		if (!word || num_parse(word, 0, i ? INT64_MAX : INT32_MAX, &number[i]))
			return;
	}
	s->mark.guard_count = (uint32_t)number[0];
	s->mark.guard_since_ns = number[1];
	s->mark.held_until_ns = number[2];
}

static bool is_taken_pid(const struct stream *s, int32_t pid)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->marks[i].pid == pid)
			return true;
	return false;
}

static void settle_pid(struct stream *s)
{
	const char *fault = NULL;

	if (!s->is_running)
		s->mark.pid = 0;
	else if (s->mark.pid <= 1)
		fault = "runs without a pid: taken for ended";
	else if (is_taken_pid(s, s->mark.pid))
		fault = "has the pid of another: taken for ended";
	if (fault) {
		complain(s, s->id, fault);
		s->mark.pid = 0;
	}
	if (!s->mark.pid)
		s->mark.flags &= ~(uint32_t)ENTRY_WAITING;
}

static int marks_make_room(struct stream *s)
{
	struct mark *marks;

	if (s->count < s->room)
		return 0;
	marks = realloc(s->marks, 2 * (size_t)s->room * sizeof *marks);
	if (!marks)
		return -ENOMEM;
	s->marks = marks;
	s->room *= 2;
	return 0;
}

static void add_record(struct stream *s, const struct tab_line *line)
{
	int err = marks_make_room(s);

	if (!err)
		err = table_build_add(s->builder, line, 0);
	if (err) {
		s->is_short |= err != -EEXIST;
		drop_record(s, err == -EEXIST ? "told twice" : strerror(-err));
		return;
	}
	settle_pid(s);
	s->mark.action = line->action;
	s->marks[s->count++] = s->mark;
	s->in_record = false;
}

static void end_record(struct stream *s, const char *value)
{
	char text[TAB_ID_MAX + TAB_LEVELS_MAX + TAB_ACTION_MAX + TAB_LINE_MAX + 4], why[128] = "no id";
	struct tab_line line;

	(void)value;
	if (s->fault) {
		drop_record(s, s->fault);
		return;
	}
	(void)snprintf(text, sizeof text, "%s:%s:%s:%s", s->id, s->levels, s->action, s->process);
	if (inittab_parse_line(text, &line, why, sizeof why) == TAB_ENTRY)
		add_record(s, &line);
	else
		drop_record(s, why);
}

static void take_end(struct stream *s, const char *value)
{
	(void)value;
	s->has_end = true;
}

/* --- lines --- */

static const struct {
	char word[WORD_BYTES + 1];
	bool of_record;
	void (*take)(struct stream *s, const char *value);
} words[] = {
	{ "-RL", false, take_level },
	{ "-PL", false, take_previous },
	{ "-SI", false, take_signals },
	{ "-WR", false, take_boot_in_wtmp },
	{ "-WU", false, take_boot_in_utmp },
	{ "-LW", false, take_level_in_wtmp },
	{ "-LU", false, take_level_in_utmp },
	{ "-ST", false, take_stop_time },
	{ "-DB", false, take_did_boot },
	{ "-XE", false, take_events },
	{ "REC", false, take_record },
	{ "LEV", true, take_levels },
	{ "FL ", true, take_mark },
	{ "PID", true, take_pid },
	{ "EXS", true, take_status },
	{ "AC ", true, take_action },
	{ "CMD", true, take_process },
	{ "XGD", true, take_guard },
	{ "EOR", true, end_record },
	{ "END", false, take_end },
};

static void take_line(struct stream *s)
{
	if (s->is_bad_line) {
		complain(s, "a line", "too long or not text");
		if (s->in_record)
			s->fault = "a line of it is no text";
		return;
	}
	s->line[s->len] = '\0';
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (!strncmp(s->line, words[i].word, WORD_BYTES) && (s->in_record || !words[i].of_record)) {
			words[i].take(s, s->line + WORD_BYTES);
			return;
		}
}

void stream_feed(struct stream *s, const char *bytes, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes && !s->has_end; i++) {
		char c = bytes[i];

		if (c == '\n') {
			take_line(s);
			s->len = 0;
			s->is_bad_line = false;
		} else if (c && s->len < LINE_MAX_BYTES) {
			s->line[s->len++] = c;
		} else {
			s->is_bad_line = true;
		}
	}
}

bool stream_is_complete(const struct stream *s)
{
	return s->has_end;
}

/* --- what it amounts to --- */

static void restore(struct family *family, int32_t position, const struct mark *mark)
{
	struct entry *entry = &family->entry[position];

	entry->flags = mark->flags;
	entry->wait_code = mark->code;
	entry->wait_status = mark->status;
	entry->guard_count = mark->guard_count;
	entry->guard_since_ns = mark->guard_since_ns;
	entry->held_until_ns = mark->held_until_ns;
	family_seal(entry);
	if (mark->pid)
		family_set_running(family, entry, mark->pid);
}

/* The table has them in the order of running: those of power and ctrlaltdel first. */
static void restore_all(const struct stream *s, struct family *family)
{
	int32_t position = 0;

	for (int first = 1; first >= 0; first--)
		for (uint32_t i = 0; i < s->count && position < family->count; i++)
			if (action_is_first(s->marks[i].action) == first)
				restore(family, position++, &s->marks[i]);
}

static int make_family(struct stream *s, struct family *family)
{
	struct table table;
	int err, fd = sys_memfd("init state table", TABLE_MEMFD);

	if (fd < 0) {
		table_build_drop(s->builder);
		return fd;
	}
	err = table_build_end(s->builder, fd);
	if (!err)
		err = table_open(fd, &table);
	if (!err) {
		err = family_adopt(family, &table);
		table_close(&table);
	}
	sys_close(fd);
	if (!err)
		restore_all(s, family);
	return err;
}

int stream_end(struct stream *s, struct level *level, struct record_flags *out, struct family *family)
{
	int err;

	if (s->in_record)
		drop_record(s, "cut off");
	/* Stock tells of the level's records only if it has to: they are where that of the boot is. */
	if (!s->has_level_in_wtmp)
		s->out.level_in_wtmp = s->out.boot_in_wtmp;
	if (!s->has_level_in_utmp)
		s->out.level_in_utmp = s->out.boot_in_utmp;
	*out = s->out;
	*level = s->level;
	level->wanted = level->now;
	level->is_torn = !s->has_end || s->is_short || !level->now;
	err = make_family(s, family);
	free(s->marks);
	free(s);
	return err;
}
