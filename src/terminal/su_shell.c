/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_shell.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/systool.h"
#include "terminal/su_account.h"
#include "terminal/su_context.h"
#include "terminal/su_line.h"

enum { HOME_BYTES = 128 };

/* --- the session --- */

static bool has_terminal(void)
{
	int fd = sys_open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	sys_close(fd);
	return true;
}

bool su_shell_needs_child(int console_fd)
{
	return sys_getsid(0) == sys_getpid() && sys_tcgetpgrp(console_fd) <= 0 && has_terminal();
}

/* Out of the group that we lead, or setsid() is refused. */
static void leave_group(void)
{
	pid_t parents = sys_getpgid(sys_getppid());

	if (parents > 0 && sys_getpgid(0) == sys_getpid())
		(void)sys_setpgid(0, parents);
}

void su_shell_take_session(int console_fd)
{
	pid_t foreground = sys_tcgetpgrp(console_fd), own;

	if (foreground > 0 && (foreground == sys_getpgid(0) || foreground == sys_getpgid(sys_getppid())))
		return;
	leave_group();
	(void)sys_setsid();                                  /* refused to one who leads a session: then he has it */
	(void)sys_set_ctty(console_fd, 1);
	own = sys_getpgid(0);
	if (own > 0)
		(void)sys_tcsetpgrp(console_fd, own);
}

/* --- the environment --- */

static void go_home(const char *home)
{
	char where[PATH_MAX];
	int err = sys_chdir(home);

	if (err && (err = sys_chdir("/")))
		fprintf(stderr, "sulogin: change of working directory failed: %s\n\r", strerror(-err));
	if (sys_getcwd(where, sizeof where) || strlen(where) >= HOME_BYTES)
		strcpy(where, "/");
	setenv("HOME", where, 1);
}

static void set_environment(const struct su_account *account, const struct su_line *line, bool is_login)
{
	go_home(account->home);
	setenv("LOGNAME", "root", 1);
	setenv("USER", "root", 1);
	if (!is_login)
		setenv("SHLVL", "0", 1);
	setenv("TERM", line->is_serial ? "vt100" : "linux", 1);
}

/* --- the shell --- */

static const char *shell_of(const struct su_account *account)
{
	const char *shell = getenv("SUSHELL");

	if (!shell)
		shell = getenv("sushell");
	if (!shell)
		shell = account->shell[0] ? account->shell : SHELL_PATH;
	return shell;
}

static void try(const char *path, const char *name, bool is_login)
{
	char shown[NAME_MAX + 2];
	char *argv[] = { shown, NULL };
	int err;

	(void)snprintf(shown, sizeof shown, "%s%s", is_login ? "-" : "", name);
	setenv("SHELL", path, 1);
	err = sys_exec(path, argv, environ);
	fprintf(stderr, "%s: %s\n\r", path, strerror(-err));
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void become_console(int fd, int kept_fd)
{
	for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++)
		if (sys_dup2(fd, std) < 0)
			return;                      /* what was there is better than nothing */
	if (kept_fd > STDERR_FILENO + 1)
		sys_close_range(STDERR_FILENO + 1, (unsigned)kept_fd - 1);
	sys_close_range(kept_fd > STDERR_FILENO ? (unsigned)kept_fd + 1 : STDERR_FILENO + 1, UINT_MAX);
}

void su_shell_execute(const struct su_account *account, const struct su_line *line, const sigset_t *mask, bool is_login,
	int kept_fd)
{
	static const char sash[] = "/bin/sash";
	struct sigaction normal = { .sa_handler = SIG_DFL };
	const char *shell = shell_of(account), *failed;

	su_line_for_shell(line);
	become_console(line->fd, kept_fd);
	set_environment(account, line, is_login);
	failed = su_context_set();
	if (failed)
		fprintf(stderr, "sulogin: %s\n\r", failed);
	(void)sys_sigaction(SIGHUP, &normal);
	(void)sys_sigmask(SIG_SETMASK, mask, NULL);
	try(shell, last_part(shell), is_login);
	try(SHELL_PATH, "sh", is_login);
	try(sash, sash, false);
	fprintf(stderr, "sulogin: can not execute su shell.\n\r");
}
