/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid1-line: one line about process 1 as seen from this pid name space: its level, children, zombies, where it sleeps,
 * and for ours the queue, waiting/lost for each sink. For contrib/try; works for any init (no queue then). Root. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initlog/queue.h"

static ssize_t slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[got > 0 ? got : 0] = '\0';
	return got;
}

/* "pid (comm) state ppid ...": comm may hold anything but ends at the last parenthesis. */
static void count_processes(int *children, int *zombies)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	*children = *zombies = 0;
	while (proc && (entry = readdir(proc))) {
		char path[300], text[512], state = 0, *end;
		int parent = 0;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		if (slurp(path, text, sizeof text) <= 0 || !(end = strrchr(text, ')')) ||
			sscanf(end + 1, " %c %d", &state, &parent) != 2 || parent != 1)
			continue;
		*children += 1;
		*zombies += state == 'Z';
	}
	if (proc)
		closedir(proc);
}

static struct queue *find_queue(void)
{
	DIR *fds = opendir("/proc/1/fd");
	struct dirent *entry;
	struct queue *queue = NULL;

	while (fds && !queue && (entry = readdir(fds))) {
		char path[300], link[64] = "";
		int fd;

		snprintf(path, sizeof path, "/proc/1/fd/%s", entry->d_name);
		if (readlink(path, link, sizeof link - 1) < 0 || strncmp(link, "/memfd:initlog", 14))
			continue;
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && queue_attach(fd, &queue))
			close(fd);
	}
	if (fds)
		closedir(fds);
	return queue;
}

static void print_queue(void)
{
	static const char *const name[SINK_COUNT] = { "console", "syslog", "utmp", "wtmp" };
	struct queue *queue = find_queue();

	if (!queue)
		return;
	printf(" | waiting/lost");
	for (unsigned sink = 0; sink < SINK_COUNT; sink++) {
		struct queue_status status = queue_status(queue, (enum sink)sink);

		printf(" %s %llu/%llu", name[sink], (unsigned long long)status.pending,
			(unsigned long long)status.lost);
	}
	queue_free(queue);
}

int main(void)
{
	char title[64], state[1024], wchan[64], *field;
	int children, zombies;

	slurp("/proc/1/cmdline", title, sizeof title);
	slurp("/proc/1/status", state, sizeof state);
	slurp("/proc/1/wchan", wchan, sizeof wchan);
	field = strstr(state, "State:\t");
	count_processes(&children, &zombies);
	printf("%-9s children %-5d zombies %-5d %c %-18s", title, children, zombies, field ? field[7] : '?',
		wchan[0] && wchan[0] != '0' ? wchan : "-");
	print_queue();
	putchar('\n');
	return fflush(stdout) ? 1 : 0;
}
