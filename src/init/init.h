/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init.h - all that pid 1 knows, in one place, handed down as the first argument.
 * Nothing that is called with a struct init in pid 1 blocks, except loop_run()'s one wait; functions named
 * *_in_child run in a fork of pid 1 and may. */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/environ.h"
#include "init/family.h"
#include "init/level.h"
#include "initlog/initlog.h"
#include "include/initreq.h"
#include "lib/clock.h"
#include "lib/title.h"

/* What the boot command line asked for. */
struct boot_args {
	char level;                     /* 0: not given */
	bool emergency;
	bool autoboot;
};

/* Disposable children: what may hang, each with its own deadline (job.h). */
enum job_kind { JOB_LOADER, JOB_CONSOLE, JOB_DOOR, JOB_POWER, JOB_ASKER, JOB_SHUTDOWN, JOB_IMAGE,
	JOB_STATE, JOB_POLICY, JOB_HALT, JOB_COUNT };

struct job {
	pid_t pid;                      /* 0: none runs */
	bool is_wanted;                 /* is to be started (again), at start_at */
	struct mono start_at, deadline;
};

/* The control channel (control.h). */
enum { CONTROL_OLD_MAX = 4 };

struct control {
	int fd;                         /* -1: none */
	int old_fd[CONTROL_OLD_MAX];    /* those before, the oldest first, each until it is read empty */
	int old_count;
	int folder_fd, mounts_fd;       /* tell when the name may have changed */
	bool has_watch;                 /* in folder_fd, an inotify instance that is never closed: that would sleep
	                                 * until a work queue of the kernel is through (fsnotify_destroy_group()) */
	dev_t dev;
	ino_t ino;
	bool is_closed;                 /* by SIGUSR2 */
	int trouble;                    /* errno of the last opening, said; 0: none */
	bool has_more;                  /* there may be something to read */
	uint32_t have_bytes;
	union {
		struct init_request request;
		char bytes[sizeof(struct init_request)];
	} buffer;
};

/* What the image before handed over as text (takeover.h); -1: none. */
struct takeover {
	int stream_fd;                  /* behind its signature */
	int state_fd, family_fd;        /* what the reader made of it */
};

/* Times of the last crashes (survive.h). */
enum { CRASHES_KEPT = 3 };

enum { REAP_LISTED = 4096 };    /* see reap.h */
enum { INHERITED_MAX = 96, INHERITED_BYTES = 8192, CONSOLE_NAME_MAX = 64 };

struct init {
	struct initlog log;
	struct title title;
	struct family family;
	struct boot_args boot;
	struct environ_vars vars;
	char inherited_text[INHERITED_BYTES];
	char *inherited[INHERITED_MAX + 1];
	char console[CONSOLE_NAME_MAX];
	bool is_console_missing;        /* there was none: not worth a message at each start */

	struct level level;
	struct job job[JOB_COUNT];
	struct control control;
	const char *shutdown_flags;     /* of JOB_SHUTDOWN */
	int load_fd;                    /* the loader's memfd while it runs; -1 */
	int load_retries;               /* load.c: in a row */

	int epoll_fd, signal_fd, timer_fd;      /* -1: could not be made yet */
	unsigned watched;               /* sources that epoll_fd has, a bit each */
	struct mono mend_at;            /* when to try again what could not be made or watched */
	int interruptions;              /* of the wait, in a row */
	int report_fd, report_child_fd; /* where children tell what they found; the end that they write to */
	_Atomic uint32_t *unsent;       /* report.h: lines that children could not send; NULL: no memory to share it in */
	int children_fd;                /* reap.h; -1: none */
	pid_t listed[REAP_LISTED];      /* reap.c: pids that the kernel's list named, still to be waited for */
	int listed_count;
	bool reap_has_more;
	struct mono search_at;          /* reap.c: not before */
	struct mono reap_at;            /* after a wait that failed, before a search: when to call chld_handler() */
	int reap_trouble;                       /* what was said of it */
	struct mono timer_at;           /* what the timer is set to */
	int kept_fd;                    /* kept.h; -1: none */
	struct takeover takeover;
	int64_t crash_ns[CRASHES_KEPT]; /* CLOCK_BOOTTIME, oldest first; 0: none */
	bool is_crashing;               /* in the fatal handler */
	bool is_up;                     /* what the image before left is taken: the state is this one's to save */
	bool is_nested;                 /* in a pid name space that is not the first: the end of pid 1 is no panic */
	uint64_t orphans;               /* reaped children that were nobody's */
	pid_t last_reaped;
	bool is_in_run;                 /* the pid behind it is a dead child's, as far as is known */
};

#endif
