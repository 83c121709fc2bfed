/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_line.h"

#include "lib/clock.h"
#include "lib/systool.h"
#include "terminal/su_consoles.h"

#define CONTROL_KEY(letter) ((letter) & 037)
enum { KEY_DELETE = 0177, KEY_DISABLED = 0 };
enum { DRAIN_MS = 500, DRAIN_STEP_MS = 20 };
enum { ROWS = 24, COLUMNS = 80 };

static void give_size(int fd)
{
	struct winsize size;

	if (sys_get_winsize(fd, &size) || (size.ws_row && size.ws_col))
		return;
	if (!size.ws_row)
		size.ws_row = ROWS;
	if (!size.ws_col)
		size.ws_col = COLUMNS;
	(void)sys_set_winsize(fd, &size);                    /* a shell guesses the same */
}

int su_line_begin(struct su_line *line, const struct su_console *console)
{
	int err;

	line->fd = console->fd;
	line->is_shared = console->is_shared;
	err = sys_tcgetattr(line->fd, &line->found);
	if (err)
		return err;
	line->is_serial = sys_modem_lines(line->fd) >= 0;
	line->erase = KEY_DELETE;
	line->kill = CONTROL_KEY('U');
	if (!line->is_serial) {
		line->erase = line->found.c_cc[VERASE];
		line->kill = line->found.c_cc[VKILL];
	} else {
		give_size(line->fd);
	}
	return 0;
}

/* A speed of zero would hang up. */
static void keep_wire(const struct su_line *line, struct termios *value)
{
	value->c_cflag |= CREAD;
	if (!line->is_serial)
		return;
	value->c_line = 0;
	value->c_cflag |= HUPCL;
	if (cfgetospeed(value) == B0)
		(void)cfsetospeed(value, B9600);             /* a speed that is known cannot fail */
	if (cfgetispeed(value) == B0)
		(void)cfsetispeed(value, cfgetospeed(value));
}

void su_line_listening(const struct su_line *line, struct termios *out)
{
	*out = line->found;
	keep_wire(line, out);
	out->c_lflag &= (tcflag_t)~(ICANON | ECHO | ECHOE | ECHOK | ECHONL | TOSTOP | ISIG | IEXTEN);
	out->c_iflag &= (tcflag_t)~(IXON | IXOFF | IXANY | IUCLC | ICRNL | INLCR | IGNCR | BRKINT | PARMRK);
	out->c_iflag |= IGNBRK;                              /* a break is not a byte of the password */
	if (!(out->c_cflag & PARENB))
		out->c_iflag &= (tcflag_t)~ISTRIP;
	out->c_oflag |= OPOST | ONLCR;
	out->c_cc[VMIN] = 1;
	out->c_cc[VTIME] = 0;
}

static void give_key(struct termios *value, int key, unsigned char byte)
{
	if (value->c_cc[key] == KEY_DISABLED)
		value->c_cc[key] = byte;
}

/* What a person needs and was not there. */
static void give_missing(struct termios *value)
{
	value->c_lflag |= ICANON | ISIG | ECHO | ECHOE | ECHOK | IEXTEN;
	value->c_iflag |= ICRNL;
	value->c_iflag &= (tcflag_t)~(INLCR | IGNCR);
	value->c_oflag |= OPOST | ONLCR;
	give_key(value, VINTR, CONTROL_KEY('C'));
	give_key(value, VQUIT, CONTROL_KEY('\\'));
	give_key(value, VERASE, KEY_DELETE);
	give_key(value, VKILL, CONTROL_KEY('U'));
	give_key(value, VSUSP, CONTROL_KEY('Z'));
}

/* VMIN and VTIME are the places of VEOF and VEOL on some machines, and hold raw values when the line was raw. */
static void give_end_of_file(const struct su_line *line, struct termios *value)
{
	if (line->is_serial || !(line->found.c_lflag & ICANON) || value->c_cc[VEOF] == KEY_DISABLED)
		value->c_cc[VEOF] = CONTROL_KEY('D');
	if (line->is_serial)
		value->c_cc[VEOL] = value->c_cc[VEOL2] = KEY_DISABLED;
}

void su_line_shell(const struct su_line *line, struct termios *out)
{
	*out = line->found;
	keep_wire(line, out);
	if (line->is_serial) {
		out->c_cc[VINTR] = CONTROL_KEY('C');
		out->c_cc[VQUIT] = CONTROL_KEY('\\');
		out->c_cc[VSTART] = CONTROL_KEY('Q');
		out->c_cc[VSTOP] = CONTROL_KEY('S');
		out->c_cc[VSUSP] = CONTROL_KEY('Z');
		out->c_cc[VERASE] = line->erase;
		out->c_cc[VKILL] = line->kill;
		out->c_iflag |= IXON | IXOFF;
		out->c_lflag |= ECHOKE;
	}
	give_missing(out);
	give_end_of_file(line, out);
}

/* For settings that are worth a try and no more. */
static void apply(const struct su_line *line, const struct termios *value, bool may_wait)
{
	int refused = sys_tcsetattr(line->fd, value);

	if (may_wait)
		refused |= sys_set_blocking(line->fd);
	(void)refused;
}

int su_line_listen(const struct su_line *line)
{
	struct termios value;

	su_line_listening(line, &value);
	(void)sys_tcflush(line->fd, TCIFLUSH);
	return sys_tcsetattr(line->fd, &value);
}

void su_line_for_shell(const struct su_line *line)
{
	struct termios value;

	su_line_shell(line, &value);
	apply(line, &value, true);                           /* a shell on a line that refuses is better than none */
	(void)sys_tcflush(line->fd, TCIFLUSH);
}

void su_line_restore(const struct su_line *line)
{
	apply(line, &line->found, line->is_shared);          /* one that hung up has no settings */
}

void su_line_leave(const struct su_line *line)
{
	struct mono end = mono_after_ms(mono_now(), DRAIN_MS);
	struct timespec step = { 0, DRAIN_STEP_MS * 1000000L };

	(void)sys_tcflush(line->fd, TCIFLUSH);
	while (sys_unsent_bytes(line->fd) > 0 && !mono_is_due(end, mono_now()))
		(void)sys_sleep(&step);
	if (sys_unsent_bytes(line->fd) > 0)
		(void)sys_tcflush(line->fd, TCOFLUSH);
	su_line_restore(line);
}
