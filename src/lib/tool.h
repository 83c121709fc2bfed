/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tool.h - what every tool of the suite does the same way: its name, its complaints, its version, the check that its
 * output arrived. For programs that a person or a script runs, never for pid 1. All of it may block as write(2) to
 * standard output or standard error may. */
#ifndef LIB_TOOL_H
#define LIB_TOOL_H

#include <stdio.h>

#include "lib/num.h"

enum { TOOL_OK = 0, TOOL_ERROR = 1 };

/* The name it was called by: argv[0] without a folder and without the dash of a login shell; fallback when there is none. */
const char *tool_name(char *const argv[], const char *fallback) MUST_CHECK;

/* One line on standard error: "NAME: OBJECT: REASON", the reason being that of err, a negative errno. */
void tool_complain(const char *name, const char *object, int err);

/* "NAME (sysvinit) VERSION" on standard output. The status to exit with, as of tool_finish(). */
int tool_version(const char *name) MUST_CHECK;

/* Flushes and closes out. status, or TOOL_ERROR when something did not get out: "NAME: write error: REASON" then. */
int tool_finish(const char *name, FILE *out, int status) MUST_CHECK;

#endif
