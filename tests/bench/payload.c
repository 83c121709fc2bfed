/* SPDX-License-Identifier: GPL-2.0-or-later */
/* payload - the one service of an init that is measured: notes when it ran first (/tmp/first, nanoseconds of CLOCK_MONOTONIC)
 * and then sleeps. Called "1" (runit's first stage) or "openrc" (which openrc-init executes once for each level) it ends. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void note_when(void)
{
	char text[32];
	struct timespec now;
	int fd = open("/tmp/first", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof text, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	int is_rc = !strcmp(name, "openrc");

	note_when();
	if (!strcmp(name, "1") || (is_rc && argc > 1 && strcmp(argv[1], "default")))
		return 0;
	if (is_rc && fork())
		return 0;
	for (;;)
		pause();
}
