/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systool.h - the seam for the system calls that only tools make; all that sys.h says holds here too. Pid 1 links none of it. */
#ifndef LIB_SYSTOOL_H
#define LIB_SYSTOOL_H

#include <limits.h>
#include <sys/vfs.h>

#include "lib/sys.h"

struct ifreq;                   /* <net/if.h> */

/* files */
int sys_openat(int dir, const char *path, int flags) MUST_CHECK;
off_t sys_lseek(int fd, off_t at, int whence) MUST_CHECK;
int sys_lstat(const char *path, struct stat *out) MUST_CHECK;
int sys_statfs(const char *path, struct statfs *out) MUST_CHECK;
ssize_t sys_readlink(const char *path, char *buf, size_t size_bytes) MUST_CHECK;   /* adds no NUL */
ssize_t sys_readlinkat(int dir, const char *path, char *buf, size_t size_bytes) MUST_CHECK;   /* adds no NUL */
int sys_realpath(const char *path, char out[PATH_MAX]) MUST_CHECK;
int sys_rename(const char *from, const char *to) MUST_CHECK;
int sys_fchmod(int fd, mode_t mode);
int sys_fsync(int fd);
int sys_fdatasync(int fd);
int sys_flock(int fd, int operation) MUST_CHECK;
int sys_getcwd(char *buf, size_t size_bytes) MUST_CHECK;   /* -ERANGE: too small */
int sys_mkdir(const char *path, mode_t mode);
int sys_symlink(const char *target, const char *path);
int sys_set_memory_limit(const struct rlimit *limit) MUST_CHECK;
int sys_set_cpu_limit(const struct rlimit *limit) MUST_CHECK;
int sys_set_nonblocking(int fd) MUST_CHECK;

struct sys_identity {
	uint32_t major, minor;              /* of its file system */
	uint32_t special_major, special_minor;
	uint64_t inode;
	uint32_t links, mode;
	uid_t owner;
	bool knows_mounts;                  /* the kernel says whether ... */
	bool is_mount_root;
};
/* statx(2) with the flags given and AT_STATX_DONT_SYNC: a file system over the network answers from what it remembers.
 * Before Linux 4.11 fstatat(2), which asks the server. */
int sys_identify(int dir, const char *path, int flags, struct sys_identity *out) MUST_CHECK;

/* processes */
pid_t sys_getpgid(pid_t pid) MUST_CHECK;
pid_t sys_getsid(pid_t pid) MUST_CHECK;
uid_t sys_getuid(void);
int sys_setpgid(pid_t pid, pid_t group);
int sys_sigtimedwait(const sigset_t *set, siginfo_t *out, const struct timespec *timeout);
int sys_exec_search(const char *file, char *const argv[]); /* along PATH, and by the shell what has no magic number */
int sys_pidfd_open(pid_t pid) MUST_CHECK;                  /* -ENOSYS before Linux 5.3 */
int sys_pidfd_signal(int pidfd, int signal);

/* going down: the first three may wait for ever, for a dead disk or server */
void sys_sync(void);
int sys_disk_command(int fd, unsigned char *command);      /* HDIO_DRIVE_CMD: {cmd, sector, feature, count}, then count * 512 bytes */
int sys_disk_flush(int fd);                                /* BLKFLSBUF */
int sys_if_get_flags(int fd, struct ifreq *io) MUST_CHECK;
int sys_if_set_flags(int fd, struct ifreq *io) MUST_CHECK;
int sys_acct_off(void);
int sys_reboot_with(const char *text);                     /* LINUX_REBOOT_CMD_RESTART2 */

/* terminals */
int sys_tcsetpgrp(int fd, pid_t group);
pid_t sys_tcgetpgrp(int fd) MUST_CHECK;                    /* -ENOTTY: not the caller's controlling terminal */
int sys_ttyname(int fd, char *buf, size_t size_bytes) MUST_CHECK;
int sys_modem_lines(int fd) MUST_CHECK;                    /* TIOCMGET: those that are up; an error unless it is a serial line */
int sys_active_vt(int fd) MUST_CHECK;                      /* VT_GETSTATE: the number of the one in front */
int sys_unsent_bytes(int fd) MUST_CHECK;                   /* TIOCOUTQ: bytes not yet sent */
int sys_get_winsize(int fd, struct winsize *out) MUST_CHECK;
int sys_set_winsize(int fd, const struct winsize *value);
int sys_pty_unlock(int master) MUST_CHECK;                /* TIOCSPTLCK */
int sys_pty_name(int master, char *buf, size_t size_bytes) MUST_CHECK;     /* of the slave */
int sys_redirect_console(int fd) MUST_CHECK;               /* TIOCCONS: the whole kernel's console; -EBUSY: it has been done */

#endif
