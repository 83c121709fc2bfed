/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.h - a record as a line of utmpdump(1), and back.
 * Two forms: the plain one has eight fields and leaves out what sysvinit's leaves out; the exact one has twelve, and all of
 * the record: dump_read() makes the same bytes of it. Nothing here can block (stamp.h). */
#ifndef RECORDS_DUMP_H
#define RECORDS_DUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "records/layout.h"

enum { DUMP_LINE_MAX = 2048 };

/* The length, newline included; out is terminated. */
size_t dump_write(const struct record *record, bool is_exact, char out[DUMP_LINE_MAX]);

/* Reads a line of either form, without its newline. 0 or -EINVAL; *out is written only on success. */
int dump_read(const char *line, size_t len, struct record_fields *out) MUST_CHECK;

#endif
