/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept.h - what a new image of pid 1 takes over from the one before: level, environment, console, and the numbers of
 * the descriptors that hold the rest (queue, family, control channel). A memfd at a fixed number, made at
 * the start, so that saving allocates nothing. Nothing here blocks. */
#ifndef INIT_KEPT_H
#define INIT_KEPT_H

#include <stdbool.h>

#include "init/init.h"
#include "initlog/sink_records.h"

enum { KEPT_FD = 12 };

/* Makes the memfd. An error costs the ability to crash gracefully, no more. */
int kept_open(struct init *in) MUST_CHECK;

/* Writes the state and lets the descriptors pass an exec. Safe in a fatal handler. */
int kept_save(struct init *in) MUST_CHECK;

/* The same for an image that knows nothing of them: only the control channel passes, with the requests in it. */
int kept_pass_channel(struct init *in) MUST_CHECK;

/* In the child that reads another init's state, and what pid 1 takes of it: level, and what of its records is out. */
int kept_write_in_child(const struct init *in, const struct record_flags *out, int fd) MUST_CHECK;
bool kept_read_level(struct init *in, int fd, struct record_flags *out);

/* The same for an image that has not come so far: what the one before left passes once more, with the times of crashes as
 * note() sets them. An error: it left nothing. Safe in a fatal handler. */
int kept_save_again(struct init *in, void (*note)(int64_t crash_ns[CRASHES_KEPT])) MUST_CHECK;

/* After an exec that failed: the descriptors are close-on-exec again. */
void kept_withhold(struct init *in);

/* What the image before left, if it did: true, and level, vars, console, crashes and control are set; *queue_fd and
 * *family_fd are its descriptors or -1. Every value is checked before it is used. */
bool kept_take(struct init *in, int *queue_fd, int *family_fd);

/* Where it left nothing that could be taken: closes what it passed all the same, but for the descriptors that have their numbers
 * (this one, the control channel, the text). To be called before anything else is opened. */
void kept_close_rest(void);

#endif
