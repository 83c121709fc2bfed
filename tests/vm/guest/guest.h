/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.h - the one helper program of the test machine, by its first argument.
 * It steers consoles, forks storms and watches pid 1, so it refuses to run anywhere but in a
 * machine that vm.py booted: the kernel command line must hold GUEST_MARK. */
#ifndef TESTS_VM_GUEST_H
#define TESTS_VM_GUEST_H

#include <stdint.h>

#define GUEST_MARK "initvm.guest=1"

int64_t guest_now_ms(void);     /* CLOCK_MONOTONIC */
void guest_sleep_ms(long ms);
int guest_read_file(const char *path, char *buf, int size);     /* length or -1; ends in NUL */

/* agent NAME: serves commands on the virtio port NAME. */
int agent_main(int argc, char **argv);
/* watch FILE MS: samples what pid 1 does. */
int watch_main(int argc, char **argv);
/* orphan MS: how long until a dead orphan is gone. */
int orphan_main(int argc, char **argv);
/* storm TOTAL BATCH: many orphans; counts refused forks. */
int storm_main(int argc, char **argv);
/* redirect: TIOCCONS to a full pty that nobody reads. */
int redirect_main(int argc, char **argv);
/* crash: pid 1 runs on at address 0. */
int crash_main(int argc, char **argv);
/* login LINE USER: a record in utmp. */
int login_main(int argc, char **argv);
/* clog N: N users on terminals that take nothing, a full /dev/log (syslogd must be stopped), utmp and wtmp locked. */
int clog_main(int argc, char **argv);
/* lock FILE...: locked for writing until this process ends. */
int lock_main(int argc, char **argv);
/* label FILE CONTEXT: sets its SELinux label. */
int label_main(int argc, char **argv);
/* stopped DEV: whether a line that somebody holds open holds back what it is given. */
int stopped_main(int argc, char **argv);

/* lastclose DEV PID: the last close of a stopped line. */
int lastclose_main(int argc, char **argv);

#endif
