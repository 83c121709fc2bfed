/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logline.h - one line to syslog from a tool, never waiting for syslogd: what syslog(3) does, without
 * its blocking send, its console and its state. */
#ifndef LIB_LOGLINE_H
#define LIB_LOGLINE_H

#include "lib/num.h"

enum { LOGLINE_FRAME_MAX = 1024 };      /* RFC 3164, 4.1 */

/* Sends "ident[pid]: text" to /dev/log with the local time (TZ, else /etc/localtime) and this priority,
 * LOG_USER | LOG_NOTICE or the like; no control character or malformed UTF-8 gets into it, and it is
 * cut at LOGLINE_FRAME_MAX bytes, never within a character. 0: the socket has it. A negative errno and
 * nothing is logged: -EAGAIN when syslogd has stopped reading, -ENOENT or -ECONNREFUSED when there is
 * none. Waits for nobody; reads the zone's file. Leaves no descriptor open. */
int logline_send(const char *ident, int priority, const char *text) MUST_CHECK;

#endif
