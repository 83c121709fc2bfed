/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lag COUNT LIMIT_MS - lets COUNT dead orphans fall to pid 1 at once, and has others die one by one meanwhile.
 * Prints: milliseconds until the last of the COUNT was reaped, those that the unluckiest of the others lay there, how many
 * others there were. A number is -1 when LIMIT_MS passed before. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int is_there(pid_t pid)
{
	return !kill(pid, 0) || errno != ESRCH;
}

/* Their common parent; they are orphans when go is closed. */
static pid_t gather(pid_t *dead, int count, int go[2])
{
	int ready[2];
	char byte;
	pid_t parent;

	if (pipe(ready))
		exit(1);
	parent = fork();
	if (!parent) {
		close(go[1]);
		for (int i = 0; i < count; i++)
			if (!(dead[i] = vfork()))
				_exit(0);
		_exit(write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) < 0);
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	return parent;
}

/* An orphan that dies when *leash is closed. */
static pid_t orphan(int *leash)
{
	int hold[2], tell[2];
	pid_t pid = 0, parent;

	if (pipe(hold) || pipe(tell))
		exit(1);
	parent = fork();
	if (!parent) {
		pid = fork();
		if (!pid) {
			char byte;

			close(hold[1]);
			_exit(read(hold[0], &byte, 1) < 0);
		}
		_exit(write(tell[1], &pid, sizeof pid) != sizeof pid);
	}
	if (read(tell[0], &pid, sizeof pid) != sizeof pid || waitpid(parent, NULL, 0) != parent)
		exit(1);
	close(hold[0]);
	close(tell[0]);
	close(tell[1]);
	*leash = hold[1];
	return pid;
}

/* Until it is dead; how long it is left lying then, at most until end. */
static double lay_ms(pid_t pid, int leash, double end)
{
	struct pollfd pidfd = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
	double died;

	if (pidfd.fd < 0)
		exit(1);
	close(leash);
	(void)poll(&pidfd, 1, -1);
	died = now_ms();
	close(pidfd.fd);
	while (is_there(pid)) {
		if (now_ms() > end)
			return -1;
		sched_yield();
	}
	return now_ms() - died;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0, left = count, go[2], leash, others = 0;
	pid_t *dead = mmap(NULL, sizeof *dead * (size_t)(count + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double began, end, storm_ms = -1, worst_ms = 0;
	pid_t parent, pid;

	if (!count || dead == MAP_FAILED)
		return 1;
	pid = orphan(&leash);
	if (pipe(go))                   /* later: the orphan shall not hold an end of it */
		return 1;
	parent = gather(dead, count, go);
	began = now_ms();
	end = began + atoi(argv[2]);
	close(go[1]);
	waitpid(parent, NULL, 0);
	do {
		double lay = lay_ms(pid, leash, end);

		others++;
		worst_ms = lay < 0 || lay > worst_ms ? lay : worst_ms;
		while (left && !is_there(dead[left - 1]))
			left--;
		if (!left && storm_ms < 0)
			storm_ms = now_ms() - began;
		if (lay >= 0)
			pid = orphan(&leash);
	} while (worst_ms >= 0 && (left || others < 20) && now_ms() < end);
	printf("%.3f %.3f %d\n", storm_ms, worst_ms, others);
	return 0;
}
