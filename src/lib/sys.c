/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/sys.h"
#include "lib/seam.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* tests/fake/sys.c defines these before it includes this file. */
#ifndef FAKE_CLOCK
#define FAKE_CLOCK(clock, out)
#endif
#ifndef INSTALL_FILTER
#define INSTALL_FILTER(flags, program) syscall(SYS_seccomp, ABI_SECCOMP_FILTER, flags, program)
#endif
#ifndef clone_noting
#define clone_noting(flags, where) syscall(SYS_clone, (unsigned long)(flags), 0L, where, 0L, 0L)
#endif

/* <linux/futex.h>, <linux/kd.h>, <linux/prctl.h> and so on are not among musl's headers: kernel ABI, spelled out. */
enum { ABI_FUTEX_WAIT = 0, ABI_FUTEX_WAKE = 1 };
enum { ABI_CLONE_PARENT_SETTID = 0x00100000 };
enum { ABI_KDSIGACCEPT = 0x4B4E };
enum { ABI_PR_SET_MM = 35, ABI_PR_SET_MM_ARG_START = 8, ABI_PR_SET_MM_ARG_END = 9 };
enum { ABI_MFD_NOEXEC_SEAL = 8 };
enum { ABI_PR_CAPBSET_DROP = 24, ABI_PR_SET_NO_NEW_PRIVS = 38, ABI_PR_CAP_AMBIENT = 47, ABI_CAP_AMBIENT_CLEAR_ALL = 4 };
enum { ABI_CAPABILITY_VERSION = 0x20080522, CAPABILITIES_MAX = 64 };
enum { ABI_SECCOMP_FILTER = 1, ABI_SECCOMP_LOG = 2 };
enum { ABI_ADD_SEALS = 1033, ABI_GET_SEALS = 1034 };

int sys_open(const char *path, int flags, mode_t mode)
{
	BEFORE(open);
	return result(open(path, flags, mode));
}

int sys_close(int fd)
{
	/* No BEFORE: Linux closes the descriptor even when it reports an error. */
	return result(close(fd));
}

ssize_t sys_read(int fd, void *buf, size_t len_bytes)
{
	BEFORE(read);
	return result_size(read(fd, buf, len_bytes));
}

ssize_t sys_write(int fd, const void *buf, size_t len_bytes)
{
	BEFORE(write);
	return result_size(write(fd, buf, len_bytes));
}

ssize_t sys_pread(int fd, void *buf, size_t len_bytes, off_t at)
{
	BEFORE(pread);
	return result_size(pread(fd, buf, len_bytes, at));
}

ssize_t sys_pwrite(int fd, const void *buf, size_t len_bytes, off_t at)
{
	BEFORE(pwrite);
	return result_size(pwrite(fd, buf, len_bytes, at));
}

int sys_ftruncate(int fd, off_t len_bytes)
{
	BEFORE(ftruncate);
	return result(ftruncate(fd, len_bytes));
}

int sys_fstat(int fd, struct stat *out)
{
	BEFORE(fstat);
	return result(fstat(fd, out));
}

int sys_stat(const char *path, struct stat *out)
{
	BEFORE(stat);
	return result(stat(path, out));
}

int sys_access(const char *path, int mode)
{
	BEFORE(access);
	return result(access(path, mode));
}

int sys_unlink(const char *path)
{
	BEFORE(unlink);
	return result(unlink(path));
}

ssize_t sys_getdents(int fd, void *buf, size_t size_bytes)
{
	BEFORE(getdents);
	return result_size(syscall(SYS_getdents64, fd, buf, size_bytes));
}

int sys_mkfifo(const char *path, mode_t mode)
{
	BEFORE(mkfifo);
	return result(mkfifo(path, mode));
}

int sys_chdir(const char *path)
{
	BEFORE(chdir);
	return result(chdir(path));
}

mode_t sys_umask(mode_t mask)
{
	return umask(mask);
}

