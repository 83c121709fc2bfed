/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/console.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "init/report.h"
#include "lib/io.h"
#include "lib/sys.h"

/* O_NONBLOCK: do not wait for a carrier; reading and writing are to block again. The description is fresh, so
 * nobody else's flag changes. */
static int open_terminal(const char *path)
{
	int err, fd = sys_open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_set_blocking(fd);
	if (err) {
		sys_close(fd);
		return err;
	}
	return fd;
}

int console_open_in_child(const struct init *in, int *out)
{
	int fd = open_terminal(in->console);

	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

void console_as_stdio_in_child(int fd)
{
	for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++)
		if (sys_dup2(fd, std) < 0)
			return;                      /* then the program finds it closed: nothing better is to be had */
	if (fd > STDERR_FILENO)
		sys_close(fd);
}

#define CONTROL_KEY(letter) ((letter) & 037)

static void set_control_keys(struct termios *line)
{
	line->c_cc[VINTR] = CONTROL_KEY('C');
	line->c_cc[VQUIT] = CONTROL_KEY('\\');
	line->c_cc[VERASE] = 0177;
	line->c_cc[VKILL] = CONTROL_KEY('U');
	line->c_cc[VEOF] = CONTROL_KEY('D');
	line->c_cc[VSTART] = CONTROL_KEY('Q');
	line->c_cc[VSTOP] = CONTROL_KEY('S');
	line->c_cc[VSUSP] = CONTROL_KEY('Z');
	line->c_cc[VREPRINT] = CONTROL_KEY('R');
	line->c_cc[VWERASE] = CONTROL_KEY('W');
	line->c_cc[VLNEXT] = CONTROL_KEY('V');
	line->c_cc[VDISCARD] = CONTROL_KEY('O');
	line->c_cc[VEOL] = line->c_cc[VEOL2] = 0;
	line->c_cc[VTIME] = 0;
	line->c_cc[VMIN] = 1;
}

int console_make_sane(int fd)
{
	struct termios line;
	int err = sys_tcgetattr(fd, &line);

	if (err)
		return err;
	line.c_cflag &= CBAUD | CBAUDEX | CSIZE | CSTOPB | PARENB | PARODD;
	line.c_cflag |= HUPCL | CLOCAL | CREAD;
	line.c_iflag = IGNPAR | ICRNL | IXON | IXANY | (line.c_iflag & IUTF8);
	line.c_oflag = OPOST | ONLCR;
	line.c_lflag = ISIG | ICANON | ECHO | ECHOCTL | ECHOE | ECHOKE;
	set_control_keys(&line);
	err = sys_tcsetattr(fd, &line);
	/* What was typed before counts for nothing; what we and others said is on its way out, and stays. */
	(void)sys_tcflush(fd, TCIFLUSH);
	return err;
}

/* --- the setter --- */

/* The first that opens and is a terminal; failing that, the first that opens. */
static int find_console(const struct init *in, const char **name)
{
	const char *const candidate[] = { in->console, CONSOLE_PATH, CONSOLE_VT_PATH };
	int found = -ENOENT;

	for (size_t i = 0; i < sizeof candidate / sizeof candidate[0]; i++) {
		int fd = open_terminal(candidate[i]);
		bool is_better = fd >= 0 && (found < 0 || !sys_isatty(fd));

		if (!is_better) {
			if (fd >= 0)
				sys_close(fd);
			continue;
		}
		if (found >= 0)
			sys_close(found);
		found = fd;
		*name = candidate[i];
		if (!sys_isatty(fd))
			break;
	}
	return found;
}

/* Hands pid 1 the keyboard's terminal. Closing it last may wait, so we hold ours until pid 1 has closed
 * its own: the pipe that goes along then hangs up. */
static void report_console(struct init *in, const char *name)
{
	int fds[2], pipe_fds[2] = { -1, -1 };

	fds[0] = sys_open(CONSOLE_VT_PATH, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fds[0] < 0 || sys_pipe(pipe_fds, O_CLOEXEC)) {
		report_in_child(in, REPORT_CONSOLE, name, NULL, 0);
		return;
	}
	fds[1] = pipe_fds[1];
	report_in_child(in, REPORT_CONSOLE, name, fds, 2);
	sys_close(pipe_fds[1]);
	sys_poll(&(struct pollfd){ .fd = pipe_fds[0] }, 1, 3000);
}

void console_setter_in_child(struct init *in)
{
	const char *name = "";                       /* none: the wish stands, it may come yet */
	int fd = find_console(in, &name);

	if (fd >= 0)
		(void)console_make_sane(fd);                 /* a console that takes no settings is one still */
	report_console(in, name);
}

/* --- the asker --- */

enum { SAID_WAIT_MS = 2000 };

static char read_level(int fd)
{
	char line[64];
	ssize_t got = sys_read(fd, line, sizeof line);
	char level = got > 0 ? line[0] : '\0';

	return level == 's' ? LEVEL_SINGLE : level;
}

void console_asker_in_child(struct init *in)
{
	static const char prompt[] = "\nEnter runlevel: ";
	char answer[2] = "";
	int fd, err = console_open_in_child(in, &fd);

	if (err)
		sys_exit(-err);
	(void)console_make_sane(fd);
	/* Why it asks stands on the console before the question; a console that takes nothing is asked all the same. */
	if (in->log.queue)
		(void)queue_wait_quiet(in->log.queue, SINK_CONSOLE, SAID_WAIT_MS);
	do {
		if (io_write_all(fd, prompt, sizeof prompt - 1))
			sys_exit(EIO);
		answer[0] = read_level(fd);
		if (!answer[0])
			sys_exit(EIO);
	} while (!strchr("0123456789S", answer[0]));
	report_in_child(in, REPORT_LEVEL, answer, NULL, 0);
}
