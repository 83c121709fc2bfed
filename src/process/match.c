/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/match.h"

#include <string.h>

enum { COMM_LEN = 15 };                 /* TASK_COMM_LEN less its NUL */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What a process calls itself, in an argument. */
static bool is_called(const char *name, const struct target *target)
{
	return !strcmp(name, target->text) || (target->base != target->text && !strcmp(name, target->base)) ||
		!strcmp(base_of(name), target->text);
}

/* The kernel's own name for a process; a longer one than it keeps needs its program's file for a witness. */
static bool has_comm(struct subject *subject, const struct target *target)
{
	const struct procfs_stat *stat = subject_stat(subject);
	size_t len = strlen(target->base);
	const char *exe;

	if (!stat || strncmp(stat->comm, target->base, COMM_LEN) || (len <= COMM_LEN && strlen(stat->comm) != len))
		return false;
	if (len <= COMM_LEN)
		return true;
	exe = subject_exe(subject);
	exe = exe ? base_of(exe) : "";
	return !strncmp(exe, target->base, len) && (!exe[len] || !strcmp(exe + len, " (deleted)"));
}

/* A program that shows a title in place of its command line, a thread of the kernel, a login shell. */
static bool is_known_by_comm(struct subject *subject, const struct target *target)
{
	const char *argv0 = subject_argv0(subject);
	bool is_titled = !argv0 || !*argv0 || strchr(argv0, ' ');
	bool is_login = argv0 && *argv0 == '-' && !subject_argv1(subject);

	return (is_titled || is_login) && has_comm(subject, target);
}

/* Started through its first line: the kernel names the process after the script. */
static bool is_script(struct subject *subject, const struct target *target)
{
	const char *argv1 = subject_argv1(subject);
	const struct procfs_stat *stat;

	if (!argv1 || !is_called(argv1, target))
		return false;
	stat = subject_stat(subject);
	return stat && !strncmp(stat->comm, base_of(argv1), COMM_LEN);
}

static bool has_name(struct subject *subject, const struct target *target, const struct match_rules *rules)
{
	const char *argv0 = subject_argv0(subject);

	return (argv0 && is_called(argv0, target)) || (rules->with_scripts && is_script(subject, target)) ||
		is_known_by_comm(subject, target);
}

/* To a process with another root or other mounts, the same path may mean another file: then the file itself must be the same.
 * One that was replaced cannot be, so it must be a deleted one of the same owner on the same file system. */
static bool is_file_of(struct subject *subject, const struct target *target)
{
	struct sys_identity exe;

	if (!target->exists || subject_identify_exe(subject, &exe))
		return false;
	if (exe.major != target->file.major || exe.minor != target->file.minor)
		return false;
	return exe.inode == target->file.inode || (!exe.links && exe.owner == target->file.owner);
}

static bool has_file(struct subject *subject, const struct target *target, const struct match_rules *rules)
{
	const char *exe = subject_exe(subject);

	if (!exe || !target_has_path(target, exe))
		return false;
	return !subject_is_apart(subject, &rules->home) || is_file_of(subject, target);
}

/* A path that is nobody's program file. Anybody can call himself what he likes, so that it takes a script that was really
 * started, or somebody who can be trusted. */
static bool passes_for_path(struct subject *subject, const struct target *target, const struct match_rules *rules)
{
	const char *argv0;

	if (!subject_exe(subject))      /* of somebody else; root may read all that have one */
		return (rules->home.uid || subject->stuck & SUBJECT_EXE) && target->is_program && has_name(subject, target, rules);
	if (target_has_path(target, subject_exe(subject)))
		return false;           /* the first pass knew why not */
	if (rules->with_scripts && is_script(subject, target))
		return true;
	argv0 = subject_argv0(subject);
	if (rules->with_scripts ? !has_name(subject, target, rules) : !argv0 || strcmp(argv0, target->text))
		return false;
	return subject_is_trusted(subject, &rules->home);
}

static bool is_matched(struct subject *subject, const struct target *target, const struct match_rules *rules,
	enum match_pass pass)
{
	if (!*target->base)
		return false;
	if (!target->is_path)
		return pass == MATCH_BY_FILE && has_name(subject, target, rules);
	return pass == MATCH_BY_FILE ? has_file(subject, target, rules) : passes_for_path(subject, target, rules);
}

/* An empty command line is what a zombie has; any other is proof of life. */
static bool is_left_out(struct subject *subject, const struct match_rules *rules)
{
	const struct procfs_stat *stat;

	if (rules->same_root && subject_has_root_of(subject, &rules->home) != 1)
		return true;
	if (rules->with_zombies || (subject->has_exe && !subject->exe_err) || subject_argv0(subject))
		return false;
	stat = subject_stat(subject);
	return !stat || procfs_is_zombie(stat);
}

bool match_is(struct subject *subject, const struct target *target, const struct match_rules *rules,
	enum match_pass pass)
{
	return is_matched(subject, target, rules, pass) && !is_left_out(subject, rules);
}
