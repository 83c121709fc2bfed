/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/title.h"

#include <string.h>

#include "lib/sys.h"

void title_init(struct title *title, char **argv, char **envp, char *text)
{
	char *end = argv[0];

	title->text = text;
	title->area = argv[0];
	for (char **arg = argv; *arg; arg++)
		if (*arg == end)
			end += strlen(end) + 1;
	title->argv_bytes = (size_t)(end - title->area);
	for (char **env = envp; *env; env++)
		if (*env == end)
			end += strlen(end) + 1;
	title->size_bytes = (size_t)(end - title->area);
}

void title_set(struct title *title, const char *text)
{
	size_t len = strnlen(text, TITLE_MAX - 1);
	unsigned long at = (unsigned long)title->text;

	if (!title->text)
		return;
	memset(title->text, 0, TITLE_MAX);
	memcpy(title->text, text, len);
	if (len + 1 > title->argv_bytes && !sys_set_title(at, at + len + 1))
		return;
	if (!title->size_bytes)
		return;
	/* Without a NUL at argv's old end the kernel reads on into the environment (proc(5),
	 * cmdline). */
	memset(title->area, 0, title->size_bytes);
	if (len > title->size_bytes - 1)
		len = title->size_bytes - 1;
	memcpy(title->area, text, len);
}
