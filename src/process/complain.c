/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/complain.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/logline.h"
#include "lib/sys.h"

void complain(const char *name, const char *text)
{
	fprintf(stderr, "%s: %s\n", name, text);
	if (sys_isatty(STDIN_FILENO) && logline_send(name, LOG_DAEMON | LOG_ERR, text))
		return;         /* no syslogd, or one that does not read: standard error has it */
}

void complain_of_piece(void *name, const char *piece)
{
	char text[128];

	(void)snprintf(text, sizeof text, "illegal omit pid value (%s)!", piece);
	complain(name, text);
}
