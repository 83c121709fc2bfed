/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.h - /run/initctl: the FIFO by which telinit, shutdown and others ask.
 * Making, opening and looking at a name may block on a dead disk, so the doorkeeper (a job) does it and passes
 * the descriptors; pid 1 only reads them. Requests of the FIFO before are carried out first. */
#ifndef INIT_CONTROL_H
#define INIT_CONTROL_H

#include "init/init.h"

enum { CONTROL_FD = 10, CONTROL_REQUESTS_A_TURN = 16 };

void control_init(struct init *in);

/* Watches the channel that was taken over, if any, and has the doorkeeper look. Number 10 is the channel's, or reserved:
 * main.c. */
void control_open(struct init *in);

/* After an exec: fd is the channel that the image before had open (-1: none). */
void control_take_over(struct init *in, int fd, bool is_closed);

/* Something says that the name may have gone or changed: look, at most once a second. */
void control_check(struct init *in);
void control_reopen(struct init *in);                      /* SIGUSR1 */
void control_close(struct init *in);                       /* SIGUSR2 */

/* JOB_DOOR, and what it reports: fds are the FIFO and the mount table, or the latter alone where there can be no FIFO yet,
 * and become ours; the text is this or empty. */
#define CONTROL_FOLDER_WATCHED "folder watched"
void control_door_in_child(struct init *in);
void control_take(struct init *in, const char *text, int fds[2]);
void control_take_mounts(struct init *in, const char *text, int fd);
void control_door_ended(struct init *in, int err);

void control_folder_changed(struct init *in);              /* the folder watch is readable */

/* Reads at most CONTROL_REQUESTS_A_TURN requests while level_takes_requests(). */
void control_read(struct init *in);

#endif
