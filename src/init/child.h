/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h - the forked child's side of a start: everything between fork and exec. May block: it is not pid 1. */
#ifndef INIT_CHILD_H
#define INIT_CHILD_H

#include "init/init.h"

/* Default signal dispositions, empty mask, no descriptor above 2 but keep_fd (-1: none). First thing in a child. */
void child_shed(const struct init *in, int keep_fd);

/* Becomes the entry's process. record_seq: of its start record, which must be out before getty looks for it. */
_Noreturn void child_main(struct init *in, const struct entry *entry, uint64_t record_seq);

#endif
