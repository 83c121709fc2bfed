/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h - what callers of read, write and wait do over and over. */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/num.h"

/* Writes all of buf to a descriptor that may block. 0 or a negative errno; EINTR is tried again. */
int io_write_all(int fd, const void *buf, size_t len_bytes) MUST_CHECK;

/* Reads until end of file or len_bytes. Bytes read, or a negative errno; EINTR is tried again.
 * May block. */
ssize_t io_read_all(int fd, void *buf, size_t len_bytes) MUST_CHECK;

/* The same from a place in a file, without moving in it. */
ssize_t io_read_at(int fd, void *buf, size_t len_bytes, off_t at) MUST_CHECK;

/* A whole small file as text: at most size_bytes - 1 bytes, then a NUL. Length or a negative
 * errno. May block. */
ssize_t io_read_file(const char *path, char *buf, size_t size_bytes) MUST_CHECK;

/* Closes what has this number and lets nothing get it by chance: it is a close-on-exec copy of standard input from now on.
 * Where even that cannot be had, it is closed. Never blocks. */
void io_reserve(int fd);

/* Waits until the child has ended, and takes its end. 0 or a negative errno; EINTR is tried again. Blocks: for tools and the
 * children of pid 1, never for pid 1. */
int io_wait_child(pid_t pid, siginfo_t *out);

#endif
