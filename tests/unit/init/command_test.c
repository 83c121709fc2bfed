/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "init/command.h"
#include "lib/sys.h"

static const struct tab_line entry = { .id = "x1", .levels = "2345", .action = ACTION_RESPAWN };

/* The words of a plan, each in brackets. */
static const char *planned(const char *process, bool with_initscript)
{
	static char found[2 * TAB_LINE_MAX];
	struct command command;
	size_t len = 0;

	command_plan(&command, process, &entry, with_initscript);
	found[0] = '\0';
	for (char **word = command.argv; *word; word++) {
		assert_true(word - command.argv < COMMAND_ARGS_MAX);
		len += (size_t)snprintf(found + len, sizeof found - len, "[%s]", *word);
	}
	return found;
}

static void plus_means_no_record(void **state)
{
	(void)state;
	assert_false(command_has_record("+/sbin/getty"));
	assert_false(command_has_record("+@/sbin/getty"));
	assert_true(command_has_record("/sbin/getty"));
	assert_true(command_has_record("@/sbin/getty"));
	assert_true(command_has_record("@+/sbin/getty"));
	assert_true(command_has_record(" +/sbin/getty"));
	assert_true(command_has_record(""));
}

static void words_are_split_at_blanks(void **state)
{
	(void)state;
	assert_string_equal(planned("/sbin/getty -L  ttyS0\t9600 ", false),
		"[/sbin/getty][-L][ttyS0][9600]");
	assert_string_equal(planned(" a", false), "[a]");
	assert_string_equal(planned("+a b", false), "[a][b]");
	assert_string_equal(planned("+ a b", false), "[a][b]");
	assert_string_equal(planned("a:b c%d", false), "[a:b][c%d]");
}

static void only_the_first_marks_are_marks(void **state)
{
	(void)state;
	assert_string_equal(planned("++a", false), "[+a]");
	assert_string_equal(planned("@@a $b", false), "[@a][$b]");
	assert_string_equal(planned("@+a", false), "[+a]");
	assert_string_equal(planned(" @a", false), "[@a]");
}

static void a_word_with_a_hash_before_it_ends_the_words(void **state)
{
	(void)state;
	assert_string_equal(planned("a b # c", false), "[a][b]");
	assert_string_equal(planned("a b#c #d e", false), "[a][b#c]");
	assert_string_equal(planned("#a", false), "[]");
}

static void there_are_at_most_14_words(void **state)
{
	(void)state;
	assert_string_equal(planned("a 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", false),
		"[a][2][3][4][5][6][7][8][9][10][11][12][13][14]");
}

static void nothing_to_run_is_an_empty_word(void **state)
{
	(void)state;
	assert_string_equal(planned("", false), "[]");
	assert_string_equal(planned("+", false), "[]");
	assert_string_equal(planned(" \t", false), "[]");
	assert_string_equal(planned(" # a", false), "[]");
}

static void every_shell_character_calls_the_shell_unless_marked(void **state)
{
	char line[8], wanted[16];

	(void)state;
	for (const char *c = "~`!$^&*()=|\\{}[];\"'<>?"; *c; c++) {
		(void)snprintf(line, sizeof line, "a %c", *c);
		assert_memory_equal(planned(line, false), "[/bin/sh][-c][", 14);
		(void)snprintf(line, sizeof line, "@a %c", *c);
		(void)snprintf(wanted, sizeof wanted, "[a][%c]", *c);
		assert_string_equal(planned(line, false), wanted);
	}
	for (const char *c = "%+,-./09:@AZ_az"; *c; c++) {
		(void)snprintf(line, sizeof line, "a %c", *c);
		(void)snprintf(wanted, sizeof wanted, "[a][%c]", *c);
		assert_string_equal(planned(line, false), wanted);
	}
}

static void one_simple_command_takes_the_shells_place(void **state)
{
	(void)state;
	assert_string_equal(planned("a >b 2>&1", false), "[/bin/sh][-c][exec a >b 2>&1]");
	assert_string_equal(planned("+a $b", false), "[/bin/sh][-c][exec a $b]");
	assert_string_equal(planned("a && b", false), "[/bin/sh][-c][a && b]");
	assert_string_equal(planned("a; b", false), "[/bin/sh][-c][a; b]");
	assert_string_equal(planned("x=1 a", false), "[/bin/sh][-c][x=1 a]");
	assert_string_equal(planned("exec a >b", false), "[/bin/sh][-c][exec a >b]");
}

