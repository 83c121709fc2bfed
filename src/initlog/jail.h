/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jail.h - what a helper may still do once it delivers. Its work needs a dozen system calls and the
 * names of its sink; somebody who took it over by what it reads gets no more: no signal, no program,
 * no process, no other file, socket or mapping.
 *
 * A filter of the kernel's (seccomp(2)) lets through what jail.c's one table lists for the sink. A
 * filter cannot look at names, but at their addresses: the names lie in pages that nobody can write
 * any more, since neither mmap nor mprotect is on the list. So they hold at each opening, also when
 * something has been mounted, made or replaced there meanwhile. (Landlock would hold on to the
 * directories that are there when the helper starts: at boot, those under the later mounts.)
 *
 * What is not on the list fails with ENOSYS, as on a kernel without the call: a libc that learns to
 * use a newer one goes on with the older. What is on it, but not with these arguments, fails with
 * EPERM. Neither kills: a helper that ends is started again, and would be for ever. The kernel's
 * audit log has each (seccomp(2), SECCOMP_FILTER_FLAG_LOG). A call of another architecture kills.
 *
 * Nothing here can block, and nothing is a reason not to deliver: a helper goes on without what its
 * kernel does not have. /proc/PID/status shows what holds: Seccomp, NoNewPrivs, Cap.... */
#ifndef INITLOG_JAIL_H
#define INITLOG_JAIL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "initlog/initlog.h"
#include "initlog/queue.h"
#include "lib/sys.h"

enum {
	JAIL_NAME_BYTES = 128,
	JAIL_STEPS_MAX = 512,
	/* CAP_DAC_OVERRIDE: a terminal belongs to who logged in there, /dev/log, utmp and wtmp to
	 * whom the system gave them. It helps with the names of the sink only. */
	JAIL_CAPABILITIES = 1 << 1,
};

/* All that a sink gives to the kernel as a name. */
struct jail_names {
	char console[INITLOG_CONSOLES][JAIL_NAME_BYTES];
	struct sockaddr_un dev_log;
	char dev_log_folder[JAIL_NAME_BYTES];
	char zone[JAIL_NAME_BYTES];
	char utmp[JAIL_NAME_BYTES], wtmp[JAIL_NAME_BYTES], runlevel[JAIL_NAME_BYTES];
};

/* Copies the names of *config to where nobody can write, and points *config there. Once a process:
 * the copy stays. 0; a negative errno (-ENAMETOOLONG for one that has no room): *config is as it
 * was, and there can be no filter. */
int jail_seal(struct initlog_config *config, const struct jail_names **out) MUST_CHECK;

/* The caller is the helper of this sink from now on, for good. names NULL: without a filter. */
void jail_enter(enum sink sink, const struct jail_names *names);

/* The filter; for jail_enter() and its test. The number of steps, or -ENOTSUP: for this
 * architecture there is none. */
int jail_program(enum sink sink, const struct jail_names *names,
	struct filter_step step[JAIL_STEPS_MAX]) MUST_CHECK;

#endif
