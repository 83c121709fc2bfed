/* SPDX-License-Identifier: GPL-2.0-or-later */
/* killall5, pidof - one program of two names. By any other name it does nothing but say so: a copy that somebody made, or a
 * script's mistake, must not end in the death of every process. */
#include <stdio.h>
#include <string.h>

#include "lib/tool.h"
#include "process/killing.h"
#include "process/pidof.h"

static bool begins_with(const char *name, const char *what)
{
	return !strncmp(name, what, strlen(what));
}

int main(int argc, char **argv)
{
	const char *name = tool_name(argv, "");

	if (begins_with(name, "killall"))
		return killing_main(name, argv);
	if (begins_with(name, "pidof"))
		return pidof_main(name, argc, argv);
	fprintf(stderr, "killall5: called as '%s', which is neither killall5 nor pidof: nothing is done\n", name);
	return TOOL_ERROR;
}
