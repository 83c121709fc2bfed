/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/survive.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/sys.h"

const int survive_fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, 0 };

int survive_install(void (*handler)(int))
{
	static char stack[16384];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER };
	int err = sys_sigaltstack(&alternate);

	sigfillset(&action.sa_mask);
	for (int i = 0; survive_fatal[i] && !err; i++)
		err = sys_sigaction(survive_fatal[i], &action);
	return err;
}

void survive_crashed(struct init *in, int signal)
{
	(void)in;
	(void)signal;
}

void survive_reexec(struct init *in)
{
	initlog(&in->log, LOG_TO_SYSLOG, "Trying to re-exec init");
}
