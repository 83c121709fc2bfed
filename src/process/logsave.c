/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logsave - runs a program and saves what it says in a file, in memory until there can be one. Exit: the program's own
 * status; 1 when it was killed, or for an error. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/sys.h"
#include "lib/tool.h"
#include "process/relay.h"

enum wish { WISH_SAVE, WISH_HELP, WISH_VERSION, WISH_NOTHING };
enum { LONG_HELP = 256, LONG_VERSION };

struct logsave {
	bool appends, is_verbose;
	char **operand;                 /* log file, program, its arguments */
	struct logbook book;
	struct relay relay;
};

static enum wish parse(struct logsave *self, int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, LONG_HELP }, { "version", no_argument, NULL, LONG_VERSION }, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "+asv", longs, NULL)) >= 0) {
		if (option == LONG_HELP || option == LONG_VERSION)
			return option == LONG_HELP ? WISH_HELP : WISH_VERSION;
		if (option == '?')
			return WISH_NOTHING;
		self->appends |= option == 'a';
		self->relay.strips |= option == 's';
		self->is_verbose |= option == 'v';
	}
	self->operand = argv + optind;
	return argc - optind < 2 ? WISH_NOTHING : WISH_SAVE;
}

static void give_usage(FILE *out, const char *name)
{
	fprintf(out, "Usage: %s [-asv] logfile program\n", name);
}

/* What logsave itself has to say: on the console only when it was asked to. */
static void note(struct logsave *self, const char *text)
{
	struct relay silent = { .book = &self->book, .console = -1 };

	relay_say(self->is_verbose ? &(struct relay){ .book = &self->book, .console = self->relay.console } : &silent, text,
		strlen(text));
}

static void note_date(struct logsave *self)
{
	struct timespec now;
	const char *text;

	(void)sys_clock(CLOCK_REALTIME, &now);
	text = ctime(&now.tv_sec);
	note(self, text ? text : "\n");
}

static void begin_log(struct logsave *self, bool is_stdin)
{
	note(self, "Log of ");
	if (is_stdin)
		note(self, "stdin");
	for (char **word = self->operand + 1; !is_stdin && *word; word++) {
		note(self, *word);
		note(self, " ");
	}
	note(self, "\n");
	note_date(self);
	note(self, "\n");
}

static void end_log(struct logsave *self)
{
	note(self, "\n");
	note_date(self);
	note(self, "----------------\n");
}

static int run(struct logsave *self)
{
	char text[64], *name = self->operand[1];
	int code, status, err = relay_run(&self->relay, self->operand + 1, &code, &status);
	bool has_exited = !err && code == CLD_EXITED;

	if (err) {
		tool_complain("logsave", name, err);
		return TOOL_ERROR;
	}
	self->relay.strips = false;
	if (has_exited && !status)
		return TOOL_OK;
	(void)snprintf(text, sizeof text, " %s %d\n", has_exited ? "exited with status code" : "died with signal", status);
	relay_say(&self->relay, name, strlen(name));
	relay_say(&self->relay, text, strlen(text));
	return has_exited ? status : TOOL_ERROR;
}

static int copy(struct logsave *self)
{
	int err = relay_copy(&self->relay, STDIN_FILENO);

	if (err)
		tool_complain("logsave", "standard input", err);
	return err ? TOOL_ERROR : TOOL_OK;
}

static void save_later(struct logsave *self)
{
	pid_t pid = logbook_save_later(&self->book);

	if (pid < 0)
		tool_complain("logsave", self->operand[0], pid);
	else if (self->is_verbose)
		printf("Backgrounding to save %s later\n", self->operand[0]);
}

static int save(struct logsave *self)
{
	bool is_stdin = !strcmp(self->operand[1], "-");
	int status, err = logbook_begin(&self->book, self->operand[0], self->appends);

	if (err) {
		tool_complain("logsave", self->operand[0], err);
		self->book.is_refused = true;   /* the program runs all the same */
	}
	begin_log(self, is_stdin);
	status = is_stdin ? copy(self) : run(self);
	end_log(self);
	if (logbook_is_holding(&self->book))
		save_later(self);
	logbook_drop(&self->book);
	(void)fflush(stdout);                   /* the console is not what the status is about */
	return status;
}

/* Descriptors 0 to 2 are somebody's, and signals that the caller had ignored do not keep us from knowing the program's end. */
static void prepare(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, ignored = { .sa_handler = SIG_IGN };
	int fd;

	do
		fd = sys_open(NULL_PATH, O_RDWR | O_NOCTTY, 0);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)sys_close(fd);
	(void)sys_sigaction(SIGCHLD, &plain);
	(void)sys_sigaction(SIGPIPE, &ignored);
}

int main(int argc, char **argv)
{
	struct logsave self = { .relay = { .console = STDOUT_FILENO } };
	const char *name = argc ? argv[0] : "logsave";

	prepare();
	self.relay.book = &self.book;
	switch (parse(&self, argc, argv)) {
	case WISH_SAVE:
		return save(&self);
	case WISH_HELP:
		give_usage(stdout, name);
		return tool_finish("logsave", stdout, TOOL_OK);
	case WISH_VERSION:
		return tool_version("logsave");
	default:
		give_usage(optind < argc && argc - optind >= 2 ? stderr : stdout, name);
		return TOOL_ERROR;
	}
}
