/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/sys.h - lib/sys.c with a say in what fails: the n-th call, every call of a name; with a clock, a root and
 * processes that the test makes up.
 * Linked into unit tests in place of lib/sys.c. Nothing fails until it is armed. Whatever the test says, reboot(2), sync(2),
 * mlockall(2), mount(2) and TIOCCONS do nothing, disks, interfaces and accounting cannot be changed, a child's child's child
 * cannot fork, no signal goes to process 1, to everybody or to the own
 * group, and without fake_root() init's own files (/run/initctl, /dev/console, utmp ...) are refused with EPERM. */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The n-th system call from now on (1 is the next) fails with err (negative); with always, all after it too. */
void fault_arm(int nth, int err);
void fault_arm_always(int nth, int err);

/* Every call of this name ("open", "fork" ...) fails with err until fault_clear(). One name at a time. */
void fault_name(const char *name, int err);

/* Calls of this name after the first skip ones fail. */
void fault_name_after(const char *name, int skip, int err);

/* Before each call of a name draw says what it fails with, 0: it is made. Until fault_clear(). */
void fault_draw(int (*draw)(const char *name));

/* The call of this name after the first skip ones fails, once. */
void fault_name_once(const char *name, int skip, int err);

void fault_clear(void);

/* What the test does in a child's place does not fail, and is not counted. */
void fault_pause(bool on);

/* Tells the name of each call that is made from now on; NULL: nobody. */
void fault_tell(void (*hear)(const char *name));

/* True if the armed fault was reached since it was armed; disarms it. The end of an n-th-failure sweep. */
bool fault_fired(void);

/* Calls made since the last fault_clear() / fault_arm(), of any name. */
int fault_calls(void);

/* Freezes both clocks at these values (fake_clock_ns >= 0); -1: the real ones. */
void fake_clock_set(int64_t mono_ns, int64_t wall_ns);
void fake_clock_advance_ms(int64_t ms);

/* Absolute paths lie below dir from now on, those of what is executed included; NULL: where they say. */
void fake_root(const char *dir);

/* Opening one of these (NULL behind the last) never returns: until SIGKILL. NULL: none. */
void fake_hang(const char *const *paths);

/* From now on fork() makes nobody and hands out first, first + 1 ...; kill() and reboot() only note down; waitid() tells
 * what fake_end() said; a pause (nanosleep(), poll() of nothing) passes at once, by a clock that stands as well. Forgets what was noted. 0: real ones. */
void fake_processes(pid_t first);
int fake_forks(void);                                      /* since fake_processes() */
void fake_own_pid(pid_t pid);                              /* what getpid() says; 0: the truth */
void fake_end(pid_t pid, int code, int status);            /* the next end of a child to be told: CLD_EXITED ... */
int fake_ends_left(void);                                  /* not yet told */
/* execve() calls this with the path, and fails with ENOENT if that returns. NULL: the real one, below the fake root. Until
 * fake_processes(). */
void fake_exec(void (*instead)(const char *path));
void fake_no_group(pid_t pid);                             /* this one leads no group yet: kill(-pid) is ESRCH */

struct fake_kill {
	pid_t pid;
	int signal;
};
int fake_kills(const struct fake_kill **out);              /* those noted; forgets them */
int fake_reboots(void);
int fake_reboot_calls(const int **out);                    /* their arguments; forgets them */
int fake_syncs(void);
int fake_pauses_ms(void);                                  /* in all */

/* Pauses pass at once for real processes, too (fake_processes(0) ends it). */
void fake_no_pauses(void);

/* pidfd_open(2) is not there (false, as at the start), or gives numbers whose signals are noted as those of kill(). */
void fake_pidfds(bool has);
enum fake_statx_age { STATX_TODAYS, STATX_WITHOUT_MOUNTS, STATX_ABSENT };
void fake_statx_is(enum fake_statx_age age);               /* as before Linux 5.8: no word of mounts; before 4.11 */
void fake_session(pid_t own, pid_t others);                /* what getsid() says; own 0: the truth of all */
/* mount() and umount2() only note down: "+/proc+/dev-/dev". */
const char *fake_mounted(void);
void fake_forget_mounted(void);

/* A process that puts itself under a filter of system calls is under it; else (as at the start) it only believes so. */
void fake_real_filters(bool are_real);

/* Number of open descriptors of this process, from 3 on. */
int fds_open(void);

#endif
