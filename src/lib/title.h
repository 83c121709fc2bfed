/* SPDX-License-Identifier: GPL-2.0-or-later */
/* title.h - what ps(1) shows for this process. Nothing here can block or allocate. */
#ifndef LIB_TITLE_H
#define LIB_TITLE_H

#include <stddef.h>

enum { TITLE_MAX = 64 };

struct title {
	char *area;            /* argv, then the environment, as the kernel laid them out */
	size_t size_bytes;
	size_t argv_bytes;
	char *text;            /* TITLE_MAX bytes for what does not fit there */
};

/* Remembers where the command line lies. The caller must have copied what it still needs of argv
 * and environ: title_set overwrites both. text is room for TITLE_MAX bytes on the stack, for as
 * long as the process lives: of memory that a file is mapped to, static data for example, the
 * kernel shows nothing (get_mm_cmdline, FOLL_ANON). */
void title_init(struct title *title, char **argv, char **envp, char *text);

/* Shows text, NULs behind it. A longer text than the old command line and environment moves the
 * bounds (PR_SET_MM, needs CAP_SYS_RESOURCE), else it is cut. A title of zeros shows nothing. */
void title_set(struct title *title, const char *text);

#endif
