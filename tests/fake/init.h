/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/init.h - a struct init in which nothing runs: a real queue and family in memory, an empty directory as root,
 * made-up processes (from FAKE_FIRST_PID on) and clocks that stand still. Everything asserts that it works. */
#ifndef FAKE_INIT_H
#define FAKE_INIT_H

#include <stdbool.h>

#include "fake/sys.h"
#include "init/init.h"

enum { FAKE_FIRST_PID = 40000 };
#define FAKE_MONO_NS INT64_C(1000000000000)
#define FAKE_WALL_NS INT64_C(1700000000000000000)

/* As after the boot, in level 2, with an empty table. */
struct init *fake_init_begin(void);
void fake_init_end(struct init *in);

/* A table of inittab(5) lines, one after each newline; fake_adopt() makes it the family's. */
void fake_table(const char *lines, struct table *out);
void fake_adopt(struct init *in, const char *lines);

/* What loop_turn() does but for its wait: reaping, levels, starts, jobs, over and over until nothing is due. Returns when
 * something is. Fails the test when that never comes: pid 1 would spin. */
struct mono fake_turns(struct init *in);

/* Ends to be reaped by the next fake_turns(): of an entry's process, of a job (status as of exit(3); its loader has
 * written these lines). */
void fake_entry_ends(struct init *in, const char *id, int status);
void fake_job_ends(struct init *in, enum job_kind kind, int status);
void fake_loader_ends(struct init *in, const char *lines, int status);

/* The ids of those that run, in the order of their starts, a blank between two. */
const char *fake_running(struct init *in);

/* The entry of this id; NULL: there is none in the table. */
struct entry *fake_entry(struct init *in, const char *id);

/* The sink's next line that was not looked at yet, valid until the next call; NULL: there is none. */
const char *fake_said(struct init *in, enum sink sink);
bool fake_has_said(struct init *in, enum sink sink, const char *text);  /* text is, or is part of, a line; takes all */
void fake_forget_said(struct init *in);

/* Time passes on both clocks. */
void fake_pass_ms(int64_t ms);

/* A file below the root, its folders included. */
void fake_file(const char *path, const char *text, mode_t mode);
const char *fake_root_dir(void);

#endif
