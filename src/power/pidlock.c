/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/pidlock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "lib/systool.h"

/* In the pid file the first byte says that somebody is the one, the second that he can still be called off. */
enum place { PLACE_OWNER, PLACE_OPEN };

enum { TRIES = 1000, OPEN_FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

static struct flock at_place(enum place place, short type)
{
	struct flock lock;

	memset(&lock, 0, sizeof lock);
	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	lock.l_start = place;
	lock.l_len = 1;
	return lock;
}

static int lock_at(int fd, enum place place, short type)
{
	struct flock lock = at_place(place, type);

	return sys_lock(fd, F_SETLK, &lock);
}

/* Who has it locked to write; 0: nobody. */
static pid_t writer(int fd, enum place place)
{
	struct flock lock = at_place(place, F_RDLCK);

	if (sys_lock(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

/* Does the name still lead to what is open? Its last owner may have removed it between our open and our lock. */
static bool is_named(int fd)
{
	struct stat open_one, named;

	return !sys_fstat(fd, &open_one) && !sys_stat(SHUTDOWN_LOCK_PATH, &named) &&
		open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* The file is removed by its owner alone, so whoever has locked the one that bears the name is the only one. */
static int elect(int *out)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int err, fd = sys_open(SHUTDOWN_LOCK_PATH, OPEN_FLAGS, 0600);

		if (fd < 0)
			return fd;
		err = lock_at(fd, PLACE_OWNER, F_WRLCK);
		if (!err && is_named(fd)) {
			*out = fd;
			return 0;
		}
		sys_close(fd);
		if (err)
			return err == -EACCES ? -EAGAIN : err;
	}
	return -EAGAIN;
}

/* A new one, in place of whatever bears the name: by the owner only. */
static int pid_file_make(int *out)
{
	char text[32];
	int len, err, fd;

	(void)sys_unlink(SHUTDOWN_PID_PATH);
	fd = sys_open(SHUTDOWN_PID_PATH, OPEN_FLAGS | O_EXCL, 0644);
	if (fd < 0)
		return fd;
	(void)sys_fchmod(fd, 0644);
	len = snprintf(text, sizeof text, "%d\n", (int)sys_getpid());
	err = lock_at(fd, PLACE_OWNER, F_WRLCK);
	if (!err && sys_pwrite(fd, text, (size_t)len, 0) != len)
		err = -ENOSPC;
	if (err)
		sys_close(fd);
	else
		*out = fd;
	return err;
}

int pidlock_take(struct pidlock *lock)
{
	int err;

	*lock = PIDLOCK_NONE;
	err = elect(&lock->lock_fd);
	if (!err)
		err = pid_file_make(&lock->pid_fd);
	return err == -EAGAIN ? -EBUSY : err;
}

void pidlock_set_open(struct pidlock *lock, bool is_open)
{
	if (lock->pid_fd >= 0)
		(void)!lock_at(lock->pid_fd, PLACE_OPEN, is_open ? F_WRLCK : F_UNLCK);  /* no more than a courtesy */
}

void pidlock_drop(struct pidlock *lock)
{
	if (lock->pid_fd >= 0) {
		(void)sys_unlink(SHUTDOWN_PID_PATH);
		sys_close(lock->pid_fd);
	}
	if (lock->lock_fd >= 0) {
		(void)sys_unlink(SHUTDOWN_LOCK_PATH);
		sys_close(lock->lock_fd);
	}
	*lock = PIDLOCK_NONE;
}

static int pid_file_open(int *out)
{
	char text[32];
	int fd = sys_open(SHUTDOWN_PID_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	ssize_t len;

	if (fd < 0)
		return -ENOENT;
	len = sys_pread(fd, text, sizeof text - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	if (atoi(text) <= 0) {
		sys_close(fd);
		return -ENOENT;
	}
	*out = fd;
	return 0;
}

int pidlock_owner(pid_t *out)
{
	int fd, err = pid_file_open(&fd);
	pid_t pid;

	if (err)
		return err;
	pid = writer(fd, PLACE_OWNER);
	sys_close(fd);
	if (pid <= 1)
		return -ESRCH;
	*out = pid;
	return 0;
}

/* The process is held by a descriptor before its lock is looked at again: then it is the owner, not one that has its
 * number. Where kernels have no such descriptors the moment between the two is as short as can be. */
static int signal_owner(int fd, pid_t pid, int signal)
{
	int err, pidfd = sys_pidfd_open(pid);

	if (writer(fd, PLACE_OWNER) != pid)
		err = -ESRCH;
	else if (!writer(fd, PLACE_OPEN))
		err = -EINPROGRESS;
	else
		err = pidfd >= 0 ? sys_pidfd_signal(pidfd, signal) : sys_kill(pid, signal);
	if (pidfd >= 0)
		sys_close(pidfd);
	return err;
}

int pidlock_signal(int signal)
{
	int fd, err = pid_file_open(&fd);
	pid_t pid;

	if (err)
		return err;
	pid = writer(fd, PLACE_OWNER);
	err = pid <= 1 ? -ESRCH : signal_owner(fd, pid, signal);
	sys_close(fd);
	return err;
}
