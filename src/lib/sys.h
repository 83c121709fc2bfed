/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sys.h - the one seam for system calls: every call our programs make goes through here, or through systool.h
 * if pid 1 does not make it.
 * Each returns what the call returns, or a negative errno; nothing is retried and errno is read nowhere
 * else. Whether a call can block is the kernel's business: the caller says so in its own contract. Unit
 * tests link tests/fake/sys.c instead, in which any call can be made to fail. */
#ifndef LIB_SYS_H
#define LIB_SYS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <termios.h>
#include <time.h>

#include "lib/num.h"

/* files */
int sys_open(const char *path, int flags, mode_t mode) MUST_CHECK;
int sys_close(int fd);
ssize_t sys_read(int fd, void *buf, size_t len_bytes) MUST_CHECK;
ssize_t sys_write(int fd, const void *buf, size_t len_bytes) MUST_CHECK;
ssize_t sys_pread(int fd, void *buf, size_t len_bytes, off_t at) MUST_CHECK;
ssize_t sys_pwrite(int fd, const void *buf, size_t len_bytes, off_t at) MUST_CHECK;
int sys_ftruncate(int fd, off_t len_bytes) MUST_CHECK;
int sys_fstat(int fd, struct stat *out) MUST_CHECK;
int sys_stat(const char *path, struct stat *out) MUST_CHECK;
int sys_access(const char *path, int mode) MUST_CHECK;
int sys_unlink(const char *path);
/* linux_dirent64 records; errors as of getdents64(2). */
ssize_t sys_getdents(int fd, void *buf, size_t size_bytes) MUST_CHECK;
int sys_mkfifo(const char *path, mode_t mode) MUST_CHECK;
int sys_chdir(const char *path);
mode_t sys_umask(mode_t mask);

/* descriptors */
int sys_dup2(int from, int to) MUST_CHECK;
int sys_dup_from(int fd, int at_least) MUST_CHECK;        /* F_DUPFD_CLOEXEC */
int sys_set_cloexec(int fd, int on) MUST_CHECK;
int sys_set_blocking(int fd) MUST_CHECK;                   /* clears O_NONBLOCK of the open file description */
int sys_close_range(unsigned first, unsigned last);        /* -ENOSYS before Linux 5.9: closes one by one */
int sys_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int sys_pipe(int fds[2], int flags) MUST_CHECK;
int sys_lock(int fd, int cmd, struct flock *lock) MUST_CHECK;  /* F_SETLK, F_GETLK; never F_SETLKW */
int sys_memfd(const char *name, unsigned flags) MUST_CHECK;    /* MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2 */
int sys_seal(int fd, int seals) MUST_CHECK;                /* F_SEAL_WRITE waits for work on every processor */
int sys_seals(int fd) MUST_CHECK;                          /* those it has */
int sys_map(int fd, size_t len_bytes, int prot, int flags, void **out) MUST_CHECK;
int sys_protect(void *at, size_t len_bytes, int prot) MUST_CHECK;
int sys_unmap(void *at, size_t len_bytes);
int sys_lock_memory(int flags);                            /* mlockall(2) */

/* sockets */
int sys_socket(int domain, int type, int protocol) MUST_CHECK;
int sys_socketpair(int type, int fds[2]) MUST_CHECK;       /* AF_UNIX */
int sys_connect(int fd, const struct sockaddr *to, socklen_t len_bytes) MUST_CHECK;
ssize_t sys_send(int fd, const void *buf, size_t len_bytes, int flags) MUST_CHECK;
ssize_t sys_sendmsg(int fd, const struct msghdr *msg, int flags) MUST_CHECK;
ssize_t sys_recvmsg(int fd, struct msghdr *msg, int flags) MUST_CHECK;

