/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/downcall.h"

#include <errno.h>
#include <stdio.h>

#include "lib/systool.h"
#include "lib/tool.h"
#include "power/bounded.h"

enum { SYNC_LIMIT_MS = 30000 };

/* <linux/reboot.h>; the C libraries have several names for each of them. */
#define CMD_KEXEC 0x45584543u
#define CMD_RESTART 0x01234567u
#define CMD_CAD_ON 0x89abcdefu
#define CMD_CAD_OFF 0u
#define CMD_HALT 0xcdef0123u
#define CMD_POWER_OFF 0x4321fedcu

static const char refused[] = "the kernel refuses to end the system";

/* A call that is meant to end the system and has not: 0 only where somebody stands between us and the kernel. */
static int attempt(const char *name, unsigned cmd, const char *otherwise)
{
	int err = sys_reboot((int)cmd);

	if (err)
		tool_complain(name, otherwise, err);
	return err;
}

static int sync_in_child(const void *unused)
{
	(void)unused;
	sys_sync();
	return 0;
}

void downcall_sync(const char *name)
{
	if (bounded_run(sync_in_child, NULL, SYNC_LIMIT_MS) == -ETIMEDOUT)
		fprintf(stderr, "%s: sync does not end, going on without it\n", name);
}

static int make_reboot(const char *name, const struct downcall *what)
{
	int err;

	if (what->kexec)
		(void)attempt(name, CMD_KEXEC, "no kernel is loaded for kexec, rebooting");
	err = what->text ? sys_reboot_with(what->text) : 0;
	if (err)
		tool_complain(name, "the message is not taken, rebooting", err);
	return attempt(name, CMD_RESTART, refused);
}

static int make_halt(const char *name, const struct downcall *what)
{
	/* While nobody runs who would serve Ctrl-Alt-Del, the kernel does. Refused in a pid name space: no matter. */
	(void)sys_reboot((int)CMD_CAD_ON);
	(void)sys_kill(1, SIGTSTP);
	if (what->act == DOWNCALL_POWEROFF)
		(void)attempt(name, CMD_POWER_OFF, "power is not switched off, halting");
	return attempt(name, CMD_HALT, refused);
}

void downcall_take_back(void)
{
	(void)sys_reboot((int)CMD_CAD_OFF);
	(void)sys_kill(1, SIGCONT);
}

int downcall_make(const char *name, const struct downcall *what)
{
	int err = what->act == DOWNCALL_REBOOT ? make_reboot(name, what) : make_halt(name, what);

	downcall_take_back();
	return err;
}
