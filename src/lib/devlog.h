/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devlog.h - how RFC 3164 lines get to /dev/log: the socket, and what stands before the text. Nothing
 * here waits: neither for a reader nor for room. */
#ifndef LIB_DEVLOG_H
#define LIB_DEVLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "include/paths.h"
#include "lib/num.h"
#include "lib/zone.h"

/* Of a struct sockaddr_un. */
#define DEVLOG_ADDRESS { .sun_family = AF_UNIX, .sun_path = DEV_LOG_PATH }

/* A non-blocking, close-on-exec socket that is connected to *to: datagrams, or a stream where the other
 * side is one; there a frame ends in NUL. The caller closes it. 0 or a negative errno, -EAGAIN: a stream
 * whose reader is behind with accepting. */
int devlog_connect(const struct sockaddr_un *to, int *out, bool *is_stream) MUST_CHECK;

/* "<PRIORITY>Nov  2 17:05:09 TAG: ", of TAG at most 48 bytes; priority as syslog(3) has it, facility
 * included. Its length; less than size_bytes if that is at least DEVLOG_HEAD_MAX. */
enum { DEVLOG_HEAD_MAX = 80 };
size_t devlog_head(char *out, size_t size_bytes, int priority, struct civil at, const char *tag);

#endif
