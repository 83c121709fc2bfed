/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_wish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "include/paths.h"
#include "init/policy_place.h"
#include "lib/cmdline.h"
#include "lib/io.h"

#define SETTINGS_PATH "/etc/selinux/config"
#define SETTINGS_LINE "SELINUX="

enum { CMDLINE_BYTES = 4096, SETTINGS_BYTES = 16384 };

static enum policy_setting word_setting(const char *word)
{
	static const struct {
		const char *word;
		enum policy_setting setting;
	} words[] = { { "enforcing", SETTING_ENFORCING }, { "permissive", SETTING_PERMISSIVE }, { "disabled", SETTING_DISABLED } };

	word += strspn(word, " \t");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (!strncasecmp(word, words[i].word, strlen(words[i].word)))
			return words[i].setting;
	return SETTING_NONE;
}

enum policy_setting policy_setting(const char *text)
{
	enum policy_setting setting = SETTING_NONE;

	while (text && setting == SETTING_NONE) {
		if (!strncmp(text, SETTINGS_LINE, strlen(SETTINGS_LINE)))
			setting = word_setting(text + strlen(SETTINGS_LINE));
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return setting;
}

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

enum policy_wish policy_wish_read(enum policy_setting setting)
{
	char cmdline[CMDLINE_BYTES];

	if (io_read_file(CMDLINE_PATH, cmdline, sizeof cmdline) < 0)
		*cmdline = '\0';
	return policy_wish(setting, cmdline);
}

static enum policy_setting read_setting(void)
{
	char text[SETTINGS_BYTES];

	return io_read_file(SETTINGS_PATH, text, sizeof text) < 0 ? SETTING_NONE : policy_setting(text);
}

bool policy_is_demanded(void)
{
	struct policy_place place;
	bool is_there = policy_place_enter(&place) != -ENODEV && !policy_place_is_loaded();
	bool is_demanded = is_there && policy_wish_read(read_setting()) == POLICY_ENFORCING;

	policy_place_leave(&place, false);
	return is_demanded;
}
