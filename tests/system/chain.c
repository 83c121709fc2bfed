/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chain - a process that is never the same: each link makes the next and ends, as fast as it goes. The first process says
 * "ready", takes in and forgets the ended links, and lives until it is killed. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return 1;
	if (!fork()) {
		(void)prctl(PR_SET_NAME, "link", 0, 0, 0);
		for (;;)
			if (fork() > 0)
				_exit(0);
	}
	if (write(1, "ready", 5) != 5)
		return 1;
	for (;;)
		pause();
}
