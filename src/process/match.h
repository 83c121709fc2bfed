/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match.h - whether a process is one of a program that pidof is asked about. The rules are in pidof(8). What they read may
 * block as subject.h says. */
#ifndef PROCESS_MATCH_H
#define PROCESS_MATCH_H

#include <stdbool.h>

#include "process/subject.h"
#include "process/target.h"

/* The first pass finds processes of a path by their program files, and all processes of a bare name. Where it finds none of a
 * path, the second goes by what processes call themselves. */
enum match_pass { MATCH_BY_FILE = 1, MATCH_BY_NAME };

struct match_rules {
	bool with_scripts;              /* -x */
	bool with_zombies;              /* -z */
	bool same_root;                 /* -c, where it counts */
	struct home home;
};

bool match_is(struct subject *subject, const struct target *target, const struct match_rules *rules,
	enum match_pass pass);

#endif
