/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into a bootlogd under test: the kernel's console stays where it is; which terminal it would have been
 * redirected to is written to the file that TIOCCONS_FILE names. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
