/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_kernel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/systool.h"
#include "lib/text.h"

#define KERNEL_LOG_PATH "/dev/kmsg"
#define MARK "SELinux:"

/* A policy may lack a hundred classes, each with its line; what it fails for comes last. */
enum { LINES_KEPT = 4, LINE_BYTES = 256, RECORD_BYTES = 8192, RECORDS_MAX = 10000 };

int policy_kernel_listen(void)
{
	int fd = sys_open(KERNEL_LOG_PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd >= 0 && sys_lseek(fd, 0, SEEK_END) < 0) {
		sys_close(fd);
		return -ENODATA;
	}
	return fd;
}

/* A record is "level,number,time,flags;text", then lines of properties: Documentation/ABI/testing/dev-kmsg. */
static const char *text_of(char *record)
{
	char *text = strchr(record, ';');

	if (!text || strncmp(text + 1, MARK, sizeof MARK - 1))
		return NULL;
	text[1 + strcspn(text + 1, "\n")] = '\0';
	return text + 1;
}

void policy_kernel_said(int fd, void (*say)(void *context, const char *line), void *context)
{
	char record[RECORD_BYTES], kept[LINES_KEPT][LINE_BYTES];
	unsigned count = 0;

	for (int i = 0; i < RECORDS_MAX; i++) {
		ssize_t got = sys_read(fd, record, sizeof record - 1);
		const char *text;

		if (got == -EPIPE || got == -EINTR)          /* EPIPE: overwritten before we came */
			continue;
		if (got <= 0)
			break;
		record[got] = '\0';
		text = text_of(record);
		if (!text)
			continue;
		kept[count % LINES_KEPT][text_make_harmless(text, strlen(text), kept[count % LINES_KEPT], LINE_BYTES - 1)] = '\0';
		count++;
	}
	for (unsigned i = count > LINES_KEPT ? count - LINES_KEPT : 0; i < count; i++)
		say(context, kept[i % LINES_KEPT]);
}
