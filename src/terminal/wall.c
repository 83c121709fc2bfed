/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wall - a message to everybody who is logged in. Returns at once; a child of it delivers. Exit 0: the message is on
 * its way; 1: it is not. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/broadcast.h"
#include "lib/clock.h"
#include "lib/logline.h"
#include "lib/tool.h"
#include "terminal/wall_text.h"

#define USAGE "usage: wall [message]\n"

/* For root no name service is asked: it may be what the message is about. False: nobody has this number. */
static bool user_find(char *out, size_t size_bytes)
{
	const struct passwd *entry;
	uid_t uid = getuid();

	if (!uid) {
		snprintf(out, size_bytes, "root");
		return true;
	}
	entry = getpwuid(uid);
	if (!entry)
		return false;
	if (entry->pw_name[0])
		snprintf(out, size_bytes, "%s", entry->pw_name);
	else
		snprintf(out, size_bytes, "uid %u", (unsigned)uid);
	return true;
}

static void log_it(const char *user, const struct wall_text *text)
{
	char line[128];
	int err;

	snprintf(line, sizeof line, "wall: user %.31s broadcasted %d lines (%zu chars)", user, text->lines,
		text->len_bytes);
	err = logline_send("wall", LOG_USER | LOG_INFO, line);
	(void)err;      /* no syslogd, or one that has stopped: the message matters more */
}

static int text_take(struct wall_text *text, char *const words[])
{
	int err = 0;

	if (*words)
		wall_text_of_words(text, words);
	else
		err = wall_text_of_file(text, STDIN_FILENO);
	if (err)
		tool_complain("wall", "standard input", err);
	else if (text->is_cut)
		fprintf(stderr, "wall: the message is too long, only its first %d lines (%zu bytes) are sent\n",
			text->lines, text->len_bytes);
	return err;
}

static int send_text(const char *user, bool is_remote, const struct wall_text *text)
{
	struct broadcast message;
	pid_t deliverer;
	int err;

	if (is_remote)
		broadcast_begin_remote(&message, wall_now().s);
	else
		broadcast_begin(&message, user, wall_now().s);
	broadcast_add_text(&message, text->bytes, text->len_bytes);
	err = broadcast_start(&message, UTMP_PATH, &deliverer);
	if (err == -EIO)                /* of deliver.h, not a call's */
		fputs("wall: not everybody was reached\n", stderr);
	else if (err)
		tool_complain("wall", "not everybody was reached", err);
	return err ? TOOL_ERROR : TOOL_OK;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' }, { 0 } };
	struct wall_text text;
	bool is_remote = false;
	char user[64];
	int option;

	while ((option = getopt_long(argc, argv, "n", longs, NULL)) != -1) {
		switch (option) {
		case 'n':
			if (geteuid() && getgid() != getegid()) {
				fputs("wall -n: not privileged\n", stderr);
				return TOOL_ERROR;
			}
			is_remote = true;
			break;
		case 'h':
			fputs(USAGE, stdout);
			return tool_finish("wall", stdout, TOOL_OK);
		case 'v':
			return tool_version("wall");
		default:
			fputs(USAGE, stderr);
			return TOOL_ERROR;
		}
	}
	if (!user_find(user, sizeof user)) {
		fputs("You don't exist. Go away.\n", stderr);
		return TOOL_ERROR;
	}
	unsetenv("TZ");         /* the banner has the system's time, not the sender's */
	if (text_take(&text, argv + optind))
		return TOOL_ERROR;
	log_it(user, &text);
	return send_text(user, is_remote, &text);
}
