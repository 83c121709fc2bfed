/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fault_here(const char *name);
static bool fake_clock_read(clockid_t clock, struct timespec *out);

#define BEFORE(name)                                                                               \
	do {                                                                                       \
		int injected_ = fault_here(#name);                                                 \
		if (injected_)                                                                     \
			return injected_;                                                          \
	} while (0)
#define FAKE_CLOCK(clock, out)                                                                     \
	do {                                                                                       \
		if (fake_clock_read(clock, out))                                                   \
			return 0;                                                                  \
	} while (0)

#define REBOOT_WITH(text) ((void)(text), fake_reboot((int)0xa1b2c3d4))

/* Each takes the place of the call of its name in lib/sys.c. */
static int fake_open(const char *path, int flags, mode_t mode);
static int fake_stat(const char *path, struct stat *out);
static int fake_access(const char *path, int mode);
static int fake_unlink(const char *path);
static int fake_mkfifo(const char *path, mode_t mode);
static int fake_chdir(const char *path);
static int fake_inotify_add_watch(int fd, const char *path, uint32_t mask);
static int fake_execve(const char *path, char *const argv[], char *const envp[]);
static int fake_connect(int fd, const struct sockaddr *to, socklen_t len_bytes);
static pid_t fake_fork(void);
static pid_t fake_fork_noting(int32_t *where);
static pid_t fake_getpid(void);
static int fake_kill(pid_t pid, int signal);
static int fake_waitid(idtype_t type, id_t id, siginfo_t *out, int options);
static pid_t fake_waitpid(pid_t pid, int *status, int options);
static int fake_reboot(int cmd);
static int fake_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
static int fake_nanosleep(const struct timespec *duration, struct timespec *left);
static int fake_mlockall(int flags);
static ssize_t fake_readlink(const char *path, char *buf, size_t size);
static int fake_statfs(const char *path, struct statfs *out);
static void fake_sync(void);
static int fake_pidfd_open(pid_t pid);
static int fake_statx(int dir, const char *path, int flags, unsigned mask, void *out);
static int fake_pidfd_signal(int pidfd, int signal);
static pid_t fake_getsid(pid_t pid);
static int fake_mount(const char *where);
static int fake_mkdir(const char *path, mode_t mode);
static int fake_symlink(const char *target, const char *path);
static int fake_umount2(const char *where);
static int fake_lstat(const char *path, struct stat *out);
static int fake_rename(const char *from, const char *to);
static int fake_redirect(int fd);
static int fake_filter(unsigned flags, const void *program);

/* With arguments, so that nothing but a call is meant. */
#define open(path, flags, mode) fake_open(path, flags, mode)
#define stat(path, out) fake_stat(path, out)
#define access(path, mode) fake_access(path, mode)
#define unlink(path) fake_unlink(path)
#define mkfifo(path, mode) fake_mkfifo(path, mode)
#define chdir(path) fake_chdir(path)
#define inotify_add_watch(fd, path, mask) fake_inotify_add_watch(fd, path, mask)
#define execve(path, argv, envp) fake_execve(path, argv, envp)
#define connect(fd, to, len_bytes) fake_connect(fd, to, len_bytes)
#define fork() fake_fork()
#define clone_noting(flags, where) fake_fork_noting(where)
#define getpid() fake_getpid()
#define kill(pid, signal) fake_kill(pid, signal)
#define waitid(type, id, out, options) fake_waitid(type, id, out, options)
#define waitpid(pid, status, options) fake_waitpid(pid, status, options)
#define reboot(cmd) fake_reboot(cmd)
#define poll(fds, count, timeout_ms) fake_poll(fds, count, timeout_ms)
#define nanosleep(duration, left) fake_nanosleep(duration, left)
#define mlockall(flags) fake_mlockall(flags)
#define readlink(path, buf, size) fake_readlink(path, buf, size)
#define statfs(path, out) fake_statfs(path, out)
#define sync() fake_sync()
#define getsid(pid) fake_getsid(pid)
#define mount(what, where, kind, flags, options) ((void)(what), (void)(kind), (void)(flags), (void)(options), fake_mount(where))
#define PIDFD_OPEN(pid) fake_pidfd_open(pid)
#define PIDFD_SIGNAL(pidfd, signal) fake_pidfd_signal(pidfd, signal)
#define mkdir(path, mode) fake_mkdir(path, mode)
#define symlink(target, path) fake_symlink(target, path)
#define umount2(where, flags) ((void)(flags), fake_umount2(where))
#define lstat(path, out) fake_lstat(path, out)
#define rename(from, to) fake_rename(from, to)
#define STATX(dir, path, flags, mask, out) fake_statx(dir, path, flags, mask, out)
#define REDIRECT_CONSOLE(fd) fake_redirect(fd)
#define INSTALL_FILTER(flags, program) fake_filter(flags, program)

#include "lib/sys.c"
#include "lib/systool.c"

#undef open
#undef stat
#undef access
#undef unlink
#undef mkfifo
#undef chdir
#undef inotify_add_watch
#undef execve
#undef connect
#undef fork
#undef getpid
#undef kill
#undef waitid
#undef waitpid
#undef reboot
#undef poll
#undef nanosleep
#undef mlockall
#undef readlink
#undef statfs
#undef sync
#undef getsid
#undef mount
#undef mkdir
#undef symlink
#undef umount2
#undef lstat
#undef rename

static struct {
	_Atomic int calls;      /* the queue's test has threads */
	int nth, err;
	bool always, fired;
	const char *name;
	int name_skip, name_err;
	int (*draw)(const char *name);
	bool name_once, paused;
	void (*hear)(const char *name);
	int64_t mono_ns, wall_ns;
} fault = { .mono_ns = -1, .wall_ns = -1 };

/* Disks, interfaces and accounting: made to fail, whatever is armed. */
static bool is_the_machines_call(const char *name)
{
	static const char *const names[] = { "disk_command", "disk_flush", "if_set_flags", "acct_off", NULL };

	for (const char *const *one = names; *one; one++)
		if (!strcmp(name, *one))
			return true;
	return false;
}

static int fault_here(const char *name)
{
	if (fault.paused)
		return is_the_machines_call(name) ? -EPERM : 0;
	fault.calls++;
	if (fault.hear)
		fault.hear(name);
	if (fault.name && !strcmp(fault.name, name) && fault.name_skip-- <= 0) {
		fault.fired = true;
		if (fault.name_once)
			fault.name = NULL;
		return fault.name_err;
	}
	if (fault.nth && (fault.calls == fault.nth || (fault.always && fault.calls > fault.nth))) {
		fault.fired = true;
		return fault.err;
	}
	if (is_the_machines_call(name))
		return -EPERM;
	return fault.draw ? fault.draw(name) : 0;
}

void fault_clear(void)
{
	fault.calls = fault.nth = 0;
	fault.always = fault.fired = fault.name_once = false;
	fault.name = NULL;
	fault.draw = NULL;
}

void fault_draw(int (*draw)(const char *name))
{
	fault_clear();
	fault.draw = draw;
}

void fault_arm(int nth, int err)
{
	fault_clear();
	fault.nth = nth;
	fault.err = err;
}

void fault_arm_always(int nth, int err)
{
	fault_arm(nth, err);
	fault.always = true;
}

void fault_name_after(const char *name, int skip, int err)
{
	fault_clear();
	fault.name = name;
	fault.name_skip = skip;
	fault.name_err = err;
}

void fault_name_once(const char *name, int skip, int err)
{
	fault_name_after(name, skip, err);
	fault.name_once = true;
}

void fault_pause(bool on)
{
	fault.paused = on;
}

void fault_tell(void (*hear)(const char *name))
{
	fault.hear = hear;
}

void fault_name(const char *name, int err)
{
	fault_name_after(name, 0, err);
}

bool fault_fired(void)
{
	bool fired = fault.fired;

	fault_clear();
	return fired;
}

int fault_calls(void)
{
	return fault.calls;
}

void fake_clock_set(int64_t mono_ns, int64_t wall_ns)
{
	fault.mono_ns = mono_ns;
	fault.wall_ns = wall_ns;
}

void fake_clock_advance_ms(int64_t ms)
{
	fault.mono_ns += ms * 1000000;
	fault.wall_ns += ms * 1000000;
}

static bool fake_clock_read(clockid_t clock, struct timespec *out)
{
	int64_t ns = clock == CLOCK_REALTIME ? fault.wall_ns : fault.mono_ns;

	if (ns < 0)
		return false;
	out->tv_sec = ns / 1000000000;
	out->tv_nsec = ns % 1000000000;
	return true;
}

static bool filters_are_real;

void fake_real_filters(bool are_real)
{
	filters_are_real = are_real;
}

/* Else a helper of a test could do no more than one of init's. */
static int fake_filter(unsigned flags, const void *program)
{
	return filters_are_real ? (int)syscall(SYS_seccomp, ABI_SECCOMP_FILTER, flags, program) : 0;
}

int fds_open(void)
{
	int count = 0;

	for (int fd = 3; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* --- a root of its own --- */

static char root[PATH_MAX / 2];

void fake_root(const char *dir)
{
	(void)snprintf(root, sizeof root, "%s", dir ? dir : "");
}

/* Names that no test may touch on the machine it runs on. */
static bool is_the_machines(const char *path)
{
	static const char *const names[] = { "/run/initctl", "/dev/console", "/dev/tty0", "/dev/log",
		"/var/run/utmp", "/var/log/wtmp", "/var/run/runlevel", "/var/run/powerstatus",
		"/etc/powerstatus", "/sbin/init", "/sbin/shutdown", "/sbin/sulogin", "/etc/nologin", "/var/run/shutdown.pid",
		"/var/run/shutdown.lock", "/var/run/shutdown.schedule", NULL };

	for (const char *const *name = names; *name; name++)
		if (!strcmp(path, *name))
			return true;
	return false;
}

/* The path below the root, in room. NULL, and errno is set: it is not to be touched. */
static const char *rooted(const char *path, char room[PATH_MAX])
{
	if (!root[0] && is_the_machines(path)) {
		errno = EPERM;
		return NULL;
	}
	if (!root[0] || path[0] != '/' || !strncmp(path, root, strlen(root)))
		return path;
	if (snprintf(room, PATH_MAX, "%s%s", root, path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return room;
}

static const char *const *hanging;

void fake_hang(const char *const *paths)
{
	hanging = paths;
}

static int fake_open(const char *path, int flags, mode_t mode)
{
	char room[PATH_MAX];

	for (const char *const *name = hanging; name && *name; name++)
		while (!strcmp(path, *name))
			pause();
	path = rooted(path, room);
	return path ? open(path, flags, mode) : -1;
}

static int fake_stat(const char *path, struct stat *out)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? stat(path, out) : -1;
}

static ssize_t fake_readlink(const char *path, char *buf, size_t size)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? readlink(path, buf, size) : -1;
}

static int fake_statfs(const char *path, struct statfs *out)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? statfs(path, out) : -1;
}

static int fake_lstat(const char *path, struct stat *out)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? lstat(path, out) : -1;
}

static int fake_rename(const char *from, const char *to)
{
	char from_room[PATH_MAX], to_room[PATH_MAX];

	from = rooted(from, from_room);
	to = from ? rooted(to, to_room) : NULL;
	return to ? rename(from, to) : -1;
}

/* The console of this machine is not redirected, whatever the test says. */
static int fake_redirect(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

static int fake_access(const char *path, int mode)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? access(path, mode) : -1;
}

static int fake_unlink(const char *path)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? unlink(path) : -1;
}

