/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.h - disposable children of pid 1: the inittab loader, the console setter, the control channel's
 * doorkeeper, the power probe, the level asker. What may hang, they do; pid 1 hears from them by report.h and by
 * their exit status, gives them a deadline and then lets go of them. A fork that fails is tried again every 5 s. */
#ifndef INIT_JOB_H
#define INIT_JOB_H

#include <stdbool.h>

#include "init/init.h"

/* Starts it with the next job_tend(); when one runs, another follows it. */
void job_want(struct init *in, enum job_kind kind);
void job_want_at(struct init *in, enum job_kind kind, struct mono when);
void job_cancel(struct init *in, enum job_kind kind);      /* kills it; its end is nobody's then */
bool job_is_busy(const struct init *in, enum job_kind kind);

/* True if pid was a job: its conclusion is drawn. */
bool job_child_ended(struct init *in, pid_t pid, int code, int status);

/* Starts what is due, lets go of what is late. Returns when it wants to be called again. */
struct mono job_tend(struct init *in, struct mono now);

#endif
