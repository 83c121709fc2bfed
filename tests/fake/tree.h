/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/tree.h - a root of the test's own in a directory that goes with it: set-up and tear-down for cmocka, and what
 * lies in it. With it fake_root() is set. */
#ifndef FAKE_TREE_H
#define FAKE_TREE_H

#include <stdbool.h>
#include <stddef.h>

int tree_begin(void **state);
int tree_end(void **state);                                /* also clears armed faults, fake processes and clocks */

const char *tree_path(const char *name);                   /* where the file lies really; valid for the next 4 calls */
void tree_put(const char *name, const char *text);         /* makes the directories on the way */
void tree_put_bytes(const char *name, const void *bytes, size_t len);
void tree_link(const char *name, const char *target);
void tree_dir(const char *name);
bool tree_has(const char *name);                           /* links are not followed */
const char *tree_get(const char *name);                    /* its text; NULL: there is none. Valid until the next call */

/* What say() writes to this descriptor; valid until the next call. */
const char *tree_said(int fd, void (*say)(void *), void *arg);

#endif
