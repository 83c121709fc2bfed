/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct face {
	const char *name;
	int (*main)(int argc, char **argv);
} faces[] = {
	{ "agent", agent_main },
	{ "watch", watch_main },
	{ "orphan", orphan_main },
	{ "storm", storm_main },
	{ "redirect", redirect_main },
	{ "lastclose", lastclose_main },
	{ "stopped", stopped_main },
	{ "crash", crash_main },
	{ "login", login_main },
	{ "clog", clog_main },
	{ "lock", lock_main },
	{ "label", label_main },
};

int64_t guest_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void guest_sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

int guest_read_file(const char *path, char *buf, int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -1;
	n = read(fd, buf, (size_t)size - 1);
	close(fd);
	if (n < 0)
		return -1;
	buf[n] = '\0';
	return (int)n;
}

static int is_guest(void)
{
	char line[4096];

	return guest_read_file("/proc/cmdline", line, sizeof(line)) > 0 && strstr(line, GUEST_MARK);
}

int main(int argc, char **argv)
{
	size_t i;

	if (!is_guest()) {
		fprintf(stderr, "%s: only for machines started by tests/vm/vm.py\n", argv[0]);
		return 77;
	}
	for (i = 0; argc > 1 && i < sizeof(faces) / sizeof(faces[0]); i++)
		if (strcmp(argv[1], faces[i].name) == 0)
			return faces[i].main(argc - 1, argv + 1);
	fprintf(stderr, "%s: unknown command\n", argv[0]);
	return 2;
}