static int fake_mkfifo(const char *path, mode_t mode)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? mkfifo(path, mode) : -1;
}

static int fake_chdir(const char *path)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? chdir(path) : -1;
}

static int fake_mkdir(const char *path, mode_t mode)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? mkdir(path, mode) : -1;
}

static int fake_symlink(const char *target, const char *path)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? symlink(target, path) : -1;
}

static int fake_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	char room[PATH_MAX];

	path = rooted(path, room);
	return path ? inotify_add_watch(fd, path, mask) : -1;
}

static int fake_connect(int fd, const struct sockaddr *to, socklen_t len_bytes)
{
	struct sockaddr_un at;
	char room[PATH_MAX];
	const char *path;

	if (!to || len_bytes != sizeof at || to->sa_family != AF_UNIX)
		return connect(fd, to, len_bytes);
	memcpy(&at, to, sizeof at);
	path = rooted(at.sun_path, room);
	if (!path)
		return -1;
	if (path == at.sun_path)
		return connect(fd, to, len_bytes);
	if (strlen(path) >= sizeof at.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memmove(at.sun_path, path, strlen(path) + 1);
	return connect(fd, (const struct sockaddr *)&at, sizeof at);
}

/* --- processes that do not exist --- */

enum { ENDS_MAX = 8192, KILLS_MAX = 8192, REBOOTS_MAX = 64 };

static struct {
	pid_t first, next;              /* 0: real ones */
	pid_t own;
	pid_t no_group;
	int living;
	siginfo_t end[ENDS_MAX];
	int ends_told, ends;
	struct fake_kill kill[KILLS_MAX];
	int kills, reboots, syncs, pauses_ms;
	int reboot[REBOOTS_MAX];
	bool no_pauses;
	void (*exec_instead)(const char *path);
} people;

void fake_processes(pid_t first)
{
	memset(&people, 0, sizeof people);
	people.first = people.next = first;
}

int fake_forks(void)
{
	return people.next - people.first;
}

void fake_own_pid(pid_t pid)
{
	people.own = pid;
}

static pid_t fake_getpid(void)
{
	return people.own ? people.own : getpid();
}

int fake_ends_left(void)
{
	return people.ends - people.ends_told;
}

void fake_end(pid_t pid, int code, int status)
{
	siginfo_t *end = &people.end[people.ends++ % ENDS_MAX];

	memset(end, 0, sizeof *end);
	end->si_signo = SIGCHLD;
	end->si_code = code;
	end->si_pid = pid;
	end->si_status = status;
}

void fake_no_group(pid_t pid)
{
	people.no_group = pid;
}

int fake_kills(const struct fake_kill **out)
{
	int kills = people.kills;

	*out = people.kill;
	people.kills = 0;
	return kills;
}

int fake_reboots(void)
{
	return people.reboots;
}

int fake_reboot_calls(const int **out)
{
	int reboots = people.reboots;

	*out = people.reboot;
	people.reboots = 0;
	return reboots;
}

int fake_syncs(void)
{
	return people.syncs;
}

int fake_pauses_ms(void)
{
	return people.pauses_ms;
}

void fake_no_pauses(void)
{
	people.no_pauses = true;
}

/* A child that goes on in the test's own loop of forks must not fill the machine: an entry's keeper is as deep as it goes. */
static pid_t real_fork(void)
{
	enum { DEPTH_MAX = 2 };
	static int depth;
	pid_t pid;

	if (depth >= DEPTH_MAX) {
		errno = EAGAIN;
		return -1;
	}
	pid = fork();
	if (!pid)
		depth++;
	return pid;
}

static pid_t fake_fork(void)
{
	if (!people.first)
		return real_fork();
	people.living++;
	return people.next++;
}

static pid_t fake_fork_noting(int32_t *where)
{
	pid_t pid = fake_fork();

	if (pid > 0)
		*where = pid;
	return pid;
}

void fake_exec(void (*instead)(const char *path))
{
	people.exec_instead = instead;
}

static int fake_execve(const char *path, char *const argv[], char *const envp[])
{
	char room[PATH_MAX];

	if (people.exec_instead) {
		people.exec_instead(path);
		errno = ENOENT;
		return -1;
	}
	path = rooted(path, room);
	return path ? execve(path, argv, envp) : -1;
}

static int fake_kill(pid_t pid, int signal)
{
	/* Real ones reach what a test may have started; init, everybody and the own group are out of bounds. */
	if (!people.first && pid > 1)
		return kill(pid, signal);
	if (!people.first && pid < -1 && -pid != getpgrp())
		return kill(pid, signal);
	if (people.no_group && pid == -people.no_group) {
		errno = ESRCH;
		return -1;
	}
	people.kill[people.kills++ % KILLS_MAX] = (struct fake_kill){ pid, signal };
	return 0;
}

static int fake_waitid(idtype_t type, id_t id, siginfo_t *out, int options)
{
	if (!people.first)
		return waitid(type, id, out, options);
	/* Who only looks takes no end. */
	if (options & WNOWAIT) {
		bool is_child = type == P_ALL ? people.living > 0 : (pid_t)id >= people.first && (pid_t)id < people.next;

		memset(out, 0, sizeof *out);
		errno = ECHILD;
		return is_child ? 0 : -1;
	}
	if (people.ends_told < people.ends) {
		*out = people.end[people.ends_told++ % ENDS_MAX];
		people.living -= out->si_pid >= people.first && out->si_pid < people.next;
		errno = ECHILD;                 /* left by something before: means nothing beside a success */
		return 0;
	}
	if (people.living > 0)
		return 0;
	errno = ECHILD;
	return -1;
}

/* Makes this one the next to be told. False: it has not ended. */
static bool bring_forward(pid_t pid)
{
	for (int i = people.ends_told; i < people.ends; i++) {
		siginfo_t end = people.end[i % ENDS_MAX];

		if (end.si_pid != pid)
			continue;
		people.end[i % ENDS_MAX] = people.end[people.ends_told % ENDS_MAX];
		people.end[people.ends_told % ENDS_MAX] = end;
		return true;
	}
	return false;
}

static pid_t fake_waitpid(pid_t pid, int *status, int options)
{
	siginfo_t end = { 0 };

	if (!people.first)
		return waitpid(pid, status, options);
	if (pid > 0 && !bring_forward(pid)) {
		errno = ECHILD;
		return pid >= people.first && pid < people.next ? 0 : -1;
	}
	if (fake_waitid(P_ALL, 0, &end, options))
		return -1;
	*status = end.si_code == CLD_EXITED ? W_EXITCODE(end.si_status, 0) :
		W_EXITCODE(0, end.si_status) | (end.si_code == CLD_DUMPED ? WCOREFLAG : 0);
	return end.si_pid;
}

static int fake_reboot(int cmd)
{
	people.reboot[people.reboots++ % REBOOTS_MAX] = cmd;
	return 0;
}

static void fake_sync(void)
{
	people.syncs++;
}

/* A clock that stands moves on by it. One who pauses for ever must not keep the machine busy: after an hour of it, it takes a
 * moment. */
static void pause_passes(int64_t ms)
{
	if (fault.mono_ns >= 0)
		fake_clock_advance_ms(ms);
	if (people.pauses_ms > 3600000)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	else
		people.pauses_ms += (int)ms;
}

static int fake_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	if ((!people.first && !people.no_pauses) || fds)
		return poll(fds, count, timeout_ms);
	pause_passes(timeout_ms);
	return 0;
}

