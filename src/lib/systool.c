/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/systool.h"
#include "lib/seam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* tests/fake/sys.c defines these before it includes this file. */
#ifndef REBOOT_WITH
#define REBOOT_WITH(text) syscall(SYS_reboot, 0xfee1dead, 672274793, 0xa1b2c3d4, text)
#endif
#ifndef PIDFD_OPEN
#define PIDFD_OPEN(pid) syscall(SYS_pidfd_open, pid, 0u)
#define PIDFD_SIGNAL(pidfd, signal) syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0u)
#endif
#ifndef STATX
#define STATX(dir, path, flags, mask, out) syscall(SYS_statx, dir, path, flags, mask, out)
#endif
#ifndef REDIRECT_CONSOLE
#define REDIRECT_CONSOLE(fd) ioctl(fd, TIOCCONS)
#endif

/* Kernel ABI that musl's headers do not have, spelled out. */
enum { ABI_VT_GETSTATE = 0x5603 };
enum { ABI_HDIO_DRIVE_CMD = 0x031f, ABI_BLKFLSBUF = 0x1261 };
enum { ABI_SIOCGIFFLAGS = 0x8913, ABI_SIOCSIFFLAGS = 0x8914 };
enum { ABI_STATX_BASIC_STATS = 0x7ff, ABI_AT_STATX_DONT_SYNC = 0x4000, ABI_STATX_ATTR_MOUNT_ROOT = 0x2000 };
struct abi_statx {
	uint32_t mask, block_bytes;
	uint64_t attributes;
	uint32_t links, uid, gid;
	uint16_t mode, spare0;
	uint64_t inode, size, blocks, attributes_mask;
	uint64_t times[8];
	uint32_t special_major, special_minor, major, minor;
	uint64_t spare1[14];
};
_Static_assert(sizeof(struct abi_statx) == 256, "statx(2)");

off_t sys_lseek(int fd, off_t at, int whence)
{
	off_t where;

	BEFORE(lseek);
	where = lseek(fd, at, whence);
	return where < 0 ? -errno : where;
}

int sys_lstat(const char *path, struct stat *out)
{
	BEFORE(lstat);
	return result(lstat(path, out));
}

int sys_rename(const char *from, const char *to)
{
	BEFORE(rename);
	return result(rename(from, to));
}

int sys_fchmod(int fd, mode_t mode)
{
	BEFORE(fchmod);
	return result(fchmod(fd, mode));
}

int sys_fsync(int fd)
{
	BEFORE(fsync);
	return result(fsync(fd));
}

ssize_t sys_readlink(const char *path, char *buf, size_t size_bytes)
{
	BEFORE(readlink);
	return result_size(readlink(path, buf, size_bytes));
}

int sys_statfs(const char *path, struct statfs *out)
{
	BEFORE(statfs);
	return result(statfs(path, out));
}

int sys_fdatasync(int fd)
{
	BEFORE(fdatasync);
	return result(fdatasync(fd));
}

int sys_getcwd(char *buf, size_t size_bytes)
{
	BEFORE(getcwd);
	return getcwd(buf, size_bytes) ? 0 : -errno;
}

int sys_mkdir(const char *path, mode_t mode)
{
	BEFORE(mkdir);
	return result(mkdir(path, mode));
}

int sys_symlink(const char *target, const char *path)
{
	BEFORE(symlink);
	return result(symlink(target, path));
}

int sys_set_memory_limit(const struct rlimit *limit)
{
	BEFORE(set_memory_limit);
	return result(setrlimit(RLIMIT_AS, limit));
}

int sys_set_cpu_limit(const struct rlimit *limit)
{
	BEFORE(set_cpu_limit);
	return result(setrlimit(RLIMIT_CPU, limit));
}

