/* SPDX-License-Identifier: GPL-2.0-or-later */
/* takeover.h - from one image of pid 1 to the next (telinit u), ours or another sysvinit's, and the other way round.
 * Before: a job runs `/sbin/init --version`, so that nothing is executed that cannot start. After: if the image before
 * left a record that we know (kept.h) it is used; else a job reads its text (stream.h), with a time limit, and turns it
 * into the same record and a family; else, where pid 1 has children all the same, the machine is running and is not to
 * be booted again: the job finds out the level. Nothing here blocks but what is called *_in_child. */
#ifndef INIT_TAKEOVER_H
#define INIT_TAKEOVER_H

#include "init/init.h"
#include "initlog/sink_records.h"

void takeover_init(struct init *in);

/* --- the image that is to be replaced --- */
void takeover_ask(struct init *in);                        /* telinit u; nothing happens while the machine boots */
void takeover_image_in_child(struct init *in);             /* JOB_IMAGE */
void takeover_image_ended(struct init *in, int err);

/* --- the image that comes up with --init --- */

/* Looks for a text's signature, and for children. False: there is nothing to take over, the machine boots. */
bool takeover_is_due(struct init *in);
void takeover_begin(struct init *in);                      /* wants the job; level_take_over() calls it */
void takeover_state_in_child(struct init *in);             /* JOB_STATE, and what it reports: fds become ours */
void takeover_take(struct init *in, int fds[2]);
void takeover_state_ended(struct init *in, int err);

/* Goes on where the image before was, with in->level as it had it and its family (-1: it is lost). */
void takeover_go_on(struct init *in, int family_fd, const struct record_flags *out);

#endif
