/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chain - a process that is never the same: each link makes the next and ends, as fast as it goes. The first process says
 * "ready", takes in and forgets the ended links, and lives until it is killed. With any argument it is not the first thread of a
 * link that makes the next one. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *go_on_by_thread(void *none)
{
	pthread_t thread;

	(void)none;
	if (fork() > 0)
		_exit(0);
	if (pthread_create(&thread, NULL, go_on_by_thread, NULL))
		_exit(1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	(void)argv;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return 1;
	if (!fork()) {
		(void)prctl(PR_SET_NAME, "link", 0, 0, 0);
		if (argc > 1)
			go_on_by_thread(NULL);
		for (;;)
			if (fork() > 0)
				_exit(0);
	}
	if (write(1, "ready", 5) != 5)
		return 1;
	for (;;)
		pause();
}