static int fake_nanosleep(const struct timespec *duration, struct timespec *left)
{
	if (!people.first && !people.no_pauses)
		return nanosleep(duration, left);
	pause_passes(duration->tv_sec * 1000 + duration->tv_nsec / 1000000);
	return 0;
}

static int fake_mlockall(int flags)
{
	(void)flags;
	return 0;
}

/* --- descriptors of processes, sessions, mounts: none is real --- */

enum { PIDFD_BASE = 1 << 24 };

static struct {
	bool has_pidfds;
	enum fake_statx_age statx_age;
	pid_t session, others_session;
} more;

void fake_pidfds(bool has)
{
	more.has_pidfds = has;
}

static int fake_pidfd_open(pid_t pid)
{
	if (more.has_pidfds)
		return PIDFD_BASE + pid;
	errno = ENOSYS;
	return -1;
}

static int fake_pidfd_signal(int pidfd, int signal)
{
	if (people.first && pidfd > PIDFD_BASE)
		return fake_kill(pidfd - PIDFD_BASE, signal);
	errno = EPERM;
	return -1;
}

void fake_statx_is(enum fake_statx_age age)
{
	more.statx_age = age;
}

static int fake_statx(int dir, const char *path, int flags, unsigned mask, void *out)
{
	struct abi_statx *st = out;
	int err;

	if (more.statx_age == STATX_ABSENT) {
		errno = ENOSYS;
		return -1;
	}
	err = (int)syscall(SYS_statx, dir, path, flags, mask, out);
	if (!err && more.statx_age == STATX_WITHOUT_MOUNTS)
		st->attributes &= st->attributes_mask &= ~(uint64_t)ABI_STATX_ATTR_MOUNT_ROOT;
	return err;
}

void fake_session(pid_t own, pid_t others)
{
	more.session = own;
	more.others_session = others;
}

static pid_t fake_getsid(pid_t pid)
{
	if (!more.session)
		return getsid(pid);
	return pid ? more.others_session : more.session;
}

/* --- mounts that nobody makes --- */

static char mounted[256];

const char *fake_mounted(void)
{
	return mounted;
}

static void note_mount(char sign, const char *where)
{
	size_t len = strlen(mounted);

	(void)snprintf(mounted + len, sizeof mounted - len, "%c%s", sign, where);
}

void fake_forget_mounted(void)
{
	mounted[0] = '\0';
}

static int fake_mount(const char *where)
{
	note_mount('+', where);
	return 0;
}

static int fake_umount2(const char *where)
{
	note_mount('-', where);
	return 0;
}
