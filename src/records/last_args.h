/* SPDX-License-Identifier: GPL-2.0-or-later */
/* last_args.h - the command line of last and lastb, and which lines it asks for. */
#ifndef RECORDS_LAST_ARGS_H
#define RECORDS_LAST_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "records/columns.h"
#include "records/history.h"

enum last_wish { LAST_RUN = 1, LAST_HELP, LAST_VERSION, LAST_WRONG };

struct last_args {
	const char *path;
	bool is_default_path;
	bool is_bad;                    /* lastb */
	bool is_old;                    /* -o */
	bool with_system;               /* -x */
	bool numeric, resolve;          /* -i, -d */
	bool has_until;                 /* -t */
	int64_t until_s;
	int64_t count;                  /* 0: all; a negative one shows one line */
	struct columns columns;
	char *const *wanted;            /* operands, NULL behind the last */
};

/* Complains on standard error about what it answers with LAST_WRONG. argv is reordered and must stay as long as args. */
enum last_wish last_args_read(struct last_args *args, const char *name, int argc, char **argv);

/* Whether an operand asks for this line, or there is none. */
bool last_args_want(const struct last_args *args, const struct happening *what);

void last_args_help(const char *name);

#endif
