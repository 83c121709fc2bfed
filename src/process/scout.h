/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scout.h - goes through all processes and finds those that match, whatever one of them hangs in.
 * A child looks at them and tells what it finds. When it gets no further for SCOUT_PATIENCE_MS and sleeps, it is given up:
 * another child starts where the last one had told everything, and leaves out what hung. Each further wait is half as long,
 * down to SCOUT_PATIENCE_MIN_MS. A child that cannot even be killed is left to process 1. */
#ifndef PROCESS_SCOUT_H
#define PROCESS_SCOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "process/match.h"

enum { SCOUT_PATIENCE_MS = 2000, SCOUT_PATIENCE_MIN_MS = 120 };

struct scout_list {
	pid_t *pid;                     /* ascending */
	size_t count;
};

struct scout_hazard {
	pid_t pid;
	int parts;                      /* of enum subject_part */
};

struct scout_progress;

struct scout {
	int proc;
	const char *mounts;             /* path of the mount table */
	const struct match_rules *rules;
	bool avoid_network;             /* -n */
	struct target *target;
	struct scout_list *found;       /* for each target */
	bool *is_wanted;                /* targets of this pass */
	bool *is_given_up;              /* targets whose path hangs: by their text alone */
	size_t targets;
	struct scout_hazard *hazard;
	size_t hazards;
	struct scout_progress *progress;
	int patience_ms;
};

/* texts live as long as the scout. -ENOMEM, or another negative errno. scout_drop() is due in any case. */
int scout_begin(struct scout *scout, int proc, const struct match_rules *rules, char *const texts[], size_t count) MUST_CHECK;
void scout_drop(struct scout *scout);

/* Both passes: fills in found. 0 or a negative errno: not all processes were looked at. */
int scout_run(struct scout *scout) MUST_CHECK;

#endif
