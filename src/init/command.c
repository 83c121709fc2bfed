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

/* One directory of a PATH, "" being the working directory, and the word. -ENOENT: does not fit. */
static int try_dir(const char *dir, size_t len, char *const argv[], char *const envp[])
{
	char path[PATH_BYTES];
	int wrote = snprintf(path, sizeof path, "%.*s%s%s", (int)len, dir, len ? "/" : "", argv[0]);

	if (wrote < 0 || (size_t)wrote >= sizeof path)
		return -ENOENT;
	return sys_exec(path, argv, envp);
}

static int exec_along_path(char *const argv[], char *const envp[])
{
	const char *dir = path_of(envp);
	int refused = 0;

	if (strchr(argv[0], '/'))
		return sys_exec(argv[0], argv, envp);
	for (;;) {
		size_t len = strcspn(dir, ":");
		int err = try_dir(dir, len, argv, envp);

		if (err == -EACCES)
			refused = err;
		else if (err != -ENOENT && err != -ENOTDIR)
			return err;
		if (!dir[len])
			return refused ? refused : -ENOENT;
		dir += len + 1;
	}
}

int command_exec(struct command *command, const char *process, char *const envp[])
{
	int err;

	if (!command->argv[0])
		return -ENOENT;
	err = exec_along_path(command->argv, envp);
	if (err != -ENOEXEC)
		return err;
	plan_shell(command, marks_take(process).rest, true);
	return sys_exec(SHELL_PATH, command->argv, envp);
}
