/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/environ.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"

#define VAR_PREFIX "INIT_"

static size_t name_len(const char *assignment)
{
	return strcspn(assignment, "=");
}

static bool is_same_name(const char *a, const char *b)
{
	size_t len = name_len(a);

	return len == name_len(b) && !memcmp(a, b, len);
}

/* The shared memory may be damaged: what has no end is no variable. */
static const char *var_at(const struct environ_vars *vars, int i)
{
	const char *var = vars->var[i];

	return *var && memchr(var, '\0', ENVIRON_VAR_BYTES) ? var : NULL;
}

/* Where assignment's name stands, else a free place, else -1. */
static int place_find(const struct environ_vars *vars, const char *assignment)
{
	int place = -1;

	for (int i = 0; i < ENVIRON_VARS; i++) {
		const char *var = var_at(vars, i);

		if (var && is_same_name(var, assignment))
			return i;
		if (!var && place < 0)
			place = i;
	}
	return place;
}

bool environ_has(const struct environ_vars *vars, const char *assignment)
{
	for (int i = 0; i < ENVIRON_VARS; i++) {
		const char *var = var_at(vars, i);

		if (var && is_same_name(var, assignment))
			return true;
	}
	return false;
}

int environ_set(struct environ_vars *vars, const char *assignment)
{
	size_t len = strnlen(assignment, ENVIRON_VAR_BYTES);
	int place;

	if (len == ENVIRON_VAR_BYTES || strncmp(assignment, VAR_PREFIX, strlen(VAR_PREFIX)))
		return -EINVAL;
	place = place_find(vars, assignment);
	if (!strchr(assignment, '=')) {
		if (place >= 0)
			memset(vars->var[place], 0, ENVIRON_VAR_BYTES);
		return 0;
	}
	if (place < 0)
		return -ENOSPC;
	memset(vars->var[place], 0, ENVIRON_VAR_BYTES);
	memcpy(vars->var[place], assignment, len);
	return 0;
}

int environ_set_all(struct environ_vars *vars, const char *data, size_t size_bytes)
{
	const char *at = data, *end = data + size_bytes;
	int first_err = 0;

	while (at < end && *at) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		int err = nul ? environ_set(vars, at) : -EINVAL;

		if (err && !first_err)
			first_err = err;
		if (!nul)
			break;
		at = nul + 1;
	}
	return first_err;
}

static_assert(ENVIRON_VARS + 6 <= ENVIRON_MAX, "what is made here always fits");

struct made {
	const char *at[ENVIRON_VARS + 6];
	int count;
};

static void make(struct environ_block *out, size_t *used, struct made *made,
	const char *name, const char *value)
{
	size_t room = sizeof out->text - *used;
	int len = snprintf(out->text + *used, room, "%s=%s", name, value);

	if (len < 0 || (size_t)len >= room)
		return;
	made->at[made->count++] = out->text + *used;
	*used += (size_t)len + 1;
}

static void make_all(struct environ_block *out, const struct environ_values *values,
	struct made *made)
{
	char level[2] = { values->level, '\0' }, previous[2] = { values->previous, '\0' };
	size_t used = 0;

	made->count = 0;
	for (int i = 0; values->vars && i < ENVIRON_VARS; i++) {
		const char *var = var_at(values->vars, i);

		if (var)
			made->at[made->count++] = var;
	}
	make(out, &used, made, "PATH", PATH_DEFAULT);
	make(out, &used, made, "SHELL", SHELL_PATH);
	make(out, &used, made, "RUNLEVEL", level);
	make(out, &used, made, "PREVLEVEL", previous);
	make(out, &used, made, "INIT_VERSION", "sysvinit-" VERSION);
	if (values->console)
		make(out, &used, made, "CONSOLE", values->console);
}

static int find_name(char *const *envp, int count, const char *assignment)
{
	for (int i = 0; i < count; i++)
		if (is_same_name(envp[i], assignment))
			return i;
	return -1;
}

static void put(struct environ_block *out, int *count, const char *assignment, int limit)
{
	int at = find_name(out->envp, *count, assignment);

	if (at < 0 && *count < limit)
		at = (*count)++;
	/* execve(2) takes char * and writes to none of it. */
	if (at >= 0)
		out->envp[at] = (char *)assignment;
}

void environ_build(struct environ_block *out, const struct environ_values *values)
{
	struct made made;
	int count = 0;

	make_all(out, values, &made);
	for (int i = 0; values->inherited && values->inherited[i]; i++)
		if (*values->inherited[i])
			put(out, &count, values->inherited[i], ENVIRON_MAX - made.count);
	for (int i = 0; i < made.count; i++)
		put(out, &count, made.at[i], ENVIRON_MAX);
	out->envp[count] = NULL;
}
