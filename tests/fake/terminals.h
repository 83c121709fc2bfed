/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/terminals.h - pseudo terminals of the test's own, and a utmp file that has somebody on each. For unit
 * tests with cmocka; what fails fails the test. */
#ifndef FAKE_TERMINALS_H
#define FAKE_TERMINALS_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/utmpfile.h"

enum { TERMINALS_MAX = 64 };

struct terminal {
	int master, slave;              /* the slave is raw: what is written is what is read */
	const char *path;               /* /dev/pts/N */
	const char *line;               /* pts/N */
	char name[32];
};

/* Opens count of them. terminals_close() closes and removes everything. */
void terminals_open(struct terminal *out, int count);
void terminals_close(void);

void terminal_stop(const struct terminal *terminal);       /* as ^S does */
void terminal_go_on(const struct terminal *terminal);

/* What has been written to it, until so many bytes were read or 20 s have passed; how many. */
size_t terminal_read(const struct terminal *terminal, char *out, size_t size_bytes);

/* True if nothing more is to be read. */
int terminal_is_silent(const struct terminal *terminal);

/* The utmp file: emptied by terminals_open(). */
const char *terminals_utmp(void);
void utmp_add(int type, pid_t pid, const char *line, const char *user);
void utmp_add_all(const struct terminal *terminals, int count);

#endif
