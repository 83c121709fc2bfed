/* SPDX-License-Identifier: GPL-2.0-or-later */
/* last, lastb - who was logged in, and when, newest first: from wtmp, or called as lastb from btmp. Waits for nothing but
 * its file, its output and, with -d, the resolver. Exit 0: all that could be read is shown; 1: it could not be, the output
 * was lost, the arguments are wrong, or SIGINT ended it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys.h"
#include "lib/tool.h"
#include "records/address.h"
#include "records/alive.h"
#include "records/backward.h"
#include "records/columns.h"
#include "records/history.h"
#include "records/last_args.h"
#include "records/moment.h"

struct last {
	const char *name;
	struct last_args args;
	struct backward reader;
	struct history *history;
	struct address_names *names;
	struct moment moment;
	char numeric[ADDRESS_TEXT_BYTES];
	int64_t now_at_s;               /* of the record reached */
	volatile sig_atomic_t asked;    /* the signal that came, SIGINT or SIGQUIT */
};

static struct last self;

enum { OUT_BYTES = 1 << 16 };

static void note_signal(int signal)
{
	if (self.asked != SIGINT)
		self.asked = signal;
}

static void complain(const struct last *l, int err)
{
	tool_complain(l->name, l->args.path, err);
}

static struct text host_of(struct last *l, const struct record *record)
{
	unsigned char address[LAYOUT_ADDRESS_BYTES];
	const char *host = l->numeric;

	if (!l->args.numeric && !l->args.resolve)
		return record_text(record, TEXT_HOST);
	record_address(record, address);
	if (l->args.numeric)
		address_write(address, l->numeric);
	else if (address_is_none(address))
		return record_text(record, TEXT_HOST);
	else
		host = address_name(l->names, address);
	return (struct text){ host, strlen(host) };
}

static void show(struct last *l, const struct happening *what)
{
	char line[COLUMNS_LINE_MAX + 1];
	int len = columns_write(&l->args.columns, &l->moment, what, host_of(l, &what->record), line);

	(void)fwrite_unlocked(line, 1, (size_t)len, stdout);    /* looked at in tool_finish() */
}

/* True if it is to end here. */
static bool answer_signal(struct last *l)
{
	char date[MOMENT_DATE_BYTES];
	int signal = l->asked;

	l->asked = 0;
	(void)moment_write(&l->moment, l->now_at_s, date);
	printf("Interrupted %s\n", date);
	(void)fflush(stdout);
	return signal == SIGINT;
}

/* 0 at the end of the file or when enough was shown, -EINTR, or another negative errno. */
static int show_all(struct last *l)
{
	struct happening what;
	struct record record;
	int64_t shown = 0;
	bool is_repeated;
	int err;

	while (!(err = backward_next(&l->reader, &record, &is_repeated))) {
		l->now_at_s = record.s;
		if (l->asked && answer_signal(l))
			return -EINTR;
		if (is_repeated || (l->args.has_until && record.s > l->args.until_s))
			continue;
		err = history_take(l->history, &record, &what);
		if (err < 0)
			return err;
		if (!err || !last_args_want(&l->args, &what))
			continue;
		show(l, &what);
		shown++;
		if (l->args.count && shown >= l->args.count)
			return 0;
	}
	return err == -ENOENT ? 0 : err;
}

static void tell_damage(const struct last *l)
{
	if (l->reader.damaged)
		fprintf(stderr, "%s: %s: ignored %llu damaged record%s, the last at byte %lld\n", l->name, l->args.path,
			(unsigned long long)l->reader.damaged, l->reader.damaged == 1 ? "" : "s",
			(long long)l->reader.damaged_at);
}

static void show_beginning(struct last *l)
{
	const char *slash = strrchr(l->args.path, '/');
	int64_t s = l->reader.changed_s;
	char date[MOMENT_DATE_BYTES], name[256];

	(void)snprintf(name, sizeof name, "%s", slash ? slash + 1 : l->args.path);
	columns_clean(name);
	if (l->reader.has_first)
		s = record_of(l->reader.layout, l->reader.first).s;
	(void)moment_write(&l->moment, s, date);
	printf("\n%s begins %s\n", name, date);
}

static int open_file(struct last *l)
{
	int err, fd = sys_open(l->args.path, O_RDONLY | O_NOCTTY | O_CLOEXEC, 0);

	err = fd < 0 ? fd : backward_open(&l->reader, fd, NULL, l->args.is_old);
	if (!err)
		return 0;
	complain(l, err);
	if (err == -ENOENT && l->args.is_default_path)
		fprintf(stderr, "Perhaps this file was removed by the operator to prevent logging %s info.\n", l->name);
	return err;
}

static int watch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	int err = sys_sigaction(SIGINT, &action);

	return err ? err : sys_sigaction(SIGQUIT, &action);
}

static int run(struct last *l)
{
	struct history_config config = {
		.is_bad = l->args.is_bad,
		.with_system = l->args.with_system,
		/* Who is logged in now says nothing of then. */
		.is_alive = l->args.has_until ? NULL : alive_session,
	};
	int err;

	if (open_file(l))
		return TOOL_ERROR;
	if (l->reader.trailing)
		fprintf(stderr, "%s: %s: ignoring %d trailing bytes\n", l->name, l->args.path, l->reader.trailing);
	l->history = history_new(&config);
	l->names = address_names_new();
	err = l->history && l->names ? watch_signals() : -ENOMEM;
	if (!err)
		err = show_all(l);
	tell_damage(l);
	if (err && err != -EINTR)
		complain(l, err);
	if (err != -EINTR)
		show_beginning(l);
	return tool_finish(l->name, stdout, err ? TOOL_ERROR : TOOL_OK);
}

int main(int argc, char **argv)
{
	struct last *l = &self;
	int status;

	l->name = tool_name(argv, "last");
	switch (last_args_read(&l->args, l->name, argc, argv)) {
	case LAST_HELP:
		last_args_help(l->name);
		return tool_finish(l->name, stdout, TOOL_OK);
	case LAST_VERSION:
		return tool_version(l->name);
	case LAST_WRONG:
		return TOOL_ERROR;
	case LAST_RUN:
		break;
	}
	moment_init(&l->moment);
	(void)setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	status = run(l);
	if (l->history)
		history_free(l->history);
	if (l->names)
		address_names_free(l->names);
	return status;
}
