/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_door.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys.h"
#include "terminal/su_line.h"
#include "terminal/su_log.h"
#include "terminal/su_shell.h"

enum { WRONG_PAUSE_MS = 3000, LAST_WORDS_MS = 500, SAID_BYTES = 512 };

#define END_LINE "\n\r"
static const char prompt_password[] = "Give root password for maintenance" END_LINE "(or type Control-D to continue): ";
static const char prompt_enter[] = "Press enter for maintenance(or type Control-D to continue): ";
static const char prompt_locked[] = "sulogin: root has no password that could be right, and -e was not given: no shell here." END_LINE
	"Press enter to continue: ";

bool su_door_is_open(const struct su_house *house)
{
	switch (house->account.secret) {
	case SU_SECRET_BLANK:
		return true;
	case SU_SECRET_LOCKED:
	case SU_SECRET_ABSENT:
		return house->is_forced;
	case SU_SECRET_SET:
	case SU_SECRET_UNREADABLE:
		break;
	}
	return false;
}

static bool is_barred(const struct su_house *house)
{
	return house->account.secret != SU_SECRET_SET && !su_door_is_open(house);
}

static struct mono next_deadline(const struct su_house *house)
{
	return house->timeout_s ? mono_after_s(mono_now(), house->timeout_s) : MONO_NEVER;
}

/* What the person should know before the first prompt. */
static enum su_end explain(struct su_talk *talk, const struct su_house *house)
{
	char said[SAID_BYTES];
	const char *why = house->account.why;

	if (house->account.secret == SU_SECRET_LOCKED && house->is_forced)
		why = "root's password is locked";
	else if (!*why)
		return SU_DONE;
	(void)snprintf(said, sizeof said, "sulogin: %s%s" END_LINE, why,
		su_door_is_open(house) ? "; -e was given: no password is asked for" : "");
	return su_talk_say(talk, said);
}

static enum su_end ask(struct su_talk *talk, const char *prompt, struct su_answer *answer)
{
	enum su_end end;

	if (su_line_listen(talk->line))
		return SU_HUNG_UP;
	end = su_talk_say(talk, prompt);
	if (end == SU_DONE)
		end = su_talk_ask(talk, answer);
	if (end == SU_DONE || end == SU_LEFT) {
		enum su_end said = su_talk_say(talk, "\r\n");

		end = said == SU_DONE ? end : said;
	}
	return end;
}

static bool is_right(struct su_talk *talk, const struct su_house *house, const struct su_console *console,
	const struct su_answer *answer)
{
	char said[SAID_BYTES];
	int verdict;

	if (su_door_is_open(house))
		return true;
	if (answer->is_too_long) {
		(void)snprintf(said, sizeof said, "sulogin: input overrun at %s" END_LINE, console->name);
		(void)su_talk_say(talk, said);
		return false;
	}
	verdict = su_account_judge(&house->account, answer->text);
	if (verdict < 0) {
		(void)snprintf(said, sizeof said, "sulogin: crypt failed: %s" END_LINE, strerror(-verdict));
		(void)su_talk_say(talk, said);
	}
	return verdict > 0;
}

static enum su_end refuse(struct su_talk *talk, const struct su_house *house, const struct su_console *console)
{
	enum su_end end;

	su_log("wrong password on %s", console->name);
	end = su_talk_say(talk, "Login incorrect." END_LINE);
	if (end != SU_DONE)
		return end;
	talk->deadline = MONO_NEVER;
	end = su_talk_pause(talk, WRONG_PAUSE_MS);
	talk->deadline = next_deadline(house);
	return end;
}

/* SU_DONE: let in. */
static enum su_end ask_until_right(struct su_talk *talk, const struct su_house *house, const struct su_console *console)
{
	const char *prompt = su_door_is_open(house) ? prompt_enter : prompt_password;

	for (;;) {
		struct su_answer answer;
		enum su_end end = ask(talk, prompt, &answer);
		bool may_enter = end == SU_DONE && is_right(talk, house, console, &answer);

		explicit_bzero(&answer, sizeof answer);
		if (end == SU_DONE && !may_enter)
			end = refuse(talk, house, console);
		if (end != SU_DONE || may_enter)
			return end;
	}
}

static enum su_end ask_in_vain(struct su_talk *talk)
{
	struct su_answer answer;
	enum su_end end = ask(talk, prompt_locked, &answer);

	explicit_bzero(&answer, sizeof answer);
	return end == SU_DONE || end == SU_LEFT || end == SU_TIMED_OUT ? SU_LOCKED : end;
}

/* A pipe of our own, empty but for this: it cannot fail. */
static void tell(int told_fd, char byte)
{
	if (told_fd >= 0 && sys_write(told_fd, &byte, 1) < 0)
		sys_close(told_fd);
}

/* Returns when there is no shell. A signal that came while the password was judged still counts. */
static enum su_end enter(struct su_talk *talk, const struct su_house *house, const struct su_console *console, int told_fd)
{
	tell(told_fd, SU_TOLD_SHELL);
	talk->signal = su_signals_next(talk->signal_fd);
	if (talk->signal)
		return talk->signal == SIGHUP ? SU_HUNG_UP : SU_SIGNALLED;
	su_log("shell for root on %s%s", console->name, su_door_is_open(house) ? ", without a password" : "");
	su_shell_execute(&house->account, talk->line, &house->mask, house->is_login, told_fd);
	tell(told_fd, SU_TOLD_NO_SHELL);
	return SU_NO_SHELL;
}

static void say_last(struct su_talk *talk, const char *text)
{
	talk->deadline = mono_after_ms(mono_now(), LAST_WORDS_MS);
	(void)su_talk_say(talk, text);
}

enum su_end su_door_tend(struct su_house *house, const struct su_console *console, int told_fd, int *signal)
{
	struct su_line line;
	struct su_talk talk = { &line, house->signal_fd, house->first_deadline, 0 };
	enum su_end end;

	su_shell_take_session(console->fd);
	if (su_line_begin(&line, console))
		return SU_HUNG_UP;
	end = su_line_listen(&line) ? SU_HUNG_UP : explain(&talk, house);
	if (end == SU_DONE)
		end = is_barred(house) ? ask_in_vain(&talk) : ask_until_right(&talk, house, console);
	if (end == SU_DONE)
		end = enter(&talk, house, console, told_fd);
	if (end == SU_NO_SHELL)
		return end;                          /* the line is no longer ours: its descriptor is closed */
	if (end == SU_TIMED_OUT)
		say_last(&talk, "\r\nTimed out." END_LINE);
	else if (end == SU_SIGNALLED)
		say_last(&talk, "\r\n");
	su_line_leave(&line);
	*signal = talk.signal;
	return end;
}

void su_door_say_everywhere(struct su_house *house, const char *text)
{
	for (size_t i = 0; i < house->consoles.count; i++) {
		struct su_line line;
		struct su_talk talk = { &line, house->signal_fd, MONO_NEVER, 0 };

		if (su_line_begin(&line, &house->consoles.at[i]))
			continue;
		say_last(&talk, text);
		su_line_leave(&line);
	}
}
