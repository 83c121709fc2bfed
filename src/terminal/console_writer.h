/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console_writer.h - writes to a terminal without waiting in the write: for room it waits in poll(2), and no longer than
 * WRITER_LAST_MS once the other end of its socket is gone. What a stopped terminal has not sent is flushed before the
 * close, which else drains for half a minute and makes everybody's open wait. For a writer process: open and close may block. */
#ifndef TERMINAL_CONSOLE_WRITER_H
#define TERMINAL_CONSOLE_WRITER_H

#include <stdbool.h>

#include "lib/clock.h"
#include "terminal/writer.h"

struct console_writer {
	const char *path;
	int socket;                     /* to see the other end go */
	int fd;
	bool poll_lies;                 /* it said writable, and write said EAGAIN */
	bool is_last;                   /* the other end is gone */
	struct mono give_up;            /* then */
};

extern const struct writer_ops console_writer_ops;

void console_writer_make(struct console_writer *console, const char *path, int socket);

#endif