/* waiting and time */
int sys_epoll_create(void) MUST_CHECK;
int sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int sys_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms);
int sys_signalfd(const sigset_t *mask, int flags) MUST_CHECK;
int sys_timerfd(int clock, int flags) MUST_CHECK;
int sys_timerfd_set(int fd, int flags, const struct itimerspec *value) MUST_CHECK;
int sys_setitimer(const struct itimerval *value);          /* ITIMER_REAL */
int sys_clock(clockid_t clock, struct timespec *out);      /* cannot fail for the clocks that we name */
int sys_sleep(const struct timespec *duration);            /* helpers and children only */
int sys_inotify(int flags) MUST_CHECK;
int sys_inotify_add(int fd, const char *path, uint32_t mask) MUST_CHECK;
/* Sleeps while *word == expected, at most timeout (NULL: for ever). 0, -EAGAIN (differs), -ETIMEDOUT, -EINTR. */
int sys_futex_wait(const _Atomic uint32_t *word, uint32_t expected, const struct timespec *timeout);
int sys_futex_wake(const _Atomic uint32_t *word);          /* wakes all; number woken */

/* processes */
pid_t sys_fork(void) MUST_CHECK;
/* The same, and the child's pid stands in *where (memory that both share) before either goes on: also if the parent does
 * not live to see it. */
pid_t sys_fork_noting(int32_t *where) MUST_CHECK;
int sys_exec(const char *path, char *const argv[], char *const envp[]);
int sys_waitid(idtype_t type, id_t id, siginfo_t *out, int options) MUST_CHECK;
/* A child that has ended (pid -1: any), without waiting: 1 and its pid, code and status as waitid(2) tells them, 0 (none
 * has), or a negative errno. Made of wait4(2), which costs the caller a tenth less. */
int sys_wait(pid_t pid, siginfo_t *out) MUST_CHECK;
int sys_kill(pid_t pid, int signal);
pid_t sys_getpid(void);
pid_t sys_getppid(void);
uid_t sys_geteuid(void);
pid_t sys_setsid(void);
_Noreturn void sys_exit(int status);
int sys_sigmask(int how, const sigset_t *set, sigset_t *old);
int sys_sigaction(int signal, const struct sigaction *action);
void sys_default_signals(void);                            /* the default for each that has one */
void sys_unblock_signals(void);                            /* all of them */
int sys_sigaltstack(const stack_t *stack);
int sys_prctl(int option, unsigned long value);
int sys_set_title(unsigned long arg_start, unsigned long arg_end);   /* PR_SET_MM of the command line's bounds */
int sys_set_core_limit(const struct rlimit *limit);
int sys_reboot(int cmd);
/* Of the permitted capabilities these stay, permitted and effective; nothing inheritable, ambient, or in the bounding set. */
int sys_keep_capabilities(uint64_t kept);
int sys_no_new_privileges(void) MUST_CHECK;
/* For good: seccomp(2) asks the program (cBPF, laid out as struct sock_filter) at each call. */
struct filter_step {
	uint16_t op;
	uint8_t if_so, if_not;
	uint32_t k;
};
int sys_filter(const struct filter_step *step, unsigned count);
int sys_uname(struct utsname *out);

/* file systems: children only, pid 1 never */
int sys_mount(const char *what, const char *where, const char *kind, unsigned long flags, const char *options) MUST_CHECK;
int sys_unmount(const char *where, int flags);

/* terminals: children and helpers only, pid 1 never */
int sys_isatty(int fd) MUST_CHECK;                         /* 0 or -ENOTTY, -EIO ... */
int sys_tcgetattr(int fd, struct termios *out) MUST_CHECK;
int sys_tcsetattr(int fd, const struct termios *value) MUST_CHECK;   /* TCSANOW: the others may wait for ever */
int sys_tcflush(int fd, int queue);
int sys_set_ctty(int fd, int steal);                       /* TIOCSCTTY */
int sys_drop_ctty(int fd);                                 /* TIOCNOTTY */
int sys_accept_kbrequest(int fd, int signal);              /* KDSIGACCEPT: the one that pid 1 must make itself */

#endif
