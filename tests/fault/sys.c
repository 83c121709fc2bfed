/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault/sys.c - lib/sys.c with a fault point before each system call, for a build of init that tests crash (make faulty).
 * Pid 1 counts the points down in a file that the test has written before it booted; at 0 it really faults. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ORDERS_PATH "/run/faults"

enum fault_kind { FAULT_SEGV, FAULT_ILL, FAULT_FPE };

/* Shared with the test: struct.pack("=IIII"). */
struct orders {
	volatile uint32_t left;         /* points to pass before the fault; 0: none is wanted */
	volatile uint32_t kind;
	volatile uint32_t faults;       /* that there were */
	volatile uint32_t then;         /* left, for the image that comes up after the fault */
};

static struct orders *orders_find(void)
{
	static struct orders *orders;
	static int looked;
	int fd;

	if (looked++)
		return orders;
	fd = open(ORDERS_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	orders = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (orders == MAP_FAILED)
		orders = NULL;
	return orders;
}

/* Not for a sanitizer to see, which would end the process in its own way. */
__attribute__((no_sanitize("undefined"))) static void fault(uint32_t kind)
{
	volatile int zero = 0, *volatile nowhere = NULL;

	switch (kind) {
	case FAULT_SEGV:
		*nowhere = 1;
		break;
	case FAULT_FPE:
		zero = 1 / zero;
		break;
	}
	__builtin_trap();
}

/* A fault in the handling of a fault ends in the last resort, as it is meant to: there is nothing to find out. */
static int is_in_handler(void)
{
	stack_t stack;

	return !sigaltstack(NULL, &stack) && stack.ss_flags & SS_ONSTACK;
}

static void fault_point(void)
{
	struct orders *orders;

	if (syscall(SYS_getpid) != 1 || is_in_handler())
		return;
	orders = orders_find();
	if (!orders || !orders->left || --orders->left)
		return;
	orders->faults++;
	orders->left = orders->then;
	orders->then = 0;
	fault(orders->kind);
}

#define BEFORE(name) fault_point()

#include "lib/sys.c"

/* The kernel drops a fault's signal that is sent to process 1 before an image has its handlers. The sanitizer's handlers, which come
 * first, would end it there; and of the options in the environment nothing is left after a crash. */
#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0";
}
#endif