static void the_longest_line_reaches_the_shell_whole(void **state)
{
	static char process[TAB_LINE_MAX + 1], wanted[TAB_LINE_MAX + 64];

	(void)state;
	memset(process, 'a', TAB_LINE_MAX);
	memcpy(process, "a $", 3);
	(void)snprintf(wanted, sizeof wanted, "[/bin/sh][-c][exec %s]", process);
	assert_string_equal(planned(process, false), wanted);
}

static void initscript_gets_the_four_fields(void **state)
{
	(void)state;
	assert_string_equal(planned("+@/sbin/getty  -L $x", true),
		"[/bin/sh][/etc/initscript][x1][2345][respawn][/sbin/getty  -L $x]");
	assert_string_equal(planned("", true), "[/bin/sh][/etc/initscript][x1][2345][respawn][]");
}

/* --- executing, in a child --- */

static char dir[64];

static int dir_begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/command_test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int dir_end(void **state)
{
	char command[128];

	(void)state;
	fault_clear();
	(void)snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

/* DIR stands for the directory. */
static void expand(char *out, size_t size, const char *text)
{
	const char *at = strstr(text, "DIR");

	if (at)
		(void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, dir, at + 3);
	else
		(void)snprintf(out, size, "%s", text);
}

static const char *error_name(int err)
{
	return err == -ENOENT ? "ENOENT" : err == -EACCES ? "EACCES" : strerror(-err);
}

/* What a child prints that executes this, or the name of the error. */
static const char *printed(const char *process_text, const char *path_text)
{
	static char out[1024];
	char process[512], path[512], *envp[] = { path, NULL };
	struct command command;
	size_t len = 0;
	ssize_t got;
	int fds[2];
	pid_t pid;

	expand(process, sizeof process, process_text);
	expand(path, sizeof path, path_text);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		command_plan(&command, process, &entry, false);
		dprintf(1, "%s", error_name(command_exec(&command, envp)));
		_exit(1);
	}
	close(fds[1]);
	while ((got = read(fds[0], out + len, sizeof out - 1 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return out;
}

static void a_word_is_looked_for_along_path(void **state)
{
	(void)state;
	put_file("first", "#!/bin/sh\necho first \"$@\"\n", 0755);
	assert_string_equal(printed("first a b", "PATH=/nonexistent:DIR:/bin"), "first a b\n");
	assert_string_equal(printed("first a b", "PATH=DIR"), "first a b\n");
	assert_string_equal(printed("DIR/first a", "PATH=/nonexistent"), "first a\n");
	assert_string_equal(printed("first a b", "PATH=/bin"), "ENOENT");
	assert_string_equal(printed("first", "PATH="), "ENOENT");
}

static void the_environment_is_the_one_given(void **state)
{
	(void)state;
	assert_string_equal(printed("/usr/bin/env", "ONLY=this"), "ONLY=this\n");
	assert_string_equal(printed("env", "ONLY=this"), "ONLY=this\n");
}

static void a_file_that_may_not_be_executed_is_passed_over(void **state)
{
	(void)state;
	put_file("echo", "#!/bin/sh\necho wrong\n", 0644);
	put_file("only", "#!/bin/sh\necho wrong\n", 0644);
	assert_string_equal(printed("echo a", "PATH=DIR:/bin"), "a\n");
	assert_string_equal(printed("only", "PATH=DIR:/bin"), "EACCES");
	assert_string_equal(printed("DIR/only", "PATH=/bin"), "EACCES");
	assert_string_equal(printed("echo a", "PATH=DIR/echo:/bin"), "a\n");
}

static void a_directory_is_no_command(void **state)
{
	(void)state;
	assert_string_equal(printed("DIR", "PATH=/bin"), "EACCES");
	assert_string_equal(printed("/", "PATH=/bin"), "EACCES");
}

static void a_script_without_its_first_line_is_run_by_the_shell(void **state)
{
	(void)state;
	put_file("plain", "echo $0 \"$@\"\n", 0755);
	assert_memory_equal(printed("DIR/plain a b", "PATH=/bin"), dir, strlen(dir));
	assert_non_null(strstr(printed("DIR/plain a b", "PATH=/bin"), "/plain a b\n"));
	assert_non_null(strstr(printed("plain a b", "PATH=/bin:DIR"), "/plain a b\n"));
}

static void marked_with_an_at_no_shell_reads_its_words(void **state)
{
	(void)state;
	put_file("plain", "echo \"$@\"\n", 0755);
	assert_string_equal(printed("@DIR/plain $x `b` ; c", "PATH=/bin"), "$x `b` ; c\n");
	assert_string_equal(
		printed("DIR/plain 2 3 4 5 6 7 8 9 10 11 12 13 14 15", "PATH=/bin"),
		"2 3 4 5 6 7 8 9 10 11 12 13 14\n");
}

static void a_shell_line_is_run(void **state)
{
	(void)state;
	assert_string_equal(printed("echo a; echo b", "PATH=/bin"), "a\nb\n");
	assert_string_equal(printed("/bin/echo $ONLY", "ONLY=this"), "this\n");
}

static void nothing_to_run_is_not_found(void **state)
{
	(void)state;
	assert_string_equal(printed("", "PATH=DIR"), "ENOENT");
	assert_string_equal(printed("# a", "PATH=DIR"), "ENOENT");
}

static int failed_with(const char *process, const char *path, int *calls)
{
	char variable[8192], *envp[] = { variable, NULL };
	struct command command;
	int err;

	(void)snprintf(variable, sizeof variable, "PATH=%s", path);
	command_plan(&command, process, &entry, false);
	err = command_exec(&command, envp);
	*calls = fault_calls();
	return err;
}

static void each_error_of_exec_is_told(void **state)
{
	int calls;

	(void)state;
	fault_name("exec", -ENOENT);
	assert_int_equal(failed_with("a", "/1:/2:/3", &calls), -ENOENT);
	assert_int_equal(calls, 3);
	fault_name("exec", -EACCES);
	assert_int_equal(failed_with("a", "/1:/2:/3", &calls), -EACCES);
	assert_int_equal(calls, 3);
	fault_name("exec", -EIO);
	assert_int_equal(failed_with("a", "/1:/2:/3", &calls), -EIO);
	assert_int_equal(calls, 1);
	fault_name("exec", -ENOEXEC);
	assert_int_equal(failed_with("a", "/1:/2:/3", &calls), -ENOEXEC);
	assert_int_equal(calls, 2);
	fault_name("exec", -ETXTBSY);
	assert_int_equal(failed_with("/1/a", "/1:/2:/3", &calls), -ETXTBSY);
	assert_int_equal(calls, 1);
}

static void a_directory_too_long_for_a_name_is_passed_over(void **state)
{
	char path[5000];
	int calls;

	(void)state;
	memset(path, 'd', sizeof path);
	strcpy(path + sizeof path - 4, ":/2");
	fault_name("exec", -EIO);
	assert_int_equal(failed_with("a", path, &calls), -EIO);
	assert_int_equal(calls, 1);
	fault_clear();
	path[sizeof path - 4] = '\0';
	assert_int_equal(failed_with("a", path, &calls), -ENOENT);
}

int main(void)
{
#define IN_DIR(name) cmocka_unit_test_setup_teardown(name, dir_begin, dir_end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plus_means_no_record),
		cmocka_unit_test(words_are_split_at_blanks),
		cmocka_unit_test(only_the_first_marks_are_marks),
		cmocka_unit_test(a_word_with_a_hash_before_it_ends_the_words),
		cmocka_unit_test(there_are_at_most_14_words),
		cmocka_unit_test(nothing_to_run_is_an_empty_word),
		cmocka_unit_test(every_shell_character_calls_the_shell_unless_marked),
		cmocka_unit_test(one_simple_command_takes_the_shells_place),
		cmocka_unit_test(the_longest_line_reaches_the_shell_whole),
		cmocka_unit_test(initscript_gets_the_four_fields),
		IN_DIR(a_word_is_looked_for_along_path),
		IN_DIR(the_environment_is_the_one_given),
		IN_DIR(a_file_that_may_not_be_executed_is_passed_over),
		IN_DIR(a_directory_is_no_command),
		IN_DIR(a_script_without_its_first_line_is_run_by_the_shell),
		IN_DIR(marked_with_an_at_no_shell_reads_its_words),
		IN_DIR(a_shell_line_is_run),
		IN_DIR(nothing_to_run_is_not_found),
		IN_DIR(each_error_of_exec_is_told),
		IN_DIR(a_directory_too_long_for_a_name_is_passed_over),
	};
#undef IN_DIR

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
