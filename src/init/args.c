/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/args.h"

#include <string.h>

static bool is_any_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

bool args_is_reexec(int argc, char **argv)
{
	static const char *const words[] = { "-i", "--init", NULL };

	for (int i = 1; i < argc; i++)
		if (is_any_of(argv[i], words))
			return true;
	return false;
}

void args_parse(int argc, char **argv, struct boot_args *out)
{
	static const char *const single[] = { "single", "-s", "S", "s", NULL };
	static const char *const emergency[] = { "emergency", "-b", NULL };
	static const char *const automatic[] = { "auto", "-a", NULL };

	*out = (struct boot_args){ 0 };
	for (int i = 1; i < argc; i++) {
		if (is_any_of(argv[i], single))
			out->level = 'S';
		else if (is_any_of(argv[i], emergency))
			out->emergency = true;
		else if (is_any_of(argv[i], automatic))
			out->autoboot = true;
		else if (!strcmp(argv[i], "-z"))
			i++;
		else if (strlen(argv[i]) == 1 && argv[i][0] >= '0' && argv[i][0] <= '9')
			out->level = argv[i][0];
	}
}

/* True if it was copied. */
static bool keep(struct init *in, const char *variable, int *count, size_t *used)
{
	size_t size = strlen(variable) + 1;

	if (*count >= INHERITED_MAX || size > sizeof in->inherited_text - *used)
		return false;
	in->inherited[*count] = memcpy(in->inherited_text + *used, variable, size);
	in->inherited[++*count] = NULL;
	*used += size;
	return true;
}

const char *args_keep_environment(struct init *in, char **envp)
{
	const char *left_out = NULL;
	size_t used = 0;
	int count = 0;

	in->inherited[0] = NULL;
	if (in->boot.autoboot)
		(void)keep(in, "AUTOBOOT=YES", &count, &used);   /* the first always fits */
	for (; *envp; envp++)
		if (!keep(in, *envp, &count, &used) && !left_out)
			left_out = *envp;
	return left_out;
}

const char *args_getenv(const struct init *in, const char *name)
{
	size_t len = strlen(name);

	for (char *const *variable = in->inherited; *variable; variable++)
		if (!strncmp(*variable, name, len) && (*variable)[len] == '=')
			return *variable + len + 1;
	return NULL;
}

void args_add_variable(struct init *in, const char *variable)
{
	int count = 0;

	while (count < INHERITED_MAX - 1 && in->inherited[count])
		count++;
	in->inherited[count] = (char *)variable;         /* nobody writes to it */
	in->inherited[count + 1] = NULL;
}

/* INIT_VERSION tells of the image before. */
static bool is_ours_now(struct init *in, const char *variable, bool adopt)
{
	if (!strncmp(variable, "INIT_VERSION=", 13))
		return true;
	if (adopt && !environ_set(&in->vars, variable))
		return true;
	return environ_has(&in->vars, variable);
}

void args_settle_variables(struct init *in, bool adopt)
{
	int count = 0;

	for (char **variable = in->inherited; *variable; variable++)
		if (!is_ours_now(in, *variable, adopt))
			in->inherited[count++] = *variable;
	in->inherited[count] = NULL;
}