int sys_set_nonblocking(int fd)
{
	int flags;

	BEFORE(set_nonblocking);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	return result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

pid_t sys_getpgid(pid_t pid)
{
	BEFORE(getpgid);
	return result(getpgid(pid));
}

pid_t sys_getsid(pid_t pid)
{
	BEFORE(getsid);
	return result(getsid(pid));
}

uid_t sys_getuid(void)
{
	return getuid();
}

int sys_setpgid(pid_t pid, pid_t group)
{
	BEFORE(setpgid);
	return result(setpgid(pid, group));
}

int sys_sigtimedwait(const sigset_t *set, siginfo_t *out, const struct timespec *timeout)
{
	BEFORE(sigtimedwait);
	return result(sigtimedwait(set, out, timeout));
}

void sys_sync(void)
{
	sync();
}

int sys_disk_command(int fd, unsigned char *command)
{
	BEFORE(disk_command);
	return result(ioctl(fd, ABI_HDIO_DRIVE_CMD, command));
}

int sys_disk_flush(int fd)
{
	BEFORE(disk_flush);
	return result(ioctl(fd, ABI_BLKFLSBUF, 0));
}

int sys_if_get_flags(int fd, struct ifreq *io)
{
	BEFORE(if_get_flags);
	return result(ioctl(fd, ABI_SIOCGIFFLAGS, io));
}

int sys_if_set_flags(int fd, struct ifreq *io)
{
	BEFORE(if_set_flags);
	return result(ioctl(fd, ABI_SIOCSIFFLAGS, io));
}

int sys_acct_off(void)
{
	BEFORE(acct_off);
	return result(acct(NULL));
}

int sys_reboot_with(const char *text)
{
	BEFORE(reboot_with);
	return result(REBOOT_WITH(text));
}

int sys_tcsetpgrp(int fd, pid_t group)
{
	BEFORE(tcsetpgrp);
	return result(tcsetpgrp(fd, group));
}

pid_t sys_tcgetpgrp(int fd)
{
	BEFORE(tcgetpgrp);
	return result(tcgetpgrp(fd));
}

int sys_ttyname(int fd, char *buf, size_t size_bytes)
{
	BEFORE(ttyname);
	return -ttyname_r(fd, buf, size_bytes);
}

int sys_modem_lines(int fd)
{
	int lines, err;

	BEFORE(modem_lines);
	err = result(ioctl(fd, TIOCMGET, &lines));
	return err ? err : lines;
}

int sys_active_vt(int fd)
{
	struct {
		unsigned short active, signal, state;
	} vt;
	int err;

	BEFORE(active_vt);
	err = result(ioctl(fd, ABI_VT_GETSTATE, &vt));
	return err ? err : vt.active;
}

int sys_unsent_bytes(int fd)
{
	int count, err;

	BEFORE(unsent_bytes);
	err = result(ioctl(fd, TIOCOUTQ, &count));
	return err ? err : count;
}

int sys_get_winsize(int fd, struct winsize *out)
{
	BEFORE(get_winsize);
	return result(ioctl(fd, TIOCGWINSZ, out));
}

int sys_set_winsize(int fd, const struct winsize *value)
{
	BEFORE(set_winsize);
	return result(ioctl(fd, TIOCSWINSZ, value));
}

int sys_pty_unlock(int master)
{
	int zero = 0;

	BEFORE(pty_unlock);
	return result(ioctl(master, TIOCSPTLCK, &zero));
}

int sys_pty_name(int master, char *buf, size_t size_bytes)
{
	BEFORE(pty_name);
	return -ptsname_r(master, buf, size_bytes);
}

int sys_redirect_console(int fd)
{
	BEFORE(redirect_console);
	return result(REDIRECT_CONSOLE(fd));
}

int sys_openat(int dir, const char *path, int flags)
{
	BEFORE(openat);
	return result(openat(dir, path, flags));
}

ssize_t sys_readlinkat(int dir, const char *path, char *buf, size_t size_bytes)
{
	BEFORE(readlinkat);
	return result_size(readlinkat(dir, path, buf, size_bytes));
}

int sys_realpath(const char *path, char out[PATH_MAX])
{
	BEFORE(realpath);
	return realpath(path, out) ? 0 : -errno;
}

static int identify_by_stat(int dir, const char *path, int flags, struct sys_identity *out)
{
	struct stat st;

	if (fstatat(dir, path, &st, flags))
		return -errno;
	*out = (struct sys_identity){ .major = major(st.st_dev), .minor = minor(st.st_dev),
		.special_major = major(st.st_rdev), .special_minor = minor(st.st_rdev), .inode = st.st_ino,
		.links = (uint32_t)st.st_nlink, .mode = st.st_mode, .owner = st.st_uid };
	return 0;
}

int sys_identify(int dir, const char *path, int flags, struct sys_identity *out)
{
	struct abi_statx st;
	int err;

	BEFORE(identify);
	memset(&st, 0, sizeof st);
	err = result(STATX(dir, path, flags | ABI_AT_STATX_DONT_SYNC, ABI_STATX_BASIC_STATS, &st));
	if (err == -ENOSYS)
		return identify_by_stat(dir, path, flags, out);
	if (err)
		return err;
	*out = (struct sys_identity){ .major = st.major, .minor = st.minor, .special_major = st.special_major,
		.special_minor = st.special_minor, .inode = st.inode, .links = st.links, .mode = st.mode, .owner = st.uid,
		.knows_mounts = st.attributes_mask & ABI_STATX_ATTR_MOUNT_ROOT,
		.is_mount_root = st.attributes & ABI_STATX_ATTR_MOUNT_ROOT };
	return 0;
}

int sys_flock(int fd, int operation)
{
	BEFORE(flock);
	return result(flock(fd, operation));
}

int sys_pidfd_open(pid_t pid)
{
	BEFORE(pidfd_open);
	return result(PIDFD_OPEN(pid));
}

int sys_pidfd_signal(int pidfd, int signal)
{
	BEFORE(pidfd_signal);
	return result(PIDFD_SIGNAL(pidfd, signal));
}

int sys_exec_search(const char *file, char *const argv[])
{
	BEFORE(exec_search);
	return result(execvp(file, argv));
}
