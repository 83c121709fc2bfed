/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/systool.h"

enum { PIECE_SIZE = 4096 };

/* 0, or what makes the console useless. */
static int write_console(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = sys_write(fd, text, len);

		if (put == -EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			if (sys_poll(&wait, 1, RELAY_CONSOLE_MS) == 0)
				return -ETIMEDOUT;
			continue;
		}
		if (put < 0 && put != -EINTR)
			return (int)put;
		if (put > 0) {
			text += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

void relay_say(struct relay *relay, const char *text, size_t len_bytes)
{
	char kept[PIECE_SIZE];

	if (relay->console >= 0 && write_console(relay->console, text, len_bytes))
		relay->console = -1;
	for (size_t piece; len_bytes; text += piece, len_bytes -= piece) {
		piece = len_bytes < sizeof kept ? len_bytes : sizeof kept;
		if (relay->strips)
			logbook_write(relay->book, kept, strip_copy(&relay->strip, text, piece, kept));
		else
			logbook_write(relay->book, text, piece);
	}
}

/* 1: passed something on; 0: end of file; a negative errno. */
static int pass_on(struct relay *relay, int in)
{
	char piece[PIECE_SIZE];
	ssize_t len = sys_read(in, piece, sizeof piece);

	if (len > 0)
		relay_say(relay, piece, (size_t)len);
	return len > 0 ? 1 : (int)len;
}

int relay_copy(struct relay *relay, int in)
{
	int passed;

	do {
		passed = pass_on(relay, in);
		if (passed == -EAGAIN) {
			struct pollfd wait = { .fd = in, .events = POLLIN };

			(void)sys_poll(&wait, 1, -1);   /* the next read tells what it was */
		}
	} while (passed > 0 || passed == -EAGAIN || passed == -EINTR);
	return passed;
}

/* --- a program --- */

struct program {
	pid_t pid;
	int out, signals;
	bool is_open, has_ended;
	struct mono quiet_until, listen_until;
	siginfo_t end;
};

static void our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

_Noreturn static void become(char *const argv[], int out)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t ours;
	int err = 0;

	our_signals(&ours);
	(void)sys_sigmask(SIG_UNBLOCK, &ours, NULL);
	(void)sys_sigaction(SIGPIPE, &plain);
	for (int fd = STDOUT_FILENO; !err && fd <= STDERR_FILENO; fd++)
		err = sys_dup2(out, fd) < 0 ? -EBADF : 0;
	if (!err)
		err = sys_exec_search(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
	sys_exit(1);
}

static int start(struct program *program, char *const argv[])
{
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);

	if (err)
		return err;
	program->pid = sys_fork();
	if (!program->pid)
		become(argv, fds[1]);
	(void)sys_close(fds[1]);
	if (program->pid < 0) {
		(void)sys_close(fds[0]);
		return program->pid;
	}
	program->out = fds[0];
	program->is_open = true;
	return 0;
}

static void note_end(struct program *program)
{
	struct mono now = mono_now();

	if (program->has_ended || sys_waitid(P_PID, (id_t)program->pid, &program->end, WEXITED | WNOHANG) < 0 ||
		program->end.si_pid != program->pid)
		return;
	program->has_ended = true;
	program->quiet_until = mono_after_ms(now, RELAY_QUIET_MS);
	program->listen_until = mono_after_ms(now, RELAY_AFTER_MS);
}

static void take_signal(struct program *program)
{
	struct signalfd_siginfo info;

	if (sys_read(program->signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo != SIGCHLD && !program->has_ended)
		(void)sys_kill(program->pid, (int)info.ssi_signo);
	note_end(program);
}

/* True while there is something to wait for. */
static bool is_going_on(const struct program *program, struct mono now)
{
	if (!program->has_ended)
		return true;
	return program->is_open && !mono_is_due(mono_first(program->quiet_until, program->listen_until), now);
}

static void wait_for_news(struct relay *relay, struct program *program)
{
	struct pollfd wait[] = { { .fd = program->signals, .events = POLLIN },
		{ .fd = program->is_open ? program->out : -1, .events = POLLIN } };
	struct mono until = program->has_ended ? mono_first(program->quiet_until, program->listen_until) : MONO_NEVER;
	int passed;

	if (sys_poll(wait, 2, mono_left_ms(until, mono_now())) <= 0)
		return;
	if (wait[1].revents) {
		passed = pass_on(relay, program->out);
		program->quiet_until = mono_after_ms(mono_now(), RELAY_QUIET_MS);
		program->is_open = passed > 0 || passed == -EINTR;
	}
	if (wait[0].revents)
		take_signal(program);
}

int relay_run(struct relay *relay, char *const argv[], int *code, int *status)
{
	struct program program = { .pid = -1 };
	sigset_t ours;
	int err;

	our_signals(&ours);
	err = sys_sigmask(SIG_BLOCK, &ours, NULL);
	if (err)
		return err;
	program.signals = sys_signalfd(&ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (program.signals < 0)
		return program.signals;
	err = start(&program, argv);
	if (!err) {
		while (is_going_on(&program, mono_now()))
			wait_for_news(relay, &program);
		(void)sys_close(program.out);
		*code = program.end.si_code;
		*status = program.end.si_status;
	}
	(void)sys_close(program.signals);
	return err;
}
