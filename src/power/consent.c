/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/consent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "lib/utmpfile.h"

enum { ALLOW_MAX = 65536, CONSOLE_MAJOR = 4, CONSOLE_MINOR_MAX = 63 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One name a line, blanks around it do not count; a line that begins with # is none. */
static bool is_listed(const char *list, const char *user)
{
	size_t user_len = strlen(user);

	for (const char *at = list; at;) {
		const char *end = strchr(at, '\n'), *next = end ? end + 1 : NULL;

		end = end ? end : at + strlen(at);
		while (at < end && is_blank(*at))
			at++;
		while (at < end && is_blank(end[-1]))
			end--;
		if (*at != '#' && (size_t)(end - at) == user_len && !memcmp(at, user, user_len))
			return true;
		at = next;
	}
	return false;
}

static bool is_virtual_console(const char *line)
{
	char path[64];
	struct stat st;

	if (strstr(line, ".."))
		return false;
	(void)snprintf(path, sizeof path, "/dev/%s", line);
	return !sys_stat(path, &st) && S_ISCHR(st.st_mode) && major(st.st_rdev) == CONSOLE_MAJOR &&
		minor(st.st_rdev) <= CONSOLE_MINOR_MAX;
}

static bool is_alive(pid_t pid)
{
	return pid > 0 && sys_kill(pid, 0) != -ESRCH;
}

static bool allows(const struct utmp_record *record, const char *list)
{
	char user[sizeof record->user + 1] = "", line[sizeof record->line + 1] = "";

	if (record->type != UTMP_USER_PROCESS)
		return false;
	memcpy(user, record->user, sizeof record->user);
	memcpy(line, record->line, sizeof record->line);
	return *user && is_alive(record->pid) && is_virtual_console(line) &&
		(!strcmp(user, "root") || is_listed(list, user));
}

bool consent_is_given(void)
{
	char list[ALLOW_MAX];
	struct utmp_reader reader;
	struct utmp_record record;
	bool given = false;
	ssize_t len = io_read_file(SHUTDOWN_ALLOW_PATH, list, sizeof list);

	if (len == -ENOENT)
		return true;
	/* A name that is cut at the end of what is read would be another one. */
	if (len < 0 || len == ALLOW_MAX - 1 || utmp_reader_open(&reader, UTMP_PATH))
		return false;
	while (!given && !utmp_reader_next(&reader, &record))
		given = allows(&record, list);
	utmp_reader_close(&reader);
	return given;
}

void consent_tell_refusal(void)
{
	static const char text[] = "\rshutdown: no authorized users logged in.\r\n";
	int fd = sys_open(CONSOLE_PATH, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)!sys_write(fd, text, sizeof text - 1);    /* the exit status says it too */
	sys_close(fd);
}
