/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/loader.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "init/table.h"
#include "lib/cmdline.h"
#include "lib/io.h"
#include "lib/sys.h"

#define TAB_SUFFIX ".tab"
#define UTF8_MARK "\xef\xbb\xbf"

enum { READ_BYTES = 65536, SAY_BYTES = 512, PLACE_BYTES = 320 };
enum { CMDLINE_BYTES = 4096, DEVICE_MAX = 31 };

struct load {
	const struct loader_config *config;
	struct table_builder *table;
	int complaints;                 /* bad lines so far */
	char first_unsaid[PLACE_BYTES];
};

/* One file on its way through the parser. */
struct source {
	const char *path;
	uint32_t number;                /* of the line */
	uint32_t good, bad;
	size_t len;                     /* of the line so far, also of what did not fit */
	char line[TAB_LINE_MAX + 2];    /* one for a CR, one for the NUL */
};

__attribute__((format(printf, 2, 3)))
static void say(const struct load *load, const char *format, ...)
{
	char text[SAY_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	load->config->say(load->config->context, text);
}

static void complain(struct load *load, struct source *source, const char *why)
{
	source->bad++;
	if (++load->complaints <= LOADER_COMPLAINTS_MAX)
		say(load, "%s[%u]: %s", source->path, source->number, why);
	else if (load->complaints == LOADER_COMPLAINTS_MAX + 1)
		(void)snprintf(load->first_unsaid, sizeof load->first_unsaid, "%s[%u]",
			source->path, source->number);
}

static void complain_in_sum(const struct load *load)
{
	int more = load->complaints - LOADER_COMPLAINTS_MAX;

	if (more > 0)
		say(load, "%d more bad lines, the first of them is %s", more, load->first_unsaid);
}

/* 0, or what ends the whole load: out of memory. */
static int entry_add(struct load *load, struct source *source, const struct tab_line *entry)
{
	char why[64];
	int err = table_build_add(load->table, entry, source->number);

	if (err == -EEXIST) {
		(void)snprintf(why, sizeof why, "duplicate ID field \"%s\"", entry->id);
		complain(load, source, why);
		return 0;
	}
	if (err == -ENOSPC) {
		complain(load, source, "too many entries");
		return 0;
	}
	if (!err)
		source->good++;
	return err;
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '#';
}

static int line_end(struct load *load, struct source *source)
{
	size_t len = source->len, kept = len < sizeof source->line ? len : sizeof source->line - 1;
	char *line = source->line, why[128];
	struct tab_line entry;

	source->number++;
	source->len = 0;
	if (kept == len && kept && line[kept - 1] == '\r')
		len = --kept;
	line[kept] = '\0';
	if (is_comment(line))
		return 0;
	if (memchr(line, '\0', kept)) {
		complain(load, source, "NUL byte in line");
		return 0;
	}
	if (len > TAB_LINE_MAX) {
		complain(load, source, "line too long (max 4095 bytes)");
		return 0;
	}
	switch (inittab_parse_line(line, &entry, why, sizeof why)) {
	case TAB_NOTHING:
		return 0;
	case TAB_BAD:
		complain(load, source, why);
		return 0;
	case TAB_ENTRY:
		return entry_add(load, source, &entry);
	}
	return 0;
}

static_assert(TAB_LINE_MAX == 4095, "the message names it");

static void line_put(struct source *source, const char *from, size_t len)
{
	if (source->len < sizeof source->line) {
		size_t room = sizeof source->line - source->len;

		memcpy(source->line + source->len, from, len < room ? len : room);
	}
	source->len += len;
}

static int lines_take(struct load *load, struct source *source, const char *from, size_t len)
{
	while (len) {
		const char *newline = memchr(from, '\n', len);
		size_t part = newline ? (size_t)(newline - from) : len;
		int err;

		line_put(source, from, part);
		if (!newline)
			return 0;
		err = line_end(load, source);
		if (err)
			return err;
		from += part + 1;
		len -= part + 1;
	}
	return 0;
}

static size_t mark_len(const char *buf, size_t len)
{
	size_t mark = strlen(UTF8_MARK);

	return len >= mark && !memcmp(buf, UTF8_MARK, mark) ? mark : 0;
}

static int lines_read(struct load *load, struct source *source, int fd)
{
	char buf[READ_BYTES];
	off_t total = 0;

	for (;;) {
		ssize_t got = io_read_all(fd, buf, sizeof buf);
		size_t skip;
		int err;

		if (got < 0)
			return (int)got;
		if (!got)
			break;
		skip = total ? 0 : mark_len(buf, (size_t)got);
		total += got;
		if (total > LOADER_FILE_MAX)
			return -EFBIG;
		err = lines_take(load, source, buf + skip, (size_t)got - skip);
		if (err)
			return err;
	}
	return source->len ? line_end(load, source) : 0;
}

/* -EINVAL: not a regular file. */
static int source_open(const char *path, int *out)
{
	struct stat st;
	int err, fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && !S_ISREG(st.st_mode))
		err = -EINVAL;
	if (!err && st.st_size > LOADER_FILE_MAX)
		err = -EFBIG;
	if (err)
		sys_close(fd);
	else
		*out = fd;
	return err;
}

