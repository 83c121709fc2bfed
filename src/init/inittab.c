/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/inittab.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ALL_LEVELS "0123456789"
#define ALL_LEVELS_AND_S "S0123456789"

static_assert(sizeof ALL_LEVELS_AND_S - 1 <= TAB_LEVELS_MAX, "the default is a legal field");

static const char *const words[] = {
#define ACTION_WORD(name, word) [ACTION_##name] = word,
	ACTIONS(ACTION_WORD)
#undef ACTION_WORD
};

static_assert(sizeof words / sizeof words[0] == ACTION_COUNT, "name every action");

struct field {
	const char *text;               /* NULL: the line ended before it */
	size_t len;
};

const char *action_word(enum action action)
{
	if (action <= ACTION_NONE || action >= ACTION_COUNT)
		return "none";
	return words[action];
}

bool action_is_first(enum action action)
{
	return action == ACTION_POWERFAIL || action == ACTION_POWERFAILNOW ||
		action == ACTION_POWERWAIT || action == ACTION_POWEROKWAIT ||
		action == ACTION_CTRLALTDEL;
}

bool action_needs_event(enum action action)
{
	return action_is_first(action) || action == ACTION_KBREQUEST;
}

static enum action action_find(const struct field *field)
{
	for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		if (strlen(words[action]) == field->len &&
			!strncasecmp(words[action], field->text, field->len))
			return (enum action)action;
	return ACTION_NONE;
}

/* The text up to the next colon; *at is behind it, or NULL when there was none. */
static struct field field_take(const char **at)
{
	struct field field = { *at, 0 };
	const char *colon;

	if (!field.text)
		return field;
	colon = strchr(field.text, ':');
	field.len = colon ? (size_t)(colon - field.text) : strlen(field.text);
	*at = colon ? colon + 1 : NULL;
	return field;
}

/* Of several faults, the one that stock names. It never says that the runlevels are missing: so is the action then. */
static const char *fields_fault(const struct field *id, const struct field *levels,
	const struct field *action, const char *process)
{
	if (action->len > TAB_ACTION_MAX)
		return "action field too long";
	if (levels->len > TAB_LEVELS_MAX)
		return "rlevel field too long (max 11 characters)";
	if (id->len > TAB_ID_MAX)
		return "id field too long (max 4 characters)";
	if (!action->text)
		return "missing action field";
	if (!process)
		return "missing process field";
	if (!action->len)
		return "missing action field";
	return id->len ? NULL : "missing id field";
}

static_assert(TAB_ID_MAX == 4 && TAB_LEVELS_MAX == 11, "the messages name these");

/* The word goes to consoles: what is not printable there is a control sequence or an accident. */
static void say_unknown_action(const struct field *action, char *why, size_t size_bytes)
{
	char word[TAB_ACTION_MAX + 1];

	for (size_t i = 0; i < action->len; i++)
		word[i] = iscntrl((unsigned char)action->text[i]) ? '?' : action->text[i];
	word[action->len] = '\0';
	(void)snprintf(why, size_bytes, "%s: unknown action field", word);
}

static void levels_set(struct tab_line *out, const struct field *field)
{
	if (out->action == ACTION_SYSINIT) {
		strcpy(out->levels, "#");
	} else if (out->action == ACTION_BOOT || out->action == ACTION_BOOTWAIT) {
		strcpy(out->levels, "*");
	} else if (!field->len) {
		strcpy(out->levels, action_is_first(out->action) ? ALL_LEVELS_AND_S : ALL_LEVELS);
	} else {
		for (size_t i = 0; i < field->len; i++)
			out->levels[i] = field->text[i] == 's' ? 'S' : field->text[i];
		out->levels[field->len] = '\0';
	}
}

enum tab_verdict inittab_parse_line(
	const char *line, struct tab_line *out, char *why, size_t size_bytes)
{
	const char *at = line + strspn(line, " \t"), *fault;
	struct field id, levels, action;
	enum action found;

	if (!*at || *at == '#')
		return TAB_NOTHING;
	id = field_take(&at);
	levels = field_take(&at);
	action = field_take(&at);
	fault = fields_fault(&id, &levels, &action, at);
	if (fault) {
		(void)snprintf(why, size_bytes, "%s", fault);
		return TAB_BAD;
	}
	found = action_find(&action);
	if (found == ACTION_NONE) {
		say_unknown_action(&action, why, size_bytes);
		return TAB_BAD;
	}
	memset(out, 0, sizeof *out);
	out->action = found;
	memcpy(out->id, id.text, id.len);
	levels_set(out, &levels);
	out->process = at;
	return TAB_ENTRY;
}
