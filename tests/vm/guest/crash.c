/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* A fault of its own, unlike a signal that was sent: the kernel ends pid 1 for it when the signal
 * is blocked or ignored. orig_rax keeps the kernel from restarting the interrupted system call. */
int crash_main(int argc, char **argv)
{
	struct user_regs_struct regs;
	int status;

	(void)argc;
	(void)argv;
	if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) < 0 || waitpid(1, &status, __WALL) != 1 ||
		ptrace(PTRACE_GETREGS, 1, NULL, &regs) < 0) {
		perror("ptrace");
		return 1;
	}
	regs.rip = 0;
	regs.orig_rax = (unsigned long)-1;
	if (ptrace(PTRACE_SETREGS, 1, NULL, &regs) < 0 ||
		ptrace(PTRACE_DETACH, 1, NULL, NULL) < 0) {
		perror("ptrace");
		return 1;
	}
	return 0;
}
