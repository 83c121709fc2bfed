/* SPDX-License-Identifier: GPL-2.0-or-later */
/* floor PROGRAM - a pid 1 that starts PROGRAM and then does nothing but wait: what reaping costs at the very least. */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t child;
	int number;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (argc > 1 && !vfork()) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sigwait(&child, &number);
	}
}
