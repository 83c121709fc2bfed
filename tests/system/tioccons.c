/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into a bootlogd under test: the kernel's console stays where it is; which terminal it would have been
 * redirected to is written to the file that TIOCCONS_FILE names. With SETSID_WAITS_FOR=FILE its child is as slow as on a busy
 * machine: it does not come through setsid() before its parent sleeps, or else the file is there. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	const char *file = getenv("TIOCCONS_FILE");
	char name[128];
	va_list list;
	void *value;
	int to;

	va_start(list, request);
	value = va_arg(list, void *);
	va_end(list);
	if ((unsigned)request != TIOCCONS)
		return real(fd, request, value);
	if (!file || ttyname_r(fd, name, sizeof name))
		return -1;
	to = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(to, "%s\n", name);
	return close(to);
}

static int is_asleep(pid_t pid)
{
	char path[32], text[512] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	state = strrchr(text, ')');
	return state && state[1] && state[2] == 'S';
}

pid_t setsid(void)
{
	pid_t (*real)(void) = (pid_t (*)(void))dlsym(RTLD_NEXT, "setsid");
	const char *file = getenv("SETSID_WAITS_FOR");

	/* Who has no parent any more has process 1 for one, which sleeps. */
	while (file && access(file, F_OK) && (getppid() == 1 || !is_asleep(getppid())))
		usleep(1000);
	return real();
}
