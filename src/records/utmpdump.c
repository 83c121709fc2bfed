/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utmpdump - the records of a utmp or wtmp file as text, and back. Waits for nothing but its file and its output, and with
 * -f for more records. Exit 0: all of it was written; 1: it was not, or the text is not such a text. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys.h"
#include "lib/tool.h"
#include "records/dump.h"
#include "records/forward.h"
#include "records/lines.h"

enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_EXACT, OPTION_LAYOUT };
enum { LAST_RECORDS = 10 };             /* where -f begins */

enum wish { WISH_RUN = 1, WISH_SHORT_HELP, WISH_HELP, WISH_VERSION, WISH_WRONG };

struct utmpdump {
	const char *name;
	const char *path;                       /* NULL: standard input */
	bool reverse, follow, exact, is_old;
	const struct layout *layout;            /* NULL: not asked for */
	struct forward reader;
	struct lines lines;
};

static const char *object(const struct utmpdump *u)
{
	return u->path ? u->path : "stdin";
}

static void usage(const char *name)
{
	printf("Usage: %s [ -froh ] [ filename ]\n", name);
}

static void help(const char *name)
{
	usage(name);
	printf("  -f               the last records, then wait for more\n"
		"  -r               from text to records\n"
		"  -o               the old format\n"
		"  -h               this text's first line\n"
		"  --exact          all that is in a record\n"
		"  --layout LAYOUT  instead of the file's own: %s\n"
		"  --help, --version\n", layout_names());
}

/* 0: taken; else what it comes to. */
static enum wish take_option(struct utmpdump *u, int option, const char *value)
{
	switch (option) {
	case 'f': u->follow = true; break;
	case 'r': u->reverse = true; break;
	case 'o': u->is_old = true; break;
	case 'h': return WISH_SHORT_HELP;
	case OPTION_HELP: return WISH_HELP;
	case OPTION_VERSION: return WISH_VERSION;
	case OPTION_EXACT: u->exact = true; break;
	case OPTION_LAYOUT:
		u->layout = layout_named(value);
		if (u->layout)
			break;
		fprintf(stderr, "%s: %s: no such layout\n", u->name, value);
		return WISH_WRONG;
	default:
		return WISH_WRONG;
	}
	return 0;
}

static enum wish read_args(struct utmpdump *u, int argc, char **argv)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "exact", no_argument, NULL, OPTION_EXACT },
		{ "layout", required_argument, NULL, OPTION_LAYOUT },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "froh", words, NULL)) != -1) {
		enum wish wish = take_option(u, option, optarg);

		if (wish)
			return wish;
	}
	u->path = argv[optind];
	return WISH_RUN;
}

static int complain(const struct utmpdump *u, int err)
{
	tool_complain(u->name, object(u), err);
	return TOOL_ERROR;
}

static int cannot_open(int err)
{
	fprintf(stderr, "Unable to open file: %s\n", strerror(-err));
	return TOOL_ERROR;
}

/* All that is whole by now. 0 or a negative errno. */
static int dump_all(struct utmpdump *u)
{
	char line[DUMP_LINE_MAX];
	struct record record;
	int err;

	while (!(err = forward_next(&u->reader, &record)))
		(void)fwrite(line, 1, dump_write(&record, u->exact, line), stdout);     /* see tool_finish() */
	return err == -ENOENT ? 0 : err;
}

/* Until the output or the input ends. 0 or a negative errno. */
static int dump_and_follow(struct utmpdump *u)
{
	static const struct timespec pause = { 1, 0 };

	for (;;) {
		int err = dump_all(u);

		if (err || fflush(stdout))
			return err;
		err = forward_look_again(&u->reader);
		if (err <= 0)
			return err;
		(void)sys_sleep(&pause);        /* a shorter one only makes us look earlier */
	}
}

static int dump(struct utmpdump *u)
{
	int err = forward_open(&u->reader, u->path, u->layout, u->is_old), status = TOOL_OK;
	size_t left;

	if (err)
		return cannot_open(err);
	if (u->follow)
		err = forward_seek_last(&u->reader, LAST_RECORDS);
	if (!err)
		err = u->follow ? dump_and_follow(u) : dump_all(u);
	left = forward_left_bytes(&u->reader);
	if (err)
		status = complain(u, err);
	else if (left)
		fprintf(stderr, "%s: %s: ignoring %zu trailing bytes\n", u->name, object(u), left);
	forward_close(&u->reader);
	return tool_finish(u->name, stdout, status);
}

static bool says_nothing(const char *line, size_t len)
{
	size_t blanks = 0;

	while (blanks < len && (line[blanks] == ' ' || line[blanks] == '\t' || line[blanks] == '\r'))
		blanks++;
	return blanks == len || line[0] == '#';
}

/* True: the record of this line is written, or it needs none. */
static bool undump_line(const struct utmpdump *u, const char *line, size_t len)
{
	const struct layout *layout = u->layout ? u->layout : layout_native(u->is_old);
	unsigned char bytes[LAYOUT_BYTES_MAX];
	struct record_fields fields;

	if (says_nothing(line, len))
		return true;
	if (dump_read(line, len, &fields) || layout_encode(layout, &fields, bytes))
		return false;
	(void)fwrite(bytes, layout->bytes, 1, stdout);  /* see tool_finish() */
	return true;
}

static int undump(struct utmpdump *u)
{
	int fd = u->path ? sys_open(u->path, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0) : STDIN_FILENO;
	int got, status = TOOL_OK;
	const char *line;
	size_t len;

	if (fd < 0)
		return cannot_open(fd);
	lines_init(&u->lines, fd);
	while ((got = lines_next(&u->lines, &line, &len)) == 1)
		if (!undump_line(u, line, len))
			break;
	if (got == 1 || got == -EMSGSIZE) {
		fprintf(stderr, "%s: %s:%llu: parse error\n", u->name, object(u), (unsigned long long)u->lines.number);
		status = TOOL_ERROR;
	} else if (got) {
		status = complain(u, got);
	}
	if (u->path)
		sys_close(fd);
	return tool_finish(u->name, stdout, status);
}

int main(int argc, char **argv)
{
	static struct utmpdump self;
	struct utmpdump *u = &self;

	u->name = tool_name(argv, "utmpdump");
	switch (read_args(u, argc, argv)) {
	case WISH_SHORT_HELP:
		usage(u->name);
		return tool_finish(u->name, stdout, TOOL_OK);
	case WISH_HELP:
		help(u->name);
		return tool_finish(u->name, stdout, TOOL_OK);
	case WISH_VERSION:
		return tool_version(u->name);
	case WISH_WRONG:
		usage(u->name);
		return tool_finish(u->name, stdout, TOOL_ERROR);
	case WISH_RUN:
		break;
	}
	fprintf(stderr, "Utmp %s of %s\n", u->reverse ? "undump" : "dump", object(u));
	return u->reverse ? undump(u) : dump(u);
}
