/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enter INIT ARG... - notes the time in /tmp/exec (nanoseconds of CLOCK_MONOTONIC) and becomes INIT, without the network and
 * without the right to mount, to swap or to end the machine: some inits set all of that up for a whole system. Refuses to be
 * anything but pid 1. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REFUSE(number) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int forbid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(SYS_mount),
		REFUSE(SYS_umount2),
		REFUSE(SYS_swapon),
		REFUSE(SYS_swapoff),
		REFUSE(SYS_reboot),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	struct timespec now;
	char text[32];
	int fd;

	if (argc < 2 || getpid() != 1 || unshare(CLONE_NEWNET) || forbid())
		return 99;
	fd = open("/tmp/exec", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof text, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	if (write(fd, text, strlen(text)) < 0)
		return 99;
	close(fd);
	execv(argv[1], argv + 1);
	return 99;
}
