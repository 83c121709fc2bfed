/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded: opening /dev/pts/N never returns where N can be divided by HANG_EACH, as a serial line in its last close or
 * a line discipline that hangs would have it. Ends with SIGKILL only. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_or_hang(const char *path, int flags, mode_t mode)
{
	const char *each = getenv("HANG_EACH");
	int number;

	if (each && sscanf(path, "/dev/pts/%d", &number) == 1 && number % atoi(each) == 0) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		for (;;)
			pause();
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	/* The mode is there in each call of ours. */
	return open_or_hang(path, flags, 0644);
}

int open64(const char *path, int flags, ...)
{
	return open_or_hang(path, flags, 0644);
}
