/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A grandchild that outlives its parent and then ends; its pid, or a negative errno. */
static pid_t orphan_make(void)
{
	pid_t middle, orphan = -EAGAIN;
	int out[2], hold[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(hold, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return -EMFILE;
	}
	middle = fork();
	if (middle == 0) {
		close(hold[1]);
		orphan = fork();
		if (orphan == 0) {
			char c;

			close(out[1]);
			_exit((int)read(hold[0], &c, 1));
		}
		if (write(out[1], &orphan, sizeof(orphan)) != sizeof(orphan))
			_exit(1);
		_exit(0);
	}
	close(out[1]);
	close(hold[0]);
	if (middle > 0) {
		if (read(out[0], &orphan, sizeof(orphan)) != sizeof(orphan) || orphan < 0)
			orphan = -EAGAIN;
		waitpid(middle, NULL, 0);
	}
	close(out[0]);
	close(hold[1]);                 /* now it ends */
	return orphan;
}

int orphan_main(int argc, char **argv)
{
	int64_t start, limit_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
	pid_t pid = orphan_make();

	if (pid < 0) {
		printf("fork refused: %s\n", strerror(-pid));
		return 3;
	}
	start = guest_now_ms();
	while (kill(pid, 0) == 0 || errno != ESRCH) {
		if (guest_now_ms() - start > limit_ms) {
			printf("still there after %lld ms\n", (long long)limit_ms);
			return 1;
		}
		guest_sleep_ms(2);
	}
	printf("%lld\n", (long long)(guest_now_ms() - start));
	return 0;
}

/* Batches of children whose parent ends first; says how many were made, and how often fork was
 * refused. */
int storm_main(int argc, char **argv)
{
	long total, batch, made = 0, refused = 0, i;
	int count[2], r;
	pid_t middle;

	if (argc != 3)
		return 2;
	total = strtol(argv[1], NULL, 10);
	batch = strtol(argv[2], NULL, 10);
	while (made + refused < total) {
		long result[2] = { 0, 0 };

		if (pipe2(count, O_CLOEXEC) < 0)
			return 1;
		middle = fork();
		if (middle == 0) {
			for (i = 0; i < batch; i++) {
				pid_t pid = fork();

				if (pid == 0)
					_exit(0);
				result[pid < 0]++;
			}
			r = (int)write(count[1], result, sizeof(result));
			_exit(r != sizeof(result));
		}
		close(count[1]);
		if (middle < 0 || read(count[0], result, sizeof(result)) != sizeof(result))
			result[1] = batch;
		close(count[0]);
		if (middle > 0)
			waitpid(middle, NULL, 0);
		made += result[0];
		refused += result[1];
	}
	printf("made %ld refused %ld\n", made, refused);
	return refused != 0;
}

/* Fills a tty until it takes no more, and leaves its descriptor blocking. */
static void tty_fill(int fd)
{
	char block[512];

	memset(block, '.', sizeof(block));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, block, sizeof(block)) > 0)
		;
	while (write(fd, block, 1) > 0)
		;
	fcntl(fd, F_SETFL, 0);
}

/* Console output goes to a full pty whose master is never read, until this process ends. */
int redirect_main(int argc, char **argv)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave, zero = 0;
	char name[64];

	(void)argc;
	(void)argv;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 ||
		ptsname_r(master, name, sizeof(name)) != 0) {
		perror("pty");
		return 1;
	}
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0) {
		perror(name);
		return 1;
	}
	tty_fill(slave);
	if (ioctl(slave, TIOCCONS, NULL) < 0) {
		perror("TIOCCONS");
		return 1;
	}
	printf("redirected to %s\n", name);
	fflush(stdout);
	for (;;)
		pause();
}

/* True once the line holds back what it was given: its sender was told to stop. */
static int is_stopped(int fd)
{
	int waiting = 0, i;

	for (i = 0; i < 10; i++) {
		if (ioctl(fd, TIOCOUTQ, &waiting) < 0 || waiting == 0)
			return 0;
		guest_sleep_ms(20);
	}
	return 1;
}

static void process_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	while (kill(pid, 0) == 0)
		guest_sleep_ms(1);
}

/* Opens a serial line, says so, waits until the other side has stopped it, ends the process PID
 * that holds it open as well (0: nobody does), and closes it: the last close of a line with unsent
 * output. */
int lastclose_main(int argc, char **argv)
{
	int64_t start;
	int fd;

	if (argc != 3)
		return 2;
	fd = open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	printf("open\n");
	fflush(stdout);
	do
		if (write(fd, ".", 1) < 0 && errno != EAGAIN)
			return 1;
	while (!is_stopped(fd));
	printf("stopped\n");
	fflush(stdout);
	if (atoi(argv[2]))
		process_kill(atoi(argv[2]));
	start = guest_now_ms();
	close(fd);
	printf("closed after %lld ms\n", (long long)(guest_now_ms() - start));
	return 0;
}

int stopped_main(int argc, char **argv)
{
	int fd, stopped;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		perror(argv[1]);
		return 2;
	}
	stopped = (write(fd, ".", 1) == 1 || errno == EAGAIN) && is_stopped(fd);
	if (!stopped)
		tcflush(fd, TCOFLUSH);
	close(fd);
	return !stopped;
}
