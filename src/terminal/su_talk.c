/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_talk.h"

#include <errno.h>
#include <string.h>

#include "lib/sys.h"
#include "terminal/su_line.h"

#define CONTROL_KEY(letter) ((letter) & 037)
enum { KEY_DELETE = 0177 };
enum { SAY_MS = 5000 };

/* --- signals --- */

/* Those that a key or a terminal sends: they are the password's bytes here. TTOU: settings may be set from anywhere. */
static const int of_keys[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTOU };
static const int of_end[] = { SIGHUP, SIGTERM, SIGUSR1, SIGUSR2 };

int su_signals_take(sigset_t *old)
{
	sigset_t mask;
	int err;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof of_keys / sizeof of_keys[0]; i++)
		sigaddset(&mask, of_keys[i]);
	/* Process 1 is not asked to end: the kernel drops these for it, unless it blocks them. */
	for (size_t i = 0; sys_getpid() != 1 && i < sizeof of_end / sizeof of_end[0]; i++)
		sigaddset(&mask, of_end[i]);
	err = sys_sigmask(SIG_BLOCK, &mask, old);
	return err ? err : sys_signalfd(&mask, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool is_of_end(int signal)
{
	for (size_t i = 0; i < sizeof of_end / sizeof of_end[0]; i++)
		if (of_end[i] == signal)
			return true;
	return false;
}

int su_signals_next(int signal_fd)
{
	struct signalfd_siginfo info;

	while (sys_read(signal_fd, &info, sizeof info) == sizeof info)
		if (is_of_end((int)info.ssi_signo))
			return (int)info.ssi_signo;
	return 0;
}

/* --- waiting --- */

enum wait_end { WAIT_READY = 1, WAIT_OVER, WAIT_ENDED };

/* Until the line is ready for events, until a time, or until the talk is over (*why). */
static enum wait_end wait_for(struct su_talk *talk, short events, struct mono until, enum su_end *why)
{
	struct mono end = mono_first(until, talk->deadline);

	for (;;) {
		struct pollfd fds[] = { { talk->line->fd, events, 0 }, { talk->signal_fd, POLLIN, 0 } };
		int ready = sys_poll(fds, 2, mono_left_ms(end, mono_now()));

		if (ready > 0 && fds[1].revents && (talk->signal = su_signals_next(talk->signal_fd))) {
			*why = talk->signal == SIGHUP ? SU_HUNG_UP : SU_SIGNALLED;
			return WAIT_ENDED;
		}
		if (ready > 0 && (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))) {
			*why = SU_HUNG_UP;
			return WAIT_ENDED;
		}
		if (ready > 0 && fds[0].revents)
			return WAIT_READY;
		if (mono_is_due(talk->deadline, mono_now())) {
			*why = SU_TIMED_OUT;
			return WAIT_ENDED;
		}
		if (mono_is_due(until, mono_now()))
			return WAIT_OVER;
		if (ready < 0 && ready != -EINTR) {
			*why = SU_HUNG_UP;
			return WAIT_ENDED;
		}
	}
}

enum su_end su_talk_pause(struct su_talk *talk, int ms)
{
	enum su_end why;

	return wait_for(talk, 0, mono_after_ms(mono_now(), ms), &why) == WAIT_ENDED ? why : SU_DONE;
}

/* --- saying --- */

enum su_end su_talk_say(struct su_talk *talk, const char *text)
{
	struct mono until = mono_after_ms(mono_now(), SAY_MS);
	enum su_end why;

	while (*text) {
		ssize_t put = sys_write(talk->line->fd, text, strlen(text));

		if (put > 0) {
			text += put;
			continue;
		}
		if (put != 0 && put != -EAGAIN && put != -EINTR)
			return SU_HUNG_UP;
		switch (wait_for(talk, POLLOUT, until, &why)) {
		case WAIT_ENDED:
			return why;
		case WAIT_OVER:
			return SU_DONE;                      /* it shows nothing; it may still listen */
		case WAIT_READY:
			break;
		}
	}
	return SU_DONE;
}

/* --- asking --- */

/* One byte. A line that gives none is at its end: by hang-up, or because somebody made it canonical under us and
 * Control-D was typed. */
static enum su_end read_key(struct su_talk *talk, unsigned char *out)
{
	enum su_end why;

	for (;;) {
		ssize_t got;

		if (wait_for(talk, POLLIN, MONO_NEVER, &why) == WAIT_ENDED)
			return why;
		got = sys_read(talk->line->fd, out, 1);
		if (got == 1)
			return SU_DONE;
		if (got == 0)
			return wait_for(talk, 0, MONO_AT_ONCE, &why) == WAIT_ENDED ? why : SU_LEFT;
		if (got != -EAGAIN && got != -EINTR)
			return SU_HUNG_UP;
	}
}

static void store(struct su_answer *answer, unsigned char byte)
{
	if (answer->len_bytes == sizeof answer->text - 1)
		answer->is_too_long = true;
	else
		answer->text[answer->len_bytes++] = (char)byte;
}

static void drop(struct su_answer *answer)
{
	explicit_bzero(answer, sizeof *answer);
}

enum key { KEY_TEXT = 1, KEY_END, KEY_END_OF_TEXT, KEY_ERASE, KEY_KILL, KEY_LEAVE };

static enum key key_of(const struct su_line *line, unsigned char byte)
{
	bool has_keys = !line->is_serial && (line->found.c_lflag & ICANON);

	switch (byte) {
	case '\r':
	case '\n':
		return KEY_END;
	case '\0':
		return KEY_END_OF_TEXT;
	case '\b':
	case KEY_DELETE:
		return KEY_ERASE;
	case CONTROL_KEY('U'):
		return KEY_KILL;
	case CONTROL_KEY('D'):
		return KEY_LEAVE;
	}
	if (has_keys && byte == line->found.c_cc[VERASE])
		return KEY_ERASE;
	if (has_keys && byte == line->found.c_cc[VKILL])
		return KEY_KILL;
	return has_keys && byte == line->found.c_cc[VEOF] ? KEY_LEAVE : KEY_TEXT;
}

enum su_end su_talk_ask(struct su_talk *talk, struct su_answer *out)
{
	drop(out);
	for (;;) {
		unsigned char byte = 0;
		enum su_end end = read_key(talk, &byte);

		if (end != SU_DONE)
			return end;
		switch (key_of(talk->line, byte)) {
		case KEY_END:
			return SU_DONE;
		case KEY_END_OF_TEXT:           /* alone it is noise on the line */
			if (out->len_bytes)
				return SU_DONE;
			break;
		case KEY_LEAVE:                 /* behind text it means nothing */
			if (!out->len_bytes)
				return SU_LEFT;
			break;
		case KEY_ERASE:
			talk->line->erase = byte;
			if (out->len_bytes && !out->is_too_long)
				out->text[--out->len_bytes] = '\0';
			break;
		case KEY_KILL:
			talk->line->kill = byte;
			drop(out);
			break;
		case KEY_TEXT:
			store(out, byte);
			break;
		}
	}
}
