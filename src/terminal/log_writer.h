/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log_writer.h - appends to a log file: a regular one, reached by no symbolic link but root's. For a writer process: every
 * call may block for as long as the file system does. */
#ifndef TERMINAL_LOG_WRITER_H
#define TERMINAL_LOG_WRITER_H

#include <stdbool.h>

#include "terminal/writer.h"

struct log_writer {
	const char *path;
	bool may_create;
	bool must_rename;               /* what is there, to PATH~, at the first open */
	bool sync_always;
	int fd;
};

extern const struct writer_ops log_writer_ops;

#endif