static const char *file_fault(int err)
{
	switch (err) {
	case -EINVAL:
		return "not a regular file";
	case -EFBIG:
		return "too large (max 16 MiB)";
	case -EBADMSG:
		return "not one good line in it";
	default:
		return strerror(-err);
	}
}

static_assert(LOADER_FILE_MAX == 16 << 20, "the message names it");

static int source_load(struct load *load, const char *path)
{
	struct source source = { .path = path };
	int fd, err = source_open(path, &fd);

	if (err)
		return err;
	err = lines_read(load, &source, fd);
	sys_close(fd);
	if (!err && source.bad && !source.good)
		err = -EBADMSG;
	return err;
}

static int tab_load(struct load *load)
{
	const char *path = load->config->tab;
	int err = source_load(load, path);

	if (err == -ENOENT)
		say(load, "No inittab file found");
	else if (err)
		say(load, "%s: %s", path, file_fault(err));
	return err;
}

/* --- inittab.d --- */

struct names {
	char **at;
	size_t count, room;
};

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i]);
	free(names->at);
}

static int names_add(struct names *names, const char *name)
{
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		char **at = realloc(names->at, room * sizeof *at);

		if (!at)
			return -ENOMEM;
		names->at = at;
		names->room = room;
	}
	names->at[names->count] = strdup(name);
	return names->at[names->count] ? (int)(names->count++, 0) : -ENOMEM;
}

static bool is_tab_name(const char *name)
{
	size_t len = strlen(name), suffix = strlen(TAB_SUFFIX);

	return *name != '.' && len > suffix && !strcmp(name + len - suffix, TAB_SUFFIX);
}

/* struct linux_dirent64 of getdents64(2): d_reclen stands at 16, d_name at 19. */
static int names_take(struct names *names, const char *records, size_t len)
{
	int err = 0;

	while (len && !err) {
		unsigned short record;

		memcpy(&record, records + 16, sizeof record);
		if (is_tab_name(records + 19))
			err = names_add(names, records + 19);
		records += record;
		len -= record;
	}
	return err;
}

