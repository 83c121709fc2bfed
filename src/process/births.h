/* SPDX-License-Identifier: GPL-2.0-or-later */
/* births.h - whether a process has been made since the last look.
 * The kernel hands out the numbers of a pid namespace in a circle, and tells the last one: while that stays the same, none was
 * handed out (but for all of them, once around: 300 at the least, and mostly 32,768 or more). A process of a namespace within
 * has a number of this one, too. */
#ifndef PROCESS_BIRTHS_H
#define PROCESS_BIRTHS_H

#include <stdint.h>

/* A file of this /proc that tells, or -1. One that is mounted over it, as containers do, is not asked: who makes that one up
 * may hang, and need not know. */
int births_open(int proc);

/* The last number, or -1: nobody knows. fd may be -1. Never blocks. */
int64_t births_last(int fd);

#endif
