/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_wish.h"

#include <stdlib.h>

#include "lib/cmdline.h"

enum policy_wish policy_wish(enum policy_setting setting, const char *cmdline)
{
	struct cmdline line;

	if (setting == SETTING_DISABLED)
		return POLICY_DISABLED;
	cmdline_begin(&line, cmdline);
	while (cmdline_next(&line)) {
		const char *value = cmdline_value(&line, "enforcing");

		if (value)
			return strtol(value, NULL, 10) > 0 ? POLICY_ENFORCING : POLICY_PERMISSIVE;
	}
	return setting == SETTING_ENFORCING ? POLICY_ENFORCING : POLICY_PERMISSIVE;
}
