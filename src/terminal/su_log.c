/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { AUTHPRIV = 10 << 3, NOTICE = 5, INFO = 6 };
enum { LINE_BYTES = 512 };

static int send_to_syslog(const char *line, size_t len_bytes)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = DEV_LOG_PATH };
	int err, fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_connect(fd, (const struct sockaddr *)&to, sizeof to);
	if (!err)
		err = (int)sys_send(fd, line, len_bytes, MSG_NOSIGNAL);
	sys_close(fd);
	return err < 0 ? err : 0;
}

static int write_to_kernel(const char *line, size_t len_bytes)
{
	int err, fd = sys_open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = io_write_all(fd, line, len_bytes);
	sys_close(fd);
	return err;
}

void su_log(const char *format, ...)
{
	char text[LINE_BYTES / 2], line[LINE_BYTES];
	char when[sizeof "Jan 01 00:00:00"];
	time_t now = time(NULL);
	struct tm local;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!localtime_r(&now, &local) || !strftime(when, sizeof when, "%b %e %H:%M:%S", &local))
		when[0] = '\0';
	(void)snprintf(line, sizeof line, "<%d>%s sulogin[%d]: %s", AUTHPRIV | NOTICE, when, (int)sys_getpid(), text);
	if (!send_to_syslog(line, strlen(line)))
		return;
	(void)snprintf(line, sizeof line, "<%d>sulogin: %s\n", AUTHPRIV | INFO, text);
	(void)write_to_kernel(line, strlen(line));
}
