/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/signals.h"

#include "init/control.h"
#include "init/job.h"
#include "init/level.h"
#include "init/power.h"
#include "init/reap.h"
#include "init/survive.h"
#include "lib/sys.h"

enum { SIGNALS_A_TURN = 32 };

void signals_block(sigset_t *out)
{
	sigfillset(out);
	for (int i = 0; survive_fatal[i]; i++)
		sigdelset(out, survive_fatal[i]);
	(void)sys_sigmask(SIG_SETMASK, out, NULL);           /* cannot fail: the arguments are good */
}

/* What container managers send (systemd(1), SIGRTMIN+3 and on; lxc.container.conf(5)). The kernel's first real-time
 * signal that programs see is 34 to glibc's users, whoever our own libc is. */
enum { REALTIME_FIRST = 34 };

static const char *shutdown_flags(int number)
{
	switch (number - REALTIME_FIRST) {
	case 3:
		return "-hH";
	case 4:
		return "-hP";
	case 5:
	case 6:                                      /* kexec: level 6 runs a kernel that was loaded */
		return "-r";
	}
	return NULL;
}

static void serve(struct init *in, int number, pid_t pid)
{
	switch (number) {
	case SIGCHLD:
		reap_died(in, pid);
		break;
	case SIGHUP:
		level_signal(in, LEVEL_SIGNAL_HUP);
		break;
	case SIGINT:
		level_signal(in, LEVEL_SIGNAL_INT);
		break;
	case SIGWINCH:
		level_signal(in, LEVEL_SIGNAL_WINCH);
		break;
	case SIGPWR:
		job_want(in, JOB_POWER);
		break;
	case SIGUSR1:
		control_reopen(in);
		break;
	case SIGUSR2:
		control_close(in);
		break;
	case SIGTSTP:
	case SIGCONT:
		level_halt(in, number == SIGTSTP);
		break;
	default:
		if (shutdown_flags(number))
			power_shut_down(in, shutdown_flags(number));
	}
}

void signals_read(struct init *in)
{
	struct signalfd_siginfo batch[SIGNALS_A_TURN];
	ssize_t got = sys_read(in->signal_fd, batch, sizeof batch);

	for (ssize_t i = 0; i < got / (ssize_t)sizeof batch[0]; i++)
		serve(in, (int)batch[i].ssi_signo, (pid_t)batch[i].ssi_pid);
}
