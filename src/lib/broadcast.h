/* SPDX-License-Identifier: GPL-2.0-or-later */
/* broadcast.h - a message to everybody who is logged in, as wall(1) and shutdown(8) send it.
 *
 *     struct broadcast message;
 *     pid_t deliverer;
 *
 *     broadcast_begin(&message, "root", wall_now().s);         the banner
 *     broadcast_add_text(&message, text, strlen(text));        of users: made harmless
 *     broadcast_add_own(&message, "\rThe system ...\r\n");     our own words: as they are
 *     broadcast_start(&message, UTMP_PATH, &deliverer);        comes back at once
 *     err = broadcast_wait(deliverer, 1000);                   or not at all, where nobody waits for it
 *
 * No terminal can hold up the caller, or another terminal: deliver.h says how. Nothing here keeps state. */
#ifndef LIB_BROADCAST_H
#define LIB_BROADCAST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/num.h"

enum {
	BROADCAST_TEXT_MAX = 4608,      /* of users and ours together; there is room for it in its harmless form */
	BROADCAST_MAX = 256 + 2 * BROADCAST_TEXT_MAX,
};

struct broadcast {
	size_t len_bytes;
	char bytes[BROADCAST_MAX];
};

/* Begins with "\r\nBroadcast message from USER@HOST (TTY) (DATE):\r\n\r\n". USER is user (31 bytes of it, made
 * harmless), HOST the node's name, (TTY) is there when standard input is a terminal, DATE is when_s in local time as
 * libc has it (TZ counts). Asks no name service. Can block as localtime(3) can, and as asking for the name of
 * standard input's terminal can: not for its output. */
void broadcast_begin(struct broadcast *broadcast, const char *user, int64_t when_s);

/* Begins with "\r\nRemote broadcast message (DATE):\r\n\r\n" instead. */
void broadcast_begin_remote(struct broadcast *broadcast, int64_t when_s);

/* Adds text of a user. What is valid UTF-8 and can be printed stays, tabs and newlines too, and CR before a newline.
 * Other control characters, DEL, C1 and bytes that are no UTF-8 get the form ^X; characters that turn the direction of
 * writing, and line separators, become ?. Where it has the words of a banner, "> " is put before them.
 * Cut when the message is full, never within a character. Cannot block. */
void broadcast_add_text(struct broadcast *broadcast, const char *text, size_t len_bytes);

/* Adds text as it is. Cannot block. */
void broadcast_add_own(struct broadcast *broadcast, const char *text);

/* Forks a process that delivers the message to every terminal of the USER_PROCESS records in the file at utmp, each
 * once, and returns at once. That process is in a session of its own, with default signals, none of the caller's
 * descriptors, and "/" as its folder; it ends within about 30 seconds. *out is its pid, the caller's child; who does not
 * want to wait for it may exit or ignore it. When no process can be had after a few tries (50 ms), delivers itself, to
 * pseudo terminals only, within half a second, and *out is 0. A negative errno if that fails too. */
int broadcast_start(const struct broadcast *broadcast, const char *utmp, pid_t *out) MUST_CHECK;

/* Waits until that process has ended, for at most limit_ms: 0, or -ETIMEDOUT and it goes on. By a descriptor of the process
 * (pidfd_open(2), Linux 5.3), or else asks every 10 ms, so that it does not matter what the caller does with SIGCHLD. */
int broadcast_wait(pid_t deliverer, int64_t limit_ms) MUST_CHECK;

#endif
