/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pidlock.h - who is the waiting shutdown? Decided by a lock on a file that only root can open; said by the pid file, of
 * which the owner holds a lock, too. The number in it is for other programs: a pid file that nobody has locked means
 * nothing, and a lock to read, which any user may have, means nothing either. No call waits for a lock. */
#ifndef POWER_PIDLOCK_H
#define POWER_PIDLOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/num.h"

struct pidlock {
	int lock_fd, pid_fd;            /* -1: none */
};

#define PIDLOCK_NONE ((struct pidlock){ -1, -1 })

/* Becomes the one. 0; -EBUSY: somebody else is; or another negative errno: the files cannot be made. Locks belong to the
 * process: no child has them, and neither file must be opened a second time. */
int pidlock_take(struct pidlock *lock) MUST_CHECK;

/* Whether it may still be called off, for those who want to. */
void pidlock_set_open(struct pidlock *lock, bool is_open);

/* Removes the files and gives up the locks. */
void pidlock_drop(struct pidlock *lock);

/* Who it is: a pid above 1. -ENOENT: there is no pid file, or no number in it; -ESRCH: nobody has it locked. */
int pidlock_owner(pid_t *out) MUST_CHECK;

/* Sends the owner a signal, and nobody else: 0, -EINPROGRESS when it cannot be called off any more, or as above. */
int pidlock_signal(int signal) MUST_CHECK;

#endif
