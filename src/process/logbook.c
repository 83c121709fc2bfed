/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/logbook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/systool.h"
#include "lib/tool.h"

enum { TRY_EVERY_MS = 1000, GROW_MIN = 65536 };

static const char cut[] = "[... output truncated ...]\n";

static int set_path(struct logbook *book, const char *path)
{
	char here[PATH_MAX];
	int err = 0;

	if (path[0] == '/')
		here[0] = '\0';
	else
		err = sys_realpath(".", here);
	if (err)
		return err;
	if (snprintf(book->path, sizeof book->path, "%s%s%s", here, here[0] ? "/" : "", path) >= (int)sizeof book->path)
		return -ENAMETOOLONG;
	return 0;
}

/* A link that a stranger left in a directory where everybody may leave things would have us overwrite what he likes. */
static bool is_a_trap(const char *path)
{
	struct sys_identity link, folder;
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (sys_identify(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &link) || !S_ISLNK(link.mode))
		return false;
	if (!link.owner || link.owner == sys_geteuid())
		return false;
	(void)snprintf(parent, sizeof parent, "%.*s", slash > path ? (int)(slash - path) : 1, path);
	return !sys_identify(AT_FDCWD, parent, 0, &folder) && (folder.mode & S_ISVTX) && (folder.mode & S_IWOTH);
}

static void write_out(struct logbook *book, const char *text, size_t len)
{
	int err = io_write_all(book->fd, text, len);

	if (!err || book->has_complained)
		return;
	tool_complain("logsave", book->path, err);
	book->has_complained = true;
}

static void write_held(struct logbook *book)
{
	if (book->is_cut)
		write_out(book, cut, sizeof cut - 1);
	write_out(book, book->held, book->held_bytes);
	free(book->held);
	book->held = NULL;
	book->held_bytes = book->room_bytes = 0;
	book->is_cut = false;
}

static void try_to_open(struct logbook *book)
{
	if (is_a_trap(book->path)) {
		fprintf(stderr, "logsave: %s: a stranger's link is not followed, nothing is saved\n", book->path);
		book->is_refused = true;
		return;
	}
	book->fd = sys_open(book->path, book->flags, 0644);
	book->next_try = mono_after_ms(mono_now(), TRY_EVERY_MS);
	if (book->fd >= 0 && book->held)
		write_held(book);
}

int logbook_begin(struct logbook *book, const char *path, bool appends)
{
	int err;

	memset(book, 0, sizeof *book);
	book->fd = -1;
	book->flags = O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC | (appends ? O_APPEND : O_TRUNC);
	err = set_path(book, path);
	if (err)
		return err;
	try_to_open(book);
	return 0;
}

void logbook_drop(struct logbook *book)
{
	if (book->fd >= 0)
		(void)sys_close(book->fd);
	free(book->held);
	book->held = NULL;
	book->fd = -1;
}

/* Room for so many more bytes, or as many as there may be. */
static bool grow(struct logbook *book, size_t more)
{
	size_t room = book->room_bytes ? book->room_bytes : GROW_MIN;
	char *grown;

	while (room < book->held_bytes + more && room < LOGBOOK_HELD_MAX)
		room *= 2;
	if (room == book->room_bytes)
		return true;
	grown = realloc(book->held, room);
	if (!grown)
		return false;
	book->held = grown;
	book->room_bytes = room;
	return true;
}

/* The newest is kept: what happened last is what is looked for. */
static void hold(struct logbook *book, const char *text, size_t len)
{
	size_t over;

	if (!grow(book, len) && !book->room_bytes) {
		book->is_cut = true;
		return;
	}
	if (len > book->room_bytes) {
		text += len - book->room_bytes;
		len = book->room_bytes;
	}
	over = book->held_bytes + len > book->room_bytes ? book->held_bytes + len - book->room_bytes : 0;
	if (over) {
		/* In large steps, so that a flood does not move all of it for each line. */
		if (over < book->room_bytes / 4)
			over = book->room_bytes / 4;
		if (over > book->held_bytes)
			over = book->held_bytes;
		memmove(book->held, book->held + over, book->held_bytes - over);
		book->held_bytes -= over;
		book->is_cut = true;
	}
	memcpy(book->held + book->held_bytes, text, len);
	book->held_bytes += len;
}

void logbook_write(struct logbook *book, const char *text, size_t len_bytes)
{
	if (book->fd < 0 && !book->is_refused && mono_is_due(book->next_try, mono_now()))
		try_to_open(book);
	if (book->is_refused)
		return;
	if (book->fd >= 0)
		write_out(book, text, len_bytes);
	else
		hold(book, text, len_bytes);
}

bool logbook_is_holding(const struct logbook *book)
{
	return !book->is_refused && book->fd < 0;
}

/* Nothing of the caller's is kept: no terminal, no directory, no signal's handling. */
static void detach(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null = sys_open(NULL_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);

	(void)sys_setsid();                             /* a fresh child leads no group */
	(void)sys_chdir("/");
	for (int signal = 1; signal < 32; signal++)
		(void)sys_sigaction(signal, &plain);    /* KILL and STOP refuse */
	sigemptyset(&none);
	(void)sys_sigmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		if (sys_dup2(null, fd) < 0)
			break;                          /* better than no log at all */
	(void)sys_close_range(3, ~0u);
}

pid_t logbook_save_later(struct logbook *book)
{
	const struct timespec pause = { .tv_sec = TRY_EVERY_MS / 1000 };
	pid_t pid = sys_fork();

	if (pid)
		return pid;
	detach();
	for (int tries = 0; logbook_is_holding(book) && tries < LOGBOOK_TRIES_MAX; tries++) {
		try_to_open(book);
		if (logbook_is_holding(book))
			(void)sys_sleep(&pause);        /* a shorter one is only another try */
	}
	sys_exit(logbook_is_holding(book));
}
