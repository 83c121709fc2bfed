/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/broadcast.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/clock.h"
#include "lib/deliver.h"
#include "lib/systool.h"
#include "lib/text.h"

enum {
	USER_MAX = 31,
	FORK_TRIES = 5,
	PAUSE_MS = 10,
};

static const struct timespec pause_time = { 0, PAUSE_MS * 1000000 };

/* --- the message --- */

/* All of piece, or nothing. */
static bool put(struct broadcast *to, const char *piece, size_t len_bytes)
{
	if (len_bytes > sizeof to->bytes - to->len_bytes)
		return false;
	memcpy(to->bytes + to->len_bytes, piece, len_bytes);
	to->len_bytes += len_bytes;
	return true;
}

void broadcast_add_own(struct broadcast *broadcast, const char *text)
{
	(void)put(broadcast, text, strlen(text));       /* without room: cut here */
}

static void harmless(const char *text, size_t max_bytes, char *out, size_t size_bytes)
{
	size_t len = text_make_harmless(text, strnlen(text, max_bytes), out, size_bytes - 1);

	out[len] = '\0';
}

/* As ctime(3) has it, but for the newline; a blank where a year is out of bounds. */
static void date_make(int64_t when_s, char *out, size_t size_bytes)
{
	time_t when = (time_t)when_s;
	struct tm at;

	tzset();                /* localtime_r() need not look at TZ */
	if (!localtime_r(&when, &at) || at.tm_year > 9999 - 1900 ||
		!strftime(out, size_bytes, "%a %b %e %H:%M:%S %Y", &at))
		snprintf(out, size_bytes, " ");
}

/* "(pts/3) ", or nothing. */
static void terminal_make(char *out, size_t size_bytes)
{
	char name[64], shown[2 * sizeof name];

	*out = '\0';
	if (sys_isatty(STDIN_FILENO) || ttyname_r(STDIN_FILENO, name, sizeof name))
		return;
	harmless(strncmp(name, "/dev/", 5) ? name : name + 5, sizeof name, shown, sizeof shown);
	snprintf(out, size_bytes, "(%.32s) ", shown);
}

void broadcast_begin(struct broadcast *broadcast, const char *user, int64_t when_s)
{
	char who[USER_MAX * TEXT_GROWTH + 1], host[64 * TEXT_GROWTH + 1] = "[unknown]", tty[40], date[32];
	char banner[256];
	struct utsname node;

	harmless(user, USER_MAX, who, sizeof who);
	if (!sys_uname(&node))
		harmless(node.nodename, sizeof node.nodename, host, sizeof host);
	terminal_make(tty, sizeof tty);
	date_make(when_s, date, sizeof date);
	snprintf(banner, sizeof banner, "\r\nBroadcast message from %.62s@%.80s %s(%s):\r\n\r\n", who, host, tty, date);
	broadcast->len_bytes = 0;
	broadcast_add_own(broadcast, banner);
}

void broadcast_begin_remote(struct broadcast *broadcast, int64_t when_s)
{
	char date[32], banner[80];

	date_make(when_s, date, sizeof date);
	snprintf(banner, sizeof banner, "\r\nRemote broadcast message (%s):\r\n\r\n", date);
	broadcast->len_bytes = 0;
	broadcast_add_own(broadcast, banner);
}

/* --- text of users --- */

/* As it will be shown: the first letter may be what a control character is shown by. */
static bool is_banner(char first, const char *rest, size_t rest_bytes)
{
	static const char *const words[] = { "Broadcast message from", "Remote broadcast message" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t len = strlen(words[i]) - 1;

		if (toupper((unsigned char)first) == *words[i] && rest_bytes >= len && !strncasecmp(rest, words[i] + 1, len))
			return true;
	}
	return false;
}

/* LINE and PARAGRAPH SEPARATOR, embeddings, overrides and isolates of direction. */
static bool is_turning(uint32_t code)
{
	return (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* How the first character of text is shown: *out and its length. Bytes taken. */
static size_t character_show(const char *text, size_t left_bytes, char out[4], size_t *out_len)
{
	unsigned char byte = (unsigned char)*text;
	uint32_t code = byte;
	size_t taken = text_character(text, left_bytes, &code);
	bool is_newline = byte == '\n' || (byte == '\r' && left_bytes > 1 && text[1] == '\n');

	if (byte == '\t' || is_newline || (taken && code >= 0x20 && code != 0x7f && (code < 0x80 || code >= 0xa0))) {
		memcpy(out, text, taken);
		*out_len = taken;
		if (is_turning(code)) {
			out[0] = '?';
			*out_len = 1;
		}
		return taken;
	}
	out[0] = '^';
	out[1] = byte == 0x7f ? '?' : (char)((code & 0x1f) + 0x40);
	*out_len = 2;
	return taken ? taken : 1;
}

void broadcast_add_text(struct broadcast *broadcast, const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes;) {
		char shown[4];
		size_t len, taken = character_show(text + i, len_bytes - i, shown, &len);

		i += taken;
		if (is_banner(shown[len - 1], text + i, len_bytes - i) && !put(broadcast, "> ", 2))
			return;
		if (!put(broadcast, shown, len))
			return;
	}
}

/* --- sending it --- */

static int fork_patiently(void)
{
	int pid = -EAGAIN;

	for (int tries = 0; tries < FORK_TRIES && pid < 0; tries++) {
		if (tries)
			(void)sys_sleep(&pause_time);   /* cut short: the next try is sooner */
		pid = sys_fork();
	}
	return pid;
}

static void descriptors_shed(void)
{
	int fd = sys_open(NULL_PATH, O_RDWR | O_CLOEXEC, 0);

	for (int i = 0; i < 3; i++)
		if (fd < 0 || sys_dup2(fd, i) < 0)
			sys_close(i);
	sys_close_range(3, UINT_MAX);
}

static _Noreturn void deliverer_run(const struct broadcast *broadcast, const char *utmp)
{
	(void)sys_setsid();     /* fails for the leader of a group: a fresh child is none */
	sys_default_signals();
	sys_unblock_signals();
	(void)sys_chdir("/");   /* or a file system stays busy for seconds */
	descriptors_shed();
	sys_exit(deliver(utmp, broadcast->bytes, broadcast->len_bytes, DELIVER_EACH_MS) ? 1 : 0);
}

int broadcast_start(const struct broadcast *broadcast, const char *utmp, pid_t *out)
{
	int err, pid = fork_patiently();

	if (!pid)
		deliverer_run(broadcast, utmp);
	if (pid < 0) {
		err = deliver_alone(utmp, broadcast->bytes, broadcast->len_bytes);
		if (err)
			return err;
		pid = 0;
	}
	*out = pid;
	return 0;
}

int broadcast_wait(pid_t deliverer, int64_t limit_ms)
{
	struct mono end = mono_after_ms(mono_now(), limit_ms);
	struct pollfd process = { .fd = deliverer > 0 ? sys_pidfd_open(deliverer) : -1, .events = POLLIN };
	siginfo_t info;
	int found = 1;

	/* Not a child any more, when SIGCHLD is ignored or somebody else has waited for it: it has ended. */
	while (deliverer > 0 && !(found = sys_wait(deliverer, &info)) && !mono_is_due(end, mono_now()))
		(void)sys_poll(&process, 1, process.fd < 0 ? PAUSE_MS : mono_left_ms(end, mono_now()));
	if (process.fd >= 0)
		(void)sys_close(process.fd);
	return found ? 0 : -ETIMEDOUT;
}
