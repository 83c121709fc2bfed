/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/direct.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "include/paths.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "power/bounded.h"
#include "power/downcall.h"
#include "power/downrecord.h"

#define NAME "shutdown"

enum { SAY_MS = 200, COMMAND_MS = 20000 };

void direct_say(const char *text)
{
	struct pollfd room = { .fd = 2, .events = POLLOUT };

	if (sys_poll(&room, 1, SAY_MS) == 1 && (room.revents & POLLOUT))
		(void)!sys_write(2, text, strlen(text));
}

/* A file that is open keeps its file system from being detached. */
static void files_close(void)
{
	struct stat st;
	int fd, null = sys_open(NULL_PATH, O_RDWR, 0);

	for (fd = 0; null >= 0 && fd <= 2; fd++)
		if (fd != null && (sys_fstat(fd, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
			(void)!sys_dup2(null, fd);
	sys_close_range(3, UINT_MAX);
}

static void pause_s(int seconds)
{
	struct mono deadline = mono_after_s(mono_now(), seconds);
	int left_ms;

	while ((left_ms = mono_left_ms(deadline, mono_now())) > 0)
		(void)sys_sleep(&(struct timespec){ left_ms / 1000, left_ms % 1000 * 1000000L });
}

static void processes_end(int stop_s)
{
	direct_say("shutdown: sending all processes the TERM signal...\r\n");
	(void)sys_kill(-1, SIGTERM);
	pause_s(stop_s);
	direct_say("shutdown: sending all processes the KILL signal.\r\n");
	(void)sys_kill(-1, SIGKILL);
}

/* Each tries what it can; none of them decides over the next. */
static void file_systems_leave(void)
{
	static const struct {
		const char *argv[6];
		bool quiet, is_told;
		const char *first;              /* what is said before it, as stock does; NULL: nothing */
	} commands[] = {
		{ { "/sbin/quotaoff", "-a" }, true, false, NULL },
		{ { "/sbin/swapoff", "-a" }, false, true, "shutdown: turning off swap\r\n" },
		{ { "/bin/umount", "-a" }, false, true, "shutdown: unmounting all file systems\r\n" },
		{ { "/bin/mount", "-n", "-o", "remount,ro", "/" }, true, true, NULL },
	};

	(void)sys_acct_off();           /* a kernel without accounting has none on */
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		int status;

		if (commands[i].first)
			direct_say(commands[i].first);
		status = bounded_command(commands[i].argv, commands[i].quiet, COMMAND_MS);
		if (i == 0)
			downcall_sync(NAME);
		if (status == -ETIMEDOUT && commands[i].is_told) {
			direct_say(commands[i].argv[0]);
			direct_say(": does not end, going on without it\r\n");
		}
	}
	downcall_sync(NAME);
}

int direct_go(const struct order *order)
{
	struct downcall what = { .act = DOWNCALL_HALT };
	int err;

	if (order->level == '6')
		what.act = DOWNCALL_REBOOT;
	else if (order->halt == ORDER_HALT_POWEROFF)
		what.act = DOWNCALL_POWEROFF;
	files_close();
	err = sys_kill(1, SIGTSTP);
	if (err) {
		tool_complain(NAME, "can't idle init", err);
		return TOOL_ERROR;
	}
	processes_end(order->stop_s);
	err = downrecord_append();
	if (err)
		direct_say("shutdown: no record in wtmp\r\n");
	file_systems_leave();
	if (what.act == DOWNCALL_HALT)
		direct_say("The system is halted. Press CTRL-ALT-DEL or turn off power\r\n");
	if (what.act == DOWNCALL_REBOOT)
		direct_say("Please stand by while rebooting the system.\r\n");
	return downcall_make(NAME, &what) ? TOOL_ERROR : TOOL_OK;
}
