/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/devlog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys.h"

static int socket_connect(const struct sockaddr_un *to, int type)
{
	int err, fd = sys_socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_connect(fd, (const struct sockaddr *)to, sizeof *to);
	if (!err)
		return fd;
	sys_close(fd);
	return err;
}

int devlog_connect(const struct sockaddr_un *to, int *out, bool *is_stream)
{
	int fd = socket_connect(to, SOCK_DGRAM);
	bool is_other = fd == -EPROTOTYPE;

	if (is_other)
		fd = socket_connect(to, SOCK_STREAM);
	if (fd < 0)
		return fd;
	*is_stream = is_other;
	*out = fd;
	return 0;
}

size_t devlog_head(char *out, size_t size_bytes, int priority, struct civil at, const char *tag)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int len = snprintf(out, size_bytes, "<%d>%.3s %2d %02d:%02d:%02d %.48s: ", priority,
		months + 3 * at.month, at.day, at.hour, at.minute, at.second, tag);

	return (size_t)len < size_bytes ? (size_t)len : size_bytes - 1;
}
