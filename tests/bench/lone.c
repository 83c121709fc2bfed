/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lone COUNT - orphans that die one by one, half a millisecond apart, so that pid 1 wakes for each. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
		int until_it_ended[2];
		pid_t parent;
		char byte;

		if (pipe(until_it_ended) || (parent = fork()) < 0)
			return 1;
		if (!parent) {
			if (fork())
				_exit(0);               /* closes the only end that is written to */
			close(until_it_ended[1]);
			_exit(read(until_it_ended[0], &byte, 1) < 0);
		}
		close(until_it_ended[0]);
		close(until_it_ended[1]);
		waitpid(parent, NULL, 0);
		usleep(500);
	}
	return 0;
}
