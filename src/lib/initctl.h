/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initctl.h - writes requests into init's control channel. Never waits longer than told, whatever the FIFO is or does
 * (missing, full, no reader, a regular file, a device); never creates, truncates or waits on anything else. For tools;
 * pid 1's binary has it for its other face, telinit. */
#ifndef LIB_INITCTL_H
#define LIB_INITCTL_H

#include <stddef.h>

#include "include/initreq.h"
#include "lib/num.h"

/* So that all of them fit into one write that a pipe takes whole or not at all (PIPE_BUF, 4,096 bytes). */
enum { INITCTL_REQUESTS_MAX = 8 };

/* What a program may take for it in all, with time left to say so within 3 s. */
enum { INITCTL_WAIT_MS = 2900 };

struct initctl_channel {
	const char *fifo;
	int wait_ms;
};

/* Sends the count requests, in order: all of them or none. Tries again until wait_ms are over while there is no room
 * or no reader. 0, -ETIMEDOUT, -EINVAL: not a FIFO, or another negative errno. Ignores SIGPIPE from then on. */
int initctl_send(const struct initctl_channel *channel, const struct init_request *requests, size_t count) MUST_CHECK;

/* On standard error, why that failed: "NAME: timeout opening/writing control channel FIFO" or "NAME: FIFO: REASON".
 * May block as write(2) there may. */
void initctl_complain(const char *name, const struct initctl_channel *channel, int err);

#endif
