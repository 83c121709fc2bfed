/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readbootlog - prints the boot log as the screen had it, without anything that steers a terminal. Exit 0: printed; 1: the
 * log could not be read, the output not be written, or the call was wrong. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/tool.h"
#include "terminal/follow.h"
#include "terminal/render.h"

enum {
	READ_BYTES = 65536,
	LINE_BYTES_MAX = 1 << 22,       /* a longer line comes in pieces of this size */
};

struct options {
	const char *path;
	bool follow;
};

/* A line that has begun. */
struct pending {
	char *bytes;
	size_t count, room;
};

static void usage(FILE *to)
{
	fputs("Usage: readbootlog [-F] [-f logfile]\n"
		"       readbootlog -h | --version\n"
		"Prints what bootlogd has logged, fit to be read.\n"
		"  -f logfile    the log to be read; " BOOT_LOG_PATH " by default\n"
		"  -f            as the last argument: like -F\n"
		"  -F, --follow  goes on with what is added\n"
		"  -h, --help    this text\n", to);
}

static int usage_error(const char *name, int letter)
{
	if (letter)
		fprintf(stderr, "%s: invalid option -- '%c'\n", name, letter);
	else
		fprintf(stderr, "%s: unrecognized option\n", name);
	usage(stderr);
	return TOOL_ERROR;
}

/* -1: go on; else the status to exit with. */
static int options_parse(struct options *options, const char *name, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "follow", no_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, ":f:Fh", longs, NULL)) >= 0) {
		switch (letter) {
		case 'f':
			options->path = optarg;
			break;
		case ':':       /* -f without a file */
		case 'F':
			options->follow = true;
			break;
		case 'h':
			usage(stdout);
			return tool_finish(name, stdout, TOOL_OK);
		case 'V':
			return tool_version(name);
		default:
			return usage_error(name, optopt);
		}
	}
	if (optind < argc)
		fprintf(stderr, "%s: %s: ignored; a log is named with -f\n", name, argv[optind]);
	return -1;
}

static int line_print(struct render *render, const char *line, size_t len_bytes, bool is_ended)
{
	int err = render_line(render, line, len_bytes);

	if (err)
		return err;
	fwrite(render->text, 1, render->text_bytes, stdout);
	if (is_ended)
		putchar('\n');
	return 0;
}

static int pending_add(struct pending *pending, const char *bytes, size_t len_bytes)
{
	/* Also for nothing: an empty line is a text, too. */
	if (pending->count + len_bytes >= pending->room) {
		size_t room = 2 * (pending->count + len_bytes + 1);
		char *grown = realloc(pending->bytes, room);

		if (!grown)
			return -ENOMEM;
		pending->bytes = grown;
		pending->room = room;
	}
	memcpy(pending->bytes + pending->count, bytes, len_bytes);
	pending->count += len_bytes;
	return 0;
}

static int pending_print(struct render *render, struct pending *pending, bool is_ended)
{
	int err = pending->count || is_ended ? line_print(render, pending->bytes, pending->count, is_ended) : 0;

	pending->count = 0;
	return err;
}

/* Prints the lines that are whole. */
static int take(struct render *render, struct pending *pending, const char *bytes, size_t len_bytes)
{
	int err = 0;

	while (len_bytes && !err) {
		const char *end = memchr(bytes, '\n', len_bytes);
		size_t len = end ? (size_t)(end - bytes) : len_bytes;

		err = pending_add(pending, bytes, len);
		if (!err && (end || pending->count >= LINE_BYTES_MAX))
			err = pending_print(render, pending, end);
		len += end ? 1 : 0;
		bytes += len;
		len_bytes -= len;
	}
	return err;
}

/* Until the end; or, when it is to be followed, until nobody reads. */
static int copy(const struct options *options, struct follow *follow, struct render *render, struct pending *pending)
{
	char bytes[READ_BYTES];
	int err = 0;

	while (!err && !ferror(stdout)) {
		ssize_t got = follow_read(follow, bytes, sizeof bytes);

		if (got < 0)
			return (int)got;
		if (got) {
			err = take(render, pending, bytes, (size_t)got);
			continue;
		}
		if (!options->follow)
			break;
		if (fflush(stdout))
			break;
		err = follow_wait(follow, STDOUT_FILENO);
		if (err == -EPIPE)
			return 0;
		/* The rest of the old file is a line of its own. */
		if (err == 1)
			err = pending_print(render, pending, pending->count);
	}
	return err ? err : pending_print(render, pending, false);
}

int main(int argc, char **argv)
{
	const char *name = tool_name(argv, "readbootlog");
	struct options options = { .path = BOOT_LOG_PATH };
	struct pending pending = { 0 };
	struct render render = { 0 };
	struct follow follow;
	int err, status = options_parse(&options, name, argc, argv);

	if (status >= 0)
		return status;
	err = follow_open(&follow, options.path);
	if (err) {
		fprintf(stderr, "Unable to open file %s: %s\n", options.path, strerror(-err));
		return TOOL_ERROR;
	}
	err = copy(&options, &follow, &render, &pending);
	follow_close(&follow);
	render_free(&render);
	free(pending.bytes);
	if (err)
		tool_complain(name, options.path, err);
	return tool_finish(name, stdout, err ? TOOL_ERROR : TOOL_OK);
}
