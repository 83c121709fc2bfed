/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hunt.h - one signal to every process, so that none gets away by forking: all are stopped first, then signalled, then go
 * on. Spared are process 1 and its helpers, threads of the kernel, the caller's own session, and those on a list.
 * What is needed is opened before anything is stopped. While it is, nothing is read but the list of processes, their stat files
 * and the last number handed out; no memory is allocated and nothing is logged, so that no stopped process can hold up
 * the one that stopped it.
 *
 * Without a list everybody is told to stop by one call. With one, those on it must not notice anything: the others are told
 * one by one. Either way the processes are gone through in rounds, until two in a row are calm and no number was handed out
 * from before the first to after the second (births.h). Calm is a round at whose end each process that it found is known to
 * stand: it is spared, or a zombie, or all its threads were seen stopped, in this round or an earlier one. The second finds nobody
 * new, and sees that all who are spared still are: their numbers are no others' by now.
 *
 * Then nobody is left who could fork. For if X runs after the second round, where was X?
 * - There before the first began: that one found X, as a list of /proc has everybody who is there all the time, and saw X
 *   stand. A contradiction.
 * - Made later: X has a number that was handed out before, so that its parent was inside of fork(2) from before the first round
 *   until X was there. The parent, there before, was seen to stand by the end of the first; a thread inside of fork is not stopped; so
 *   X was there by then. X cannot have ended without another link (whose number would be a new one) to take its place, so the
 *   second round found X, and was not calm. A contradiction, and for a chain of such X as well.
 * Not covered is who is let go on by others: by process 1, those on the list, or from outside of the namespace.
 *
 * One that was told to stop and sleeps on may be inside of fork, uninterruptibly; its stop may come much later, or never (a vfork, a
 * frozen cgroup). It gets its signal at once, and stands from then on: a signal that ends it ends the fork as well,
 * as the kernel adds no child to a process that is being killed. */
#ifndef PROCESS_HUNT_H
#define PROCESS_HUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/procfs.h"
#include "process/guard.h"
#include "process/pidset.h"

enum {
	HUNT_CHASE_MS = 10000,          /* bound of the rounds, for a machine on which they get nowhere */
	HUNT_TURN_MS = 5000,            /* how long another hunt is waited for */
	HUNT_CALM_ROUNDS = 2,
	HUNT_BLIND_ROUNDS = 6,          /* where /proc does not tell the last number: no proof, but hard to slip through */
	HUNT_TASKS_SIZE = 4096,
};

struct hunt_round {
	int news, running;              /* processes not seen before; those not known to stand */
	int64_t before, after;          /* the last number handed out */
};

struct hunt {
	int signal;
	const struct pidset *omitted;   /* with count 0: no list */
	int proc, births;
	pid_t self, session;
	int count;                      /* signals that were sent */
	struct hunt_round round;        /* this one */
	bool verifies;                  /* this round looks at those that are spared, too */
	int pauses_left;                /* for those whose stop is on its way */
	struct guard guard;
	struct pidset household;        /* process 1's helpers: at most stopped for a moment, with everybody, and never signalled; they do not fork */
	struct pidset told;             /* who was told to stop, and gets the signal */
	struct pidset standing;         /* who of those was seen stopped, and needs no further look */
	struct pidset early;            /* who of those had the signal already, asleep */
	struct pidset spared;           /* whom no signal is meant for */
	char list[PROCFS_LIST_SIZE];
	_Alignas(8) char tasks[HUNT_TASKS_SIZE];
};

/* 0, or a negative errno and nothing was stopped. The caller blocks the signals that could end it. */
int hunt_begin(struct hunt *hunt, const char *proc, int signal, const struct pidset *omitted) MUST_CHECK;

/* How many were signalled, or a negative errno: processes could not be listed to their end. All go on, in any case. */
int hunt_run(struct hunt *hunt) MUST_CHECK;

void hunt_end(struct hunt *hunt);

/* How many rounds in a row were calm after this one, if so many were before it. */
int hunt_calm_after(int calm, const struct hunt_round *round) MUST_CHECK;

#endif