int sys_dup2(int from, int to)
{
	BEFORE(dup2);
	return result(dup2(from, to));
}

int sys_dup_from(int fd, int at_least)
{
	BEFORE(dup_from);
	return result(fcntl(fd, F_DUPFD_CLOEXEC, at_least));
}

int sys_set_cloexec(int fd, int on)
{
	BEFORE(set_cloexec);
	return result(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0));
}

static void close_one_by_one(unsigned first, unsigned last)
{
	long limit = sysconf(_SC_OPEN_MAX);

	if (limit < 0 || limit > 65536)
		limit = 65536;
	for (unsigned fd = first; fd <= last && fd < (unsigned)limit; fd++)
		close((int)fd);
}

int sys_set_blocking(int fd)
{
	int flags;

	BEFORE(set_blocking);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	return result(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

int sys_close_range(unsigned first, unsigned last)
{
	if (first > last)
		return 0;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, first, last, 0u))
		return 0;
#endif
	close_one_by_one(first, last);
	return 0;
}

int sys_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	BEFORE(poll);
	return result(poll(fds, count, timeout_ms));
}

int sys_pipe(int fds[2], int flags)
{
	BEFORE(pipe);
	return result(pipe2(fds, flags));
}

int sys_lock(int fd, int cmd, struct flock *lock)
{
	BEFORE(lock);
	return result(fcntl(fd, cmd, lock));
}

int sys_memfd(const char *name, unsigned flags)
{
	int fd;

	BEFORE(memfd);
	/* Where vm.memfd_noexec is 2 there is no other; before Linux 6.3 the flag is unknown. */
	fd = result(syscall(SYS_memfd_create, name, flags | ABI_MFD_NOEXEC_SEAL));
	return fd == -EINVAL ? result(syscall(SYS_memfd_create, name, flags)) : fd;
}

int sys_seal(int fd, int seals)
{
	BEFORE(seal);
	return result(fcntl(fd, ABI_ADD_SEALS, seals));
}

int sys_seals(int fd)
{
	BEFORE(seals);
	return result(fcntl(fd, ABI_GET_SEALS));
}

int sys_map(int fd, size_t len_bytes, int prot, int flags, void **out)
{
	void *at;

	BEFORE(map);
	at = mmap(NULL, len_bytes, prot, flags, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*out = at;
	return 0;
}

int sys_protect(void *at, size_t len_bytes, int prot)
{
	BEFORE(protect);
	return result(mprotect(at, len_bytes, prot));
}

int sys_unmap(void *at, size_t len_bytes)
{
	return result(munmap(at, len_bytes));
}

int sys_lock_memory(int flags)
{
	BEFORE(lock_memory);
	return result(mlockall(flags));
}

int sys_socket(int domain, int type, int protocol)
{
	BEFORE(socket);
	return result(socket(domain, type, protocol));
}

int sys_socketpair(int type, int fds[2])
{
	BEFORE(socketpair);
	return result(socketpair(AF_UNIX, type, 0, fds));
}

int sys_connect(int fd, const struct sockaddr *to, socklen_t len_bytes)
{
	BEFORE(connect);
	return result(connect(fd, to, len_bytes));
}

ssize_t sys_send(int fd, const void *buf, size_t len_bytes, int flags)
{
	BEFORE(send);
	return result_size(send(fd, buf, len_bytes, flags));
}

ssize_t sys_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	BEFORE(sendmsg);
	return result_size(sendmsg(fd, msg, flags));
}

ssize_t sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
	BEFORE(recvmsg);
	return result_size(recvmsg(fd, msg, flags));
}

int sys_epoll_create(void)
{
	BEFORE(epoll_create);
	return result(epoll_create1(EPOLL_CLOEXEC));
}

int sys_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	BEFORE(epoll_ctl);
	return result(epoll_ctl(epfd, op, fd, event));
}

int sys_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
{
	BEFORE(epoll_wait);
	return result(epoll_wait(epfd, events, max, timeout_ms));
}

