/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/child.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "init/command.h"
#include "init/console.h"
#include "init/report.h"
#include "init/start.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { CONSOLE_WAIT_MS = 200 };

static void signals_block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	(void)sys_sigmask(SIG_SETMASK, &all, NULL);          /* cannot fail: the arguments are good */
}

static void close_but(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 3)
		sys_close_range(3, (unsigned)low - 1);
	if (high > low + 1)
		sys_close_range(low < 3 ? 3 : (unsigned)low + 1, (unsigned)high - 1);
	sys_close_range(high < 3 ? 3 : (unsigned)high + 1, UINT_MAX);
}

void child_shed(const struct init *in, int keep_fd)
{
	sys_default_signals();
	sys_unblock_signals();
	close_but(in->report_child_fd, keep_fd);
}

/* The console as 0, 1 and 2, or /dev/null in its place. The name of which it is. */
static const char *console_or_null(const struct init *in)
{
	const char *name = in->console;
	int fd, err = console_open_in_child(in, &fd);

	if (err) {
		if (!in->is_console_missing)
			report_log_in_child(in, LOG_TO_BOTH, "open(%s): %s", name, strerror(-err));
		name = NULL_PATH;
		fd = sys_open(name, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	}
	if (fd >= 0)
		console_as_stdio_in_child(fd);
	return name;
}

/* Everything from here is the entry's own process, whichever way it came. */
static _Noreturn void execute(struct init *in, const struct entry *entry, const char *console,
	uint64_t record_seq)
{
	const char *process = family_process(&in->family, entry);
	bool is_booting = strchr("#*", in->level.now);
	struct tab_line line = { .action = (enum action)entry->action, .process = process };
	struct environ_values values = { (const char *const *)in->inherited, &in->vars,
		is_booting ? LEVEL_SINGLE : in->level.now, in->level.previous, console };
	struct environ_block environ_block;
	struct command command;

	memcpy(line.id, entry->id, TAB_ID_MAX);
	memcpy(line.levels, entry->levels, sizeof line.levels - 1);
	environ_build(&environ_block, &values);
	command_plan(&command, process, &line,
		in->level.now != LEVEL_SINGLE && !sys_access(INIT_SCRIPT_PATH, R_OK));
	/* What was said before the start stands on the console before what the process says. */
	if (in->log.queue)
		(void)queue_wait_quiet(in->log.queue, SINK_CONSOLE, CONSOLE_WAIT_MS);
	if (command_has_record(process))
		record_wait_in_child(&in->log, record_seq);
	sys_unblock_signals();
	(void)command_exec(&command, environ_block.envp);    /* its return says it all */
	report_log_in_child(in, LOG_TO_BOTH, "cannot execute \"%s\"", command.argv[0]);
	sys_exit(1);
}

/* Takes the console away from our session, so that our end is no hang-up for what the entry left in the
 * background. Giving it up as its owner (TIOCNOTTY, exit) would signal the whole foreground group, which they
 * are in (tty_ioctl(4)); one who stole it is alone in his group. */
static void release_console(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	siginfo_t end;
	pid_t thief = sys_fork();

	if (thief < 0)
		return;
	if (thief) {
		(void)io_wait_child(thief, &end);
		return;
	}
	(void)sys_sigaction(SIGHUP, &ignore);
	(void)sys_setsid();
	if (!sys_set_ctty(STDIN_FILENO, 1))
		(void)sys_drop_ctty(STDIN_FILENO);
	sys_exit(0);
}

static _Noreturn void exit_like(const siginfo_t *end)
{
	struct rlimit no_core = { 0, 0 };

	if (end->si_code == CLD_EXITED)
		sys_exit(end->si_status);
	(void)sys_set_core_limit(&no_core);
	sys_unblock_signals();
	(void)sys_kill(sys_getpid(), end->si_status);
	sys_exit(128 + end->si_status);
}

static pid_t fork_until_it_works(const struct init *in)
{
	const struct timespec pause = { FORK_RETRY_S, 0 };
	pid_t pid;

	while ((pid = sys_fork()) < 0) {
		report_log_in_child(in, LOG_TO_BOTH, "cannot fork, retry..");
		(void)sys_sleep(&pause);
	}
	return pid;
}

/* Leads the session that has the console as its terminal and waits for the process in it. All signals stay
 * blocked, so that what is meant for the process (its group is ours) ends only the process. Returns there. */
static void keep_session(struct init *in)
{
	siginfo_t end = { 0 };
	pid_t pid;

	if (!sys_isatty(STDIN_FILENO)) {
		(void)console_make_sane(STDIN_FILENO);       /* a line that refuses is used as it is */
		(void)sys_set_ctty(STDIN_FILENO, 1);         /* without it there is no job control, no more */
	}
	pid = fork_until_it_works(in);
	if (!pid)
		return;
	sys_close_range(3, UINT_MAX);
	(void)io_wait_child(pid, &end);
	release_console();
	exit_like(&end);
}

void child_main(struct init *in, const struct entry *entry, uint64_t record_seq)
{
	const char *console;

	/* What is meant for the group must find neither pid 1's handlers here nor a keeper that it ends. */
	signals_block_all();
	sys_default_signals();
	(void)sys_setsid();                                  /* a fresh fork leads no group: cannot fail */
	console = console_or_null(in);
	if (start_is_waited_for(entry) && strchr("#*S", in->level.now))
		keep_session(in);
	execute(in, entry, console, record_seq);
}
