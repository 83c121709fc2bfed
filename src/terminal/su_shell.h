/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_shell.h - a session on the console, and root's shell in it. */
#ifndef TERMINAL_SU_SHELL_H
#define TERMINAL_SU_SHELL_H

#include <signal.h>
#include <stdbool.h>

#include "lib/num.h"

struct su_account;
struct su_line;

/* Whether only a child could take the console without a hang-up for others: a session leader that has another terminal
 * would have to give that up, and the kernel then signals the group in its foreground (tty_ioctl(4)). */
bool su_shell_needs_child(int console_fd) MUST_CHECK;

/* Makes the console this process's controlling terminal, in a session of its own, unless our group or the parent's
 * has it in the foreground already. Takes it away from whoever has it; signals nobody. Does not block; when the kernel
 * refuses, the shell has no job control, no more. */
void su_shell_take_session(int console_fd);

/* Executes the shell with the console as 0, 1 and 2 and nothing else open, the environment that root is used to, and
 * signals as they were before su_signals_take(). Tries $SUSHELL, $sushell or root's shell, then /bin/sh, then /bin/sash;
 * returns, with what went wrong said, when none can be executed. The line is set for it. May block as the
 * console does. kept_fd: stays open until the execution (-1: none). */
void su_shell_execute(const struct su_account *account, const struct su_line *line, const sigset_t *mask, bool is_login,
	int kept_fd);

#endif
