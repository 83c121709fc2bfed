/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/logline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "lib/clock.h"
#include "lib/devlog.h"
#include "lib/sys.h"
#include "lib/text.h"
#include "lib/zone.h"

/* A NUL stands behind the frame. */
static size_t frame_make(char frame[LOGLINE_FRAME_MAX + 1], const char *ident, int priority,
	const char *text)
{
	struct zone zone;
	char tag[48];
	size_t len;
	int err = zone_load(&zone, getenv("TZ"));

	(void)err;              /* it is UTC then */
	snprintf(tag, sizeof tag, "%.32s[%d]", ident, (int)sys_getpid());
	len = devlog_head(frame, LOGLINE_FRAME_MAX, priority, zone_civil(&zone, wall_now().s), tag);
	len += text_make_harmless(text, strlen(text), frame + len, LOGLINE_FRAME_MAX - len);
	frame[len] = '\0';
	return len;
}

/* All of it, or an error: a fresh stream has room for more than a frame. */
static int frame_send(int fd, const char *frame, size_t len)
{
	enum { TRIES = 8 };

	for (int tries = 0; tries < TRIES; tries++) {
		ssize_t n = sys_send(fd, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == (ssize_t)len)
			return 0;
		if (n < 0 && n != -EINTR)
			return (int)n;
		if (n > 0) {
			frame += n;
			len -= (size_t)n;
		}
	}
	return -EAGAIN;
}

int logline_send(const char *ident, int priority, const char *text)
{
	static const struct sockaddr_un to = DEVLOG_ADDRESS;
	char frame[LOGLINE_FRAME_MAX + 1];
	size_t len = frame_make(frame, ident, priority, text);
	bool is_stream;
	int err, fd;

	err = devlog_connect(&to, &fd, &is_stream);
	if (err)
		return err;
	err = frame_send(fd, frame, len + is_stream);
	sys_close(fd);
	return err;
}
