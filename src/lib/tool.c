/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tool.h"

#include <errno.h>
#include <string.h>

const char *tool_name(char *const argv[], const char *fallback)
{
	const char *name = argv[0], *slash;

	if (!name)
		return fallback;
	slash = strrchr(name, '/');
	if (slash)
		name = slash + 1;
	if (*name == '-')
		name++;
	return *name ? name : fallback;
}

void tool_complain(const char *name, const char *object, int err)
{
	fprintf(stderr, "%s: %s: %s\n", name, object, strerror(-err));
}

int tool_version(const char *name)
{
	printf("%s (sysvinit) %s\n", name, VERSION);
	return tool_finish(name, stdout, TOOL_OK);
}

int tool_finish(const char *name, FILE *out, int status)
{
	int failed_before = ferror(out);

	/* Some file systems find out only when it is closed; an earlier failure has no errno left. */
	errno = 0;
	if (!fclose(out) && !failed_before)
		return status;
	fprintf(stderr, "%s: write error: %s\n", name, strerror(errno ? errno : EIO));
	return TOOL_ERROR;
}