int sys_signalfd(const sigset_t *mask, int flags)
{
	BEFORE(signalfd);
	return result(signalfd(-1, mask, flags));
}

int sys_timerfd(int clock, int flags)
{
	BEFORE(timerfd);
	return result(timerfd_create(clock, flags));
}

int sys_timerfd_set(int fd, int flags, const struct itimerspec *value)
{
	BEFORE(timerfd_set);
	return result(timerfd_settime(fd, flags, value, NULL));
}

int sys_setitimer(const struct itimerval *value)
{
	BEFORE(setitimer);
	return result(setitimer(ITIMER_REAL, value, NULL));
}

int sys_clock(clockid_t clock, struct timespec *out)
{
	FAKE_CLOCK(clock, out);
	return result(clock_gettime(clock, out));
}

int sys_sleep(const struct timespec *duration)
{
	BEFORE(sleep);
	return result(nanosleep(duration, NULL));
}

int sys_inotify(int flags)
{
	BEFORE(inotify);
	return result(inotify_init1(flags));
}

int sys_inotify_add(int fd, const char *path, uint32_t mask)
{
	BEFORE(inotify_add);
	return result(inotify_add_watch(fd, path, mask));
}

int sys_futex_wait(const _Atomic uint32_t *word, uint32_t expected, const struct timespec *timeout)
{
	BEFORE(futex_wait);
	return result(syscall(SYS_futex, word, ABI_FUTEX_WAIT, expected, timeout, NULL, 0));
}

int sys_futex_wake(const _Atomic uint32_t *word)
{
	BEFORE(futex_wake);
	return result(syscall(SYS_futex, word, ABI_FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
}

pid_t sys_fork(void)
{
	BEFORE(fork);
	return result(fork());
}

pid_t sys_fork_noting(int32_t *where)
{
	BEFORE(fork);
	return result(clone_noting(SIGCHLD | ABI_CLONE_PARENT_SETTID, where));
}

int sys_exec(const char *path, char *const argv[], char *const envp[])
{
	BEFORE(exec);
	return result(execve(path, argv, envp));
}

int sys_waitid(idtype_t type, id_t id, siginfo_t *out, int options)
{
	BEFORE(waitid);
	out->si_pid = 0;
	return result(waitid(type, id, out, options));
}

int sys_wait(pid_t pid, siginfo_t *out)
{
	int status = 0;

	BEFORE(wait);
	pid = waitpid(pid, &status, WNOHANG);
	if (pid <= 0)
		return result(pid);
	out->si_pid = pid;
	out->si_code = WIFEXITED(status) ? CLD_EXITED : WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;
	out->si_status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	return 1;
}

int sys_kill(pid_t pid, int signal)
{
	BEFORE(kill);
	return result(kill(pid, signal));
}

pid_t sys_getpid(void)
{
	return getpid();
}

pid_t sys_getppid(void)
{
	return getppid();
}

uid_t sys_geteuid(void)
{
	return geteuid();
}

pid_t sys_setsid(void)
{
	BEFORE(setsid);
	return result(setsid());
}

_Noreturn void sys_exit(int status)
{
	_exit(status);
}

int sys_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	BEFORE(sigmask);
	return result(sigprocmask(how, set, old));
}

int sys_sigaction(int signal, const struct sigaction *action)
{
	BEFORE(sigaction);
	return result(sigaction(signal, action, NULL));
}

void sys_default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	for (int signal = 1; signal <= SIGRTMAX; signal++)
		(void)sys_sigaction(signal, &action);        /* KILL, STOP and libc's own refuse */
}

void sys_unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sys_sigmask(SIG_SETMASK, &none, NULL);         /* cannot fail: the arguments are good */
}

int sys_sigaltstack(const stack_t *stack)
{
	BEFORE(sigaltstack);
	return result(sigaltstack(stack, NULL));
}

int sys_prctl(int option, unsigned long value)
{
	BEFORE(prctl);
	return result(prctl(option, value, 0ul, 0ul, 0ul));
}

