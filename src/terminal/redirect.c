/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/redirect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/systool.h"

enum { PTY_FLAGS = O_RDWR | O_NOCTTY | O_CLOEXEC };

static int slave_open(struct redirect *redirect)
{
	int fd = sys_open(redirect->name, PTY_FLAGS, 0);

	if (fd < 0)
		return fd;
	redirect->slave = fd;
	return 0;
}

static int unix98_open(struct redirect *redirect)
{
	int err, master = sys_open("/dev/ptmx", PTY_FLAGS | O_NONBLOCK, 0);

	if (master < 0)
		return master;
	err = sys_pty_unlock(master);
	if (!err)
		err = sys_pty_name(master, redirect->name, sizeof redirect->name);
	if (!err)
		err = slave_open(redirect);
	if (err)
		sys_close(master);
	else
		redirect->master = master;
	return err;
}

/* Where there is no /dev/pts yet: the pairs that have fixed names. */
static int bsd_open(struct redirect *redirect)
{
	char name[] = "/dev/ptyXY";

	for (const char *letter = "pqrstuvwxyz"; *letter; letter++) {
		for (int digit = 0; digit < 16; digit++) {
			int master;

			(void)snprintf(name, sizeof name, "/dev/pty%c%x", *letter, (unsigned)digit);
			master = sys_open(name, PTY_FLAGS | O_NONBLOCK, 0);
			if (master == -ENOENT)
				return master;
			if (master < 0)
				continue;
			(void)snprintf(redirect->name, sizeof redirect->name, "/dev/tty%c%x", *letter, (unsigned)digit);
			if (!slave_open(redirect)) {
				redirect->master = master;
				return 0;
			}
			sys_close(master);
		}
	}
	return -ENOENT;
}

/* The real console does its own processing of output; here it would come twice, CR CR LF. */
static int make_transparent(int slave)
{
	struct termios settings;
	int err = sys_tcgetattr(slave, &settings);

	if (err)
		return err;
	settings.c_oflag = 0;
	settings.c_iflag = 0;
	settings.c_lflag = 0;
	return sys_tcsetattr(slave, &settings);
}

int redirect_open(struct redirect *redirect)
{
	int err = unix98_open(redirect);

	if (err && bsd_open(redirect))
		return err;
	err = make_transparent(redirect->slave);
	if (err)
		redirect_close(redirect);
	return err;
}

int redirect_begin(struct redirect *redirect)
{
	return sys_redirect_console(redirect->slave);
}

int redirect_cancel(void)
{
	int err, fd = sys_open(CONSOLE_PATH, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_redirect_console(fd);
	sys_close(fd);
	return err;
}

void redirect_close(struct redirect *redirect)
{
	sys_close(redirect->slave);
	sys_close(redirect->master);
}
