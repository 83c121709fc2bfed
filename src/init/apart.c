/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/apart.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/systool.h"
#include "lib/text.h"

enum { LINE_BYTES = 1024, STATUS_NOT_RUN = 255 };

struct task {
	int (*work)(const void *arg);
	const void *arg;
	const struct apart_limits *limits;
};

static int set_limits(const struct apart_limits *limits)
{
	const struct rlimit no_core = { 0, 0 }, cpu = { limits->cpu_s, limits->cpu_s },
		memory = { limits->memory_bytes, limits->memory_bytes };
	int err = sys_set_core_limit(&no_core);

	if (!err && limits->memory_bytes != RLIM_INFINITY)
		err = sys_set_memory_limit(&memory);
	if (!err && limits->cpu_s != RLIM_INFINITY)
		err = sys_set_cpu_limit(&cpu);
	return err;
}

/* out < 0: where the parent speaks. */
static _Noreturn void run_in_child(const struct task *task, int out)
{
	int err = set_limits(task->limits);

	if (!err && out >= 0)
		err = sys_dup2(out, STDOUT_FILENO);
	if (err >= 0 && out >= 0)
		err = sys_dup2(out, STDERR_FILENO);
	sys_exit(err < 0 ? STATUS_NOT_RUN : task->work(task->arg));
}

static int end_of(pid_t pid)
{
	siginfo_t end;
	int err = io_wait_child(pid, &end);

	if (err)
		return err;
	if (end.si_code != CLD_EXITED)
		return APART_KILLED + end.si_status;
	return end.si_status == STATUS_NOT_RUN ? -EAGAIN : end.si_status;
}

/* All of it is read, so that the child does not wait for us. */
static void keep_first_line(int fd, char *said, size_t size_bytes)
{
	char text[LINE_BYTES], rest[LINE_BYTES];
	ssize_t got = io_read_all(fd, text, sizeof text), more = got;
	size_t len = 0;

	while (more > 0)
		more = io_read_all(fd, rest, sizeof rest);
	while (got > 0 && len < (size_t)got && text[len] && text[len] != '\n')
		len++;
	said[text_make_harmless(text, len, said, size_bytes - 1)] = '\0';
}

static int run_and_hear(const struct task *task, char *said, size_t size_bytes)
{
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);
	pid_t pid;

	if (err)
		return err;
	pid = sys_fork();
	if (!pid)
		run_in_child(task, fds[1]);
	sys_close(fds[1]);
	if (pid > 0)
		keep_first_line(fds[0], said, size_bytes);
	sys_close(fds[0]);
	return pid < 0 ? pid : end_of(pid);
}

int apart_run(int (*work)(const void *arg), const void *arg, const struct apart_limits *limits, char *said, size_t size_bytes)
{
	const struct task task = { work, arg, limits };
	pid_t pid;

	if (said) {
		*said = '\0';
		return run_and_hear(&task, said, size_bytes);
	}
	pid = sys_fork();
	if (!pid)
		run_in_child(&task, -1);
	return pid < 0 ? pid : end_of(pid);
}