int sys_set_title(unsigned long arg_start, unsigned long arg_end)
{
	int err;

	BEFORE(set_title);
	err = result(prctl(ABI_PR_SET_MM, ABI_PR_SET_MM_ARG_START, arg_start, 0ul, 0ul));
	if (err)
		return err;
	return result(prctl(ABI_PR_SET_MM, ABI_PR_SET_MM_ARG_END, arg_end, 0ul, 0ul));
}

int sys_set_core_limit(const struct rlimit *limit)
{
	BEFORE(set_core_limit);
	return result(setrlimit(RLIMIT_CORE, limit));
}

int sys_reboot(int cmd)
{
	BEFORE(reboot);
	return result(reboot(cmd));
}

/* <linux/capability.h>: 64 bits in two halves. */
struct capabilities {
	uint32_t effective, permitted, inheritable;
};

int sys_keep_capabilities(uint64_t kept)
{
	struct {
		uint32_t version;
		int pid;
	} head = { ABI_CAPABILITY_VERSION, 0 };
	struct capabilities half[2];

	BEFORE(keep_capabilities);
	for (unsigned long number = 0; number < CAPABILITIES_MAX; number++)
		if (prctl(ABI_PR_CAPBSET_DROP, number, 0ul, 0ul, 0ul) && errno == EINVAL)
			break;                                   /* the last that the kernel knows is behind us */
	(void)prctl(ABI_PR_CAP_AMBIENT, ABI_CAP_AMBIENT_CLEAR_ALL, 0ul, 0ul, 0ul);   /* before Linux 4.3 there are none */
	if (syscall(SYS_capget, &head, half))
		return -errno;
	for (int i = 0; i < 2; i++) {
		half[i].permitted &= (uint32_t)(kept >> 32 * i);
		half[i].effective = half[i].permitted;
		half[i].inheritable = 0;
	}
	return result(syscall(SYS_capset, &head, half));
}

int sys_no_new_privileges(void)
{
	BEFORE(no_new_privileges);
	return result(prctl(ABI_PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul));
}

int sys_filter(const struct filter_step *step, unsigned count)
{
	const struct {
		unsigned short count;
		const struct filter_step *step;
	} program = { (unsigned short)count, step };
	int err;

	BEFORE(filter);
	err = result(INSTALL_FILTER(ABI_SECCOMP_LOG, &program));
	return err == -EINVAL ? result(INSTALL_FILTER(0, &program)) : err;   /* before Linux 4.14 it logs nothing */
}

int sys_uname(struct utsname *out)
{
	BEFORE(uname);
	return result(uname(out));
}

int sys_mount(const char *what, const char *where, const char *kind, unsigned long flags, const char *options)
{
	BEFORE(mount);
	return result(mount(what, where, kind, flags, options));
}

int sys_unmount(const char *where, int flags)
{
	BEFORE(unmount);
	return result(umount2(where, flags));
}

int sys_isatty(int fd)
{
	BEFORE(isatty);
	return isatty(fd) ? 0 : -errno;
}

int sys_tcgetattr(int fd, struct termios *out)
{
	BEFORE(tcgetattr);
	return result(tcgetattr(fd, out));
}

int sys_tcsetattr(int fd, const struct termios *value)
{
	BEFORE(tcsetattr);
	return result(tcsetattr(fd, TCSANOW, value));
}

int sys_tcflush(int fd, int queue)
{
	BEFORE(tcflush);
	return result(tcflush(fd, queue));
}

int sys_set_ctty(int fd, int steal)
{
	BEFORE(set_ctty);
	return result(ioctl(fd, TIOCSCTTY, steal));
}

int sys_drop_ctty(int fd)
{
	BEFORE(drop_ctty);
	return result(ioctl(fd, TIOCNOTTY));
}

int sys_accept_kbrequest(int fd, int signal)
{
	BEFORE(accept_kbrequest);
	return result(ioctl(fd, ABI_KDSIGACCEPT, signal));
}

