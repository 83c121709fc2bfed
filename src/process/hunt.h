/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hunt.h - one signal to every process, so that none gets away by forking: all are stopped first, then signalled, then go
 * on. Spared are process 1, threads of the kernel, the caller's own session, and those on a list.
 * What is needed is opened before anything is stopped. While it is, nothing is read but the list of processes and their stat
 * files, no memory is allocated and nothing is logged, so that no stopped process can hold up the one that stopped it.
 *
 * Without a list everybody is told to stop by one call. With one, those on it must not notice anything: the others are told
 * one by one. Either way the processes are gone through over and over until several rounds in a row find nobody who still ran, and
 * nobody who has come and gone since the last: whoever runs may be in the middle of a fork, and the child be where the round has been. */
#ifndef PROCESS_HUNT_H
#define PROCESS_HUNT_H

#include <sys/types.h>

#include "lib/procfs.h"
#include "process/guard.h"
#include "process/pidset.h"

enum {
	HUNT_CHASE_MS = 10000,          /* bound of the rounds, for a machine on which they get nowhere */
	HUNT_SLEEPER_PAUSES = 15,       /* of 20 ms: how long one that sleeps uninterruptibly may be in the middle of a fork */
	HUNT_TURN_MS = 5000,            /* how long another hunt is waited for */
};

struct hunt {
	int signal;
	const struct pidset *omitted;   /* with count 0: no list */
	int proc;
	pid_t self, session;
	int pauses_left;                /* who was told to stop and still sleeps is not believed to stay before there is none */
	int sleepers;                   /* those of this round */
	struct guard guard;
	struct pidset told;             /* who was told to stop, and gets the signal */
	struct pidset settled;          /* who needs no further look: stopped, spared, gone */
	char list[PROCFS_LIST_SIZE];
};

/* 0, or a negative errno and nothing was stopped. The caller blocks the signals that could end it. */
int hunt_begin(struct hunt *hunt, const char *proc, int signal, const struct pidset *omitted) MUST_CHECK;

/* How many were signalled, or a negative errno: processes could not be listed to their end. All go on, in any case. */
int hunt_run(struct hunt *hunt) MUST_CHECK;

void hunt_end(struct hunt *hunt);

#endif
