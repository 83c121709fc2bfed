/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "init/simple.h"
#include "lib/sys.h"

#define BLANKS " \t"
#define SHELL_CHARACTERS "~`!$^&*()=|\\{}[];\"'<>?"

enum { PATH_BYTES = 4096 };

struct marks {
	bool no_record, no_shell;
	const char *rest;
};

static struct marks marks_take(const char *process)
{
	struct marks marks = { false, false, process };

	if (*marks.rest == '+') {
		marks.no_record = true;
		marks.rest++;
	}
	if (*marks.rest == '@') {
		marks.no_shell = true;
		marks.rest++;
	}
	return marks;
}

bool command_has_record(const char *process)
{
	return !marks_take(process).no_record;
}

static void plan_initscript(struct command *out, const char *process, const struct tab_line *entry)
{
	(void)snprintf(out->text, sizeof out->text, "%s", process);
	out->argv[0] = (char *)SHELL_PATH;
	out->argv[1] = (char *)INIT_SCRIPT_PATH;
	out->argv[2] = (char *)entry->id;
	out->argv[3] = (char *)entry->levels;
	out->argv[4] = (char *)action_word(entry->action);
	out->argv[5] = out->text;
	out->argv[6] = NULL;
}

static void plan_shell(struct command *out, const char *process, bool with_exec)
{
	(void)snprintf(out->text, sizeof out->text, "%s%s", with_exec ? "exec " : "", process);
	out->argv[0] = (char *)SHELL_PATH;
	out->argv[1] = (char *)"-c";
	out->argv[2] = out->text;
	out->argv[3] = NULL;
}

static void plan_words(struct command *out, const char *process)
{
	char *rest, *word;
	int count = 0;

	(void)snprintf(out->text, sizeof out->text, "%s", process);
	for (word = strtok_r(out->text, BLANKS, &rest);
		word && *word != '#' && count < COMMAND_WORDS_MAX;
		word = strtok_r(NULL, BLANKS, &rest))
		out->argv[count++] = word;
	/* Messages name argv[0]. */
	if (!count)
		out->argv[count++] = strcpy(out->text, "");
	out->argv[count] = NULL;
}

void command_plan(struct command *out, const char *process, const struct tab_line *entry,
	bool with_initscript)
{
	struct marks marks = marks_take(process);

	if (with_initscript)
		plan_initscript(out, marks.rest, entry);
	else if (!marks.no_shell && strpbrk(marks.rest, SHELL_CHARACTERS))
		plan_shell(out, marks.rest, simple_is_command(marks.rest));
	else
		plan_words(out, marks.rest);
}

static const char *path_of(char *const envp[])
{
	for (; *envp; envp++)
		if (!strncmp(*envp, "PATH=", 5))
			return *envp + 5;
	return PATH_DEFAULT;
}

/* Executes the file. One that the kernel does not know is a shell script without its first line:
 * sh is given the file and the words as they are, so that no character of theirs means anything. */
static int exec_file(const char *path, char *const argv[], char *const envp[])
{
	char *sh_argv[COMMAND_ARGS_MAX + 1] = { (char *)SHELL_PATH, (char *)path };
	int count = 2, err = sys_exec(path, argv, envp);

	if (err != -ENOEXEC)
		return err;
	for (char *const *word = argv + 1; *word; word++)
		sh_argv[count++] = *word;
	return sys_exec(SHELL_PATH, sh_argv, envp);
}

/* "" is the working directory. -ENOENT: does not fit. */
static int exec_in_dir(const char *dir, size_t len, char *const argv[], char *const envp[])
{
	char path[PATH_BYTES];
	int wrote = snprintf(path, sizeof path, "%.*s%s%s", (int)len, dir, len ? "/" : "", argv[0]);

	if (wrote < 0 || (size_t)wrote >= sizeof path)
		return -ENOENT;
	return exec_file(path, argv, envp);
}

int command_exec(const struct command *command, char *const envp[])
{
	const char *dir = path_of(envp);
	int refused = -ENOENT;

	if (!*command->argv[0])
		return -ENOENT;
	if (strchr(command->argv[0], '/'))
		return exec_file(command->argv[0], command->argv, envp);
	for (;;) {
		size_t len = strcspn(dir, ":");
		int err = exec_in_dir(dir, len, command->argv, envp);

		if (err == -EACCES)
			refused = err;
		else if (err != -ENOENT && err != -ENOTDIR)
			return err;
		if (!dir[len])
			return refused;
		dir += len + 1;
	}
}
