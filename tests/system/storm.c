/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storm N - makes N zombies of its own, says so, and leaves all of them to pid 1 at once when its input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 0;
	char byte;

	for (; left > 0; left--) {
		pid_t pid = vfork();

		if (pid < 0)
			return perror("vfork"), 1;
		if (!pid)
			_exit(0);
	}
	if (write(1, "ready", 5) != 5)
		return 1;
	return read(0, &byte, 1) < 0;
}
