/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/complain.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/sys.h"

void complain(const char *name, const char *text)
{
	fprintf(stderr, "%s: %s\n", name, text);
	if (sys_isatty(STDIN_FILENO) == 0)
		return;
}