static int names_read(struct names *names, const char *dir)
{
	char buf[READ_BYTES];
	int err = 0, fd = sys_open(dir, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	while (!err) {
		ssize_t got = sys_getdents(fd, buf, sizeof buf);

		if (!got)
			break;
		err = got < 0 ? (int)got : names_take(names, buf, (size_t)got);
	}
	sys_close(fd);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What never was a table (a directory, a dangling link, garbage) is named and left out; a file
 * that could not be read today may have been in use yesterday, so that its error counts. */
static int tab_dir_file_load(struct load *load, const char *name)
{
	char path[PLACE_BYTES];
	int err;

	(void)snprintf(path, sizeof path, "%s/%s", load->config->tab_dir, name);
	err = source_load(load, path);
	if (err && err != -EBADMSG)
		say(load, "%s: %s", path, file_fault(err));
	return err == -EBADMSG || err == -EINVAL || err == -ENOENT ? 0 : err;
}

static int tab_dir_load(struct load *load)
{
	struct names names = { 0 };
	int err = names_read(&names, load->config->tab_dir), first_err = 0;

	if (err && err != -ENOENT)
		say(load, "%s: %s", load->config->tab_dir, strerror(-err));
	if (names.count)
		qsort(names.at, names.count, sizeof *names.at, by_name);
	for (size_t i = 0; i < names.count; i++) {
		int file_err = tab_dir_file_load(load, names.at[i]);

		if (file_err && !first_err)
			first_err = file_err;
	}
	names_free(&names);
	return err == -ENOENT || err == -ENOTDIR || !err ? first_err : err;
}

/* --- what no file names --- */

/* Login programs look for the end of the device's name. */
static const char *device_id(const char *device)
{
	size_t len = strlen(device);
	const char *id = len > 3 && !strncmp(device, "tty", 3) ? device + 3 : device;

	len = strlen(id);
	return len > TAB_ID_MAX ? id + len - TAB_ID_MAX : id;
}

static int agetty_add(struct load *load, const char *device)
{
	const char *id = device_id(device);
	struct tab_line entry = { .levels = "2345", .action = ACTION_RESPAWN };
	char process[128];
	int err;

	if (table_build_has_id(load->table, id))
		return 0;
	(void)snprintf(process, sizeof process,
		"/sbin/agetty -L -s 115200,38400,9600 %s vt102", device);
	strcpy(entry.id, id);
	entry.process = process;
	err = table_build_add(load->table, &entry, 0);
	if (!err)
		say(load, "added agetty on %s with id %s", device, id);
	return err == -ENOMEM ? err : 0;
}

/* A name under /dev that holds nothing for a shell; "null" is how a kernel is told to have no
 * console. */
static bool is_device_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= DEVICE_MAX && strcmp(name, "null") &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789_-./") == len;
}

static bool has_word(const char *text, const char *word)
{
	struct cmdline line;

	cmdline_begin(&line, text);
	while (cmdline_next(&line))
		if (!strcmp(line.word, word))
			return true;
	return false;
}

static int autocon_add(struct load *load)
{
	char text[CMDLINE_BYTES], name[CMDLINE_WORD_MAX];
	ssize_t got = io_read_file(load->config->cmdline, text, sizeof text);
	struct cmdline line;
	int err = 0;

	/* -ENOENT: /proc is not there yet, or not at all. */
	if (got < 0)
		return got == -ENOENT ? 0 : (int)got;
	if (!has_word(text, "init.autocon=1"))
		return 0;
	cmdline_begin(&line, text);
	while (!err && cmdline_next(&line)) {
		const char *value = cmdline_value(&line, "console");

		if (!value)
			continue;
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(value, ","), value);
		if (is_device_name(name))
			err = agetty_add(load, name);
	}
	return err;
}

static int default_add(struct load *load)
{
	const struct tab_line sulogin = {
		.id = "~~", .levels = "S", .action = ACTION_WAIT, .process = SULOGIN_PATH,
	};

	if (table_build_has_level(load->table, 'S'))
		return 0;
	return table_build_add(load->table, &sulogin, 0);
}

static int files_load(struct load *load)
{
	int err = tab_load(load), dir_err = tab_dir_load(load);

	complain_in_sum(load);
	return err ? err : dir_err;
}

static int extras_add(struct load *load)
{
	int err = autocon_add(load), default_err = default_add(load);

	if (err)
		say(load, "%s: %s", load->config->cmdline, strerror(-err));
	return err ? err : default_err;
}

int loader_run(const struct loader_config *config, int memfd)
{
	struct load load = { .config = config, .table = table_build_begin() };
	int err = -ENOMEM, extras_err = 0, end_err = -ENOMEM;

	if (load.table) {
		err = files_load(&load);
		extras_err = extras_add(&load);
		end_err = table_build_end(load.table, memfd);
	}
	if (end_err) {
		say(&load, "inittab: cannot hand it over: %s", strerror(-end_err));
		return end_err;
	}
	return err ? err : extras_err;
}
