/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"

enum { STATUS_SIZE = 4096, TASKS_SIZE = 1024 };

void home_find(struct home *home, int proc)
{
	*home = (struct home){ .uid = sys_getuid() };
	home->has_root = !sys_identify(proc, "self/root", 0, &home->root);
	home->has_mounts = !sys_identify(proc, "self/ns/mnt", 0, &home->mounts);
}

void subject_begin(struct subject *subject, int proc, pid_t pid, int stuck, _Atomic int *doing)
{
	subject->proc = proc;
	subject->pid = pid;
	subject->thread = 0;
	subject->stuck = stuck;
	subject->doing = doing;
	subject->has_stat = subject->has_cmdline = subject->has_exe = false;
	subject->argv0 = subject->argv1 = NULL;
}

/* False: that part is known to hang. */
static bool may_touch(const struct subject *subject, enum subject_part part)
{
	if (subject->stuck & (int)part)
		return false;
	if (subject->doing)
		*subject->doing = (int)part;
	return true;
}

const struct procfs_stat *subject_stat(struct subject *subject)
{
	if (!subject->has_stat) {
		subject->stat_err = procfs_read_stat(subject->proc, subject->pid, &subject->stat);
		subject->has_stat = true;
	}
	return subject->stat_err ? NULL : &subject->stat;
}

/* The name of a file of the process, or of the thread that stands for it. */
static const char *file_name(const struct subject *subject, const char *name, char room[PROCFS_NAME_SIZE])
{
	if (!subject->thread)
		return name;
	(void)snprintf(room, PROCFS_NAME_SIZE, "task/%d/%s", subject->thread, name);
	return room;
}

/* A thread that still has what the first one gave back when it ended. 0: there is none. */
static pid_t find_other_thread(const struct subject *subject)
{
	struct procfs_list list;
	_Alignas(8) char buf[TASKS_SIZE];
	pid_t found = 0, thread;
	int fd;

	if (procfs_open_file(subject->proc, subject->pid, "task", &fd))
		return 0;
	if (!procfs_list_begin(&list, fd, buf, sizeof buf)) {
		while (!found && !procfs_list_next(&list, &thread))
			if (thread != subject->pid)
				found = thread;
	}
	(void)sys_close(fd);
	return found;
}

/* True if its first thread alone has ended, and another one was found to ask. */
static bool move_to_other_thread(struct subject *subject)
{
	const struct procfs_stat *stat = subject->thread ? NULL : subject_stat(subject);

	if (!stat || stat->state != 'Z' || procfs_is_zombie(stat))
		return false;
	subject->thread = find_other_thread(subject);
	return subject->thread != 0;
}

static ssize_t read_file(const struct subject *subject, const char *name, char *buf, size_t size)
{
	char room[PROCFS_NAME_SIZE];
	ssize_t len;
	int fd, err = procfs_open_file(subject->proc, subject->pid, file_name(subject, name, room), &fd);

	if (err)
		return err;
	len = sys_read(fd, buf, size - 1);
	(void)sys_close(fd);
	if (len >= 0)
		buf[len] = '\0';
	return len;
}

static const char *first_operand(const char *at, const char *end)
{
	for (; at < end && *at; at += strlen(at) + 1)
		if (*at != '-')
			return at;
	return NULL;
}

static void read_cmdline(struct subject *subject)
{
	ssize_t len = 0;

	if (subject->has_cmdline)
		return;
	subject->has_cmdline = true;
	if (!may_touch(subject, SUBJECT_CMDLINE))
		return;
	len = read_file(subject, "cmdline", subject->cmdline, sizeof subject->cmdline);
	if (!len && move_to_other_thread(subject))
		len = read_file(subject, "cmdline", subject->cmdline, sizeof subject->cmdline);
	if (len <= 0)
		return;
	subject->argv0 = subject->cmdline;
	subject->argv1 = first_operand(subject->cmdline + strlen(subject->cmdline) + 1, subject->cmdline + len);
}

const char *subject_argv0(struct subject *subject)
{
	read_cmdline(subject);
	return subject->argv0;
}

const char *subject_argv1(struct subject *subject)
{
	read_cmdline(subject);
	return subject->argv1;
}

static int read_exe(struct subject *subject)
{
	char room[PROCFS_NAME_SIZE], path[PROCFS_NAME_SIZE + 16];
	ssize_t len;

	(void)snprintf(path, sizeof path, "%d/%s", subject->pid, file_name(subject, "exe", room));
	len = sys_readlinkat(subject->proc, path, subject->exe, sizeof subject->exe - 1);
	if (len < 0)
		return (int)len;
	subject->exe[len] = '\0';
	return 0;
}

const char *subject_exe(struct subject *subject)
{
	if (!subject->has_exe) {
		subject->exe_err = may_touch(subject, SUBJECT_EXE) ? read_exe(subject) : -EAGAIN;
		if (subject->exe_err == -ENOENT && move_to_other_thread(subject))
			subject->exe_err = read_exe(subject);
		subject->has_exe = true;
	}
	return subject->exe_err ? NULL : subject->exe;
}

static int identify(const struct subject *subject, const char *name, struct sys_identity *out)
{
	char room[PROCFS_NAME_SIZE], path[PROCFS_NAME_SIZE + 16];

	(void)snprintf(path, sizeof path, "%d/%s", subject->pid, file_name(subject, name, room));
	return sys_identify(subject->proc, path, 0, out);
}

int subject_identify_exe(struct subject *subject, struct sys_identity *out)
{
	return may_touch(subject, SUBJECT_PLACES) ? identify(subject, "exe", out) : -EAGAIN;
}

static bool is_same_file(const struct sys_identity *a, const struct sys_identity *b)
{
	return a->major == b->major && a->minor == b->minor && a->inode == b->inode;
}

int subject_has_root_of(struct subject *subject, const struct home *home)
{
	struct sys_identity root;
	int err = may_touch(subject, SUBJECT_PLACES) ? identify(subject, "root", &root) : -EAGAIN;

	if (err)
		return err;
	return home->has_root && is_same_file(&root, &home->root);
}

bool subject_is_apart(struct subject *subject, const struct home *home)
{
	struct sys_identity mounts;

	if (subject_has_root_of(subject, home) == 0)
		return true;
	return home->has_mounts && !identify(subject, "ns/mnt", &mounts) && !is_same_file(&mounts, &home->mounts);
}

bool subject_is_trusted(struct subject *subject, const struct home *home)
{
	char text[STATUS_SIZE];
	const char *line;
	unsigned real, effective;
	ssize_t len = may_touch(subject, SUBJECT_PLACES) ? read_file(subject, "status", text, sizeof text) : -EAGAIN;

	line = len > 0 ? strstr(text, "\nUid:") : NULL;
	if (!line || sscanf(line, "\nUid: %u %u", &real, &effective) != 2)
		return false;
	return (!real || real == home->uid) && (!effective || effective == home->uid);
}
