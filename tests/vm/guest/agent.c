/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control channel: commands from the driver on a virtio port, no tty on the way, so that it
 * goes on when every terminal and pid 1 itself stand still. One line "RUN ID TIMEOUT_MS LENGTH" and
 * LENGTH bytes of shell come in; "DONE ID STATUS LENGTH" and the output go back. A command that
 * does not end in time is killed and answered with 124 without waiting: it may be in D state. */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS 32
#define OUTPUT_MAX (8 << 20)

struct job {
	pid_t pid;                      /* 0: free */
	long id;
	int fd;
	int64_t deadline_ms;
	char *out;
	size_t len;
};

struct agent {
	int port;
	int signals;
	char *in;
	size_t in_len, in_size;
	struct job jobs[JOBS];
};

static int port_open(const char *name)
{
	char path[300], found[64];
	struct dirent *e;
	DIR *dir;
	int fd = -1;

	while (fd < 0) {
		dir = opendir("/sys/class/virtio-ports");
		while (dir && (e = readdir(dir))) {
			snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", e->d_name);
			if (guest_read_file(path, found, sizeof(found)) <= 0)
				continue;
			found[strcspn(found, "\n")] = '\0';
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
			if (strcmp(found, name) == 0)
				fd = open(path, O_RDWR | O_CLOEXEC);
		}
		if (dir)
			closedir(dir);
		if (fd < 0)
			guest_sleep_ms(10);
	}
	return fd;
}

static void port_write(struct agent *a, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(a->port, data, len);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
			return;         /* the driver is gone, and the machine goes with it */
		}
	}
}

static void answer(struct agent *a, long id, int status, const char *out, size_t len)
{
	char head[80];
	int n = snprintf(head, sizeof(head), "DONE %ld %d %zu\n", id, status, len);

	port_write(a, head, (size_t)n);
	port_write(a, out, len);
}

static void job_read(struct job *j)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(j->fd, buf, sizeof(buf))) > 0) {
		if (j->len + (size_t)n > OUTPUT_MAX)
			continue;
		j->out = realloc(j->out, j->len + (size_t)n);
		memcpy(j->out + j->len, buf, (size_t)n);
		j->len += (size_t)n;
	}
	if (n == 0) {
		close(j->fd);
		j->fd = -1;
	}
}

static void job_end(struct agent *a, struct job *j, int status)
{
	if (j->fd >= 0) {
		job_read(j);
		if (j->fd >= 0)
			close(j->fd);
	}
	answer(a, j->id, status, j->out, j->len);
	free(j->out);
	memset(j, 0, sizeof(*j));
}

static void child_run(const char *command, int out)
{
	static const char *const env[] = { "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "HOME=/root",
					   "TERM=dumb", NULL };
	static const char *argv[] = { "sh", "-c", NULL, NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	int s;

	setsid();
	for (s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	argv[2] = command;
	execve("/bin/sh", (char *const *)argv, (char *const *)env);
	_exit(126);
}

static void job_start(struct agent *a, long id, long timeout_ms, const char *command)
{
	struct job *j = a->jobs;
	const char *why = NULL;
	int fds[2];

	while (j < a->jobs + JOBS && j->pid)
		j++;
	if (j == a->jobs + JOBS) {
		answer(a, id, 125, "agent: too many jobs", 20);
		return;
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		answer(a, id, 125, "agent: no pipe", 14);
		return;
	}
	j->pid = fork();
	if (j->pid == 0)
		child_run(command, fds[1]);
	close(fds[1]);
	if (j->pid < 0) {
		why = strerror(errno);
		j->pid = 0;
		close(fds[0]);
		answer(a, id, 125, why, strlen(why));
		return;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	j->id = id;
	j->fd = fds[0];
	j->deadline_ms = guest_now_ms() + timeout_ms;
}

/* Takes one whole request off the front of the input; false when there is none yet. */
static int request_take(struct agent *a)
{
	char *eol = memchr(a->in, '\n', a->in_len);
	long id, timeout_ms;
	size_t len, head;
	char *command;

	if (!eol)
		return 0;
	*eol = '\0';
	if (sscanf(a->in, "RUN %ld %ld %zu", &id, &timeout_ms, &len) != 3)
		_exit(1);
	*eol = '\n';
	head = (size_t)(eol - a->in) + 1;
	if (a->in_len < head + len)
		return 0;
	command = strndup(a->in + head, len);
	a->in_len -= head + len;
	memmove(a->in, a->in + head + len, a->in_len);
	job_start(a, id, timeout_ms, command);
	free(command);
	return 1;
}

static void port_read(struct agent *a)
{
	ssize_t n;

	if (a->in_size - a->in_len < 65536) {
		a->in_size += 65536;
		a->in = realloc(a->in, a->in_size);
	}
	n = read(a->port, a->in + a->in_len, a->in_size - a->in_len);
	if (n > 0)
		a->in_len += (size_t)n;
	while (request_take(a))
		;
}

static void children_reap(struct agent *a)
{
	struct signalfd_siginfo info;
	int status, i;
	pid_t pid;

	while (read(a->signals, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < JOBS; i++)
			if (a->jobs[i].pid == pid)
				job_end(a, &a->jobs[i], WIFEXITED(status) ? WEXITSTATUS(status) :
					128 + WTERMSIG(status));
}

static int jobs_expire(struct agent *a)
{
	int64_t now = guest_now_ms(), next = 60000;
	int i;

	for (i = 0; i < JOBS; i++) {
		struct job *j = &a->jobs[i];

		if (j->pid && j->deadline_ms <= now) {
			kill(-j->pid, SIGKILL);
			job_end(a, j, 124);
		} else if (j->pid && j->deadline_ms - now < next) {
			next = j->deadline_ms - now;
		}
	}
	return (int)next;
}

static void agent_turn(struct agent *a)
{
	struct pollfd p[JOBS + 2] = {
		{ .fd = a->port, .events = POLLIN }, { .fd = a->signals, .events = POLLIN },
	};
	int i;

	for (i = 0; i < JOBS; i++) {
		p[i + 2].fd = a->jobs[i].pid ? a->jobs[i].fd : -1;
		p[i + 2].events = POLLIN;
	}
	if (poll(p, JOBS + 2, jobs_expire(a)) <= 0)
		return;
	for (i = 0; i < JOBS; i++)
		if (a->jobs[i].pid && a->jobs[i].fd == p[i + 2].fd && p[i + 2].revents)
			job_read(&a->jobs[i]);
	if (p[1].revents)
		children_reap(a);
	if (p[0].revents & POLLIN)
		port_read(a);
}

int agent_main(int argc, char **argv)
{
	static struct agent a;
	sigset_t all;
	int score;

	if (argc != 2)
		return 2;
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	a.signals = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
	score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (write(score, "-1000", 5) != 5)
		return 1;
	close(score);
	a.port = port_open(argv[1]);
	port_write(&a, "READY\n", 6);
	for (;;)
		agent_turn(&a);
}
