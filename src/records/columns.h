/* SPDX-License-Identifier: GPL-2.0-or-later */
/* columns.h - a line of last(1). Whatever is in a record, a line has printable ASCII alone and one newline, at its end.
 * Nothing here can block. */
#ifndef RECORDS_COLUMNS_H
#define RECORDS_COLUMNS_H

#include <stdbool.h>

#include "records/history.h"
#include "records/moment.h"

enum { COLUMNS_LINE_MAX = 511 };        /* what is longer is cut; the newline is not counted */

struct columns {
	bool no_host;                   /* -R */
	bool host_last;                 /* -a */
	bool full_dates;                /* -F */
	bool long_names;                /* -l */
	bool whole_names;               /* -w */
};

/* host need not be terminated. The length; out is not terminated. */
int columns_write(const struct columns *columns, struct moment *moment, const struct happening *what, struct text host,
	char out[COLUMNS_LINE_MAX + 1]);

/* Puts a '*' for each byte of text that is not printable ASCII. */
void columns_clean(char *text);

#endif
