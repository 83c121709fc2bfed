/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/simple.h"

static void assert_all(const char *const *lines, size_t count, bool simple)
{
	for (size_t i = 0; i < count; i++)
		if (simple_is_command(lines[i]) != simple)
			fail_msg("%s: %s", lines[i], simple ? "is one" : "is none");
}

#define ASSERT_ALL(simple, ...)                                                                    \
	do {                                                                                       \
		static const char *const lines_[] = { __VA_ARGS__ };                               \
		assert_all(lines_, sizeof lines_ / sizeof lines_[0], simple);                      \
	} while (0)

static void a_command_with_arguments_is_one(void **state)
{
	(void)state;
	ASSERT_ALL(true, "/sbin/getty", "/sbin/getty -L ttyS0 115200 vt100", "  a  b  ", "\ta\tb",
		"getty", "a-b", "./a", "~/a", "a*", "[a", "2", "2 a", "a 2", "a {}", "a {b,c}",
		"a !",
		"a if", "a cd", "a exec", "a [ b ]", "a ~", "a b^c", "a -x=y", "a x=y", "/a=b",
		"3a=b");
}

static void quotes_and_escapes_are_taken_as_the_shell_takes_them(void **state)
{
	(void)state;
	ASSERT_ALL(true, "a 'b; c'", "a \"b; c\"", "a b\\;c", "a '\"' ';'", "a \"'\" \";\"",
		"a \"\\\"; b\"", "a '\\'", "\"a b\" c", "'a' b", "a\\ b c", "a '' \"\"",
		"a \"$b; c\"",
		"a '#'", "a b#c", "a \\# b", "a \"`b; c`\"", "a \"$(b \"c; d\")\"",
		"a \"`b \"c; d\"`\"", "a `` b");
}

static void what_a_substitution_holds_does_not_count(void **state)
{
	(void)state;
	ASSERT_ALL(true, "a $b", "$a b", "a ${b}", "a ${b:-c d}", "a ${b:-;}", "a $(b; c | d)",
		"a $(b $(c; d))", "a `b; c`", "a `b \\`c; d\\``", "a $((1 + 2))", "a $((1 << 2))",
		"a $$ $? $! $# $*", "a $(b ')' c)", "a ${b:-'}'}", "a $", "`a` b", "$(a; b) c",
		"a ${b:-$(c;d)}", "a$(b)c", "a $(b > c)", "a \"${b:-c d}\" e",
		"a \"${b:-$(c 'd' \"e\")}\"", "a \"${b:-${c:-d}}\"");
}

static void redirections_belong_to_a_command(void **state)
{
	(void)state;
	ASSERT_ALL(true, "a >b", "a > b", "a>b", "a >>b 2>&1", "a 2>/dev/null </dev/null", "a >|b",
		"a <>b", "a 2>&-", "a <&3", "a >&2", ">b a", "2>b a c", "> b 2>&1 a", "a >b c",
		"a > 'b c' d", "a >$b", "a >`b`", "a 22>b", "a b2>c");
}

static void a_comment_ends_the_line(void **state)
{
	(void)state;
	ASSERT_ALL(true, "a # b; c", "a >b #; c", "a b #'");
	ASSERT_ALL(false, "# a", "  # a", ">b # a");
}

static void lists_pipes_and_groups_are_none(void **state)
{
	(void)state;
	ASSERT_ALL(false, "a; b", "a ;", "a;", "a;b", ";a", "a && b", "a&&b", "a || b", "a | b",
		"a|b",
		"a |& b", "a &", "a& b", "a &>b", "a >b & c", "(a)", "(a; b)", "a (b)",
		"a() { b; }",
		"{ a; }", "{ a", "! a", "a 2>&1 | b", "a $(b) | c", "a 'b' ; c", "a \"b\" && c",
		"a \\\\; b", "a `b`; c", "a ``; b", "a ${b}; c", "a\nb");
}

static void redirections_alone_and_nothing_are_none(void **state)
{
	(void)state;
	ASSERT_ALL(false, "", "   ", ">a", "2>a", ">a 2>&1", "<a", "> a <b");
}

static void leading_assignments_are_none(void **state)
{
	(void)state;
	ASSERT_ALL(false, "a=b", "a=b c", "_a=b c", "A1_=b c >d", "a= c", "a='b c' d", "a=$(b) c",
		"a+=b c", "a[1]=b c", ">x a=b c");
}

static void words_of_the_shell_itself_are_none(void **state)
{
	(void)state;
	ASSERT_ALL(false, "exec a", "exec a >b", "cd /", "cd / >a", ". /etc/profile", ": >a",
		"ulimit -n 5", "umask 022", "trap '' 1", "export A=b", "eval \"a b\"", "exit 3",
		"set -e",
		"if a", "while a", "until a", "for a in b", "case a in b", "time a", "echo a >b",
		"printf x", "test -e a", "[ -e a ]", "kill -1 $$", "true", "false", "command a >b",
		"wait", "read a <b", "[[ a ]]", "function a", "source a", "'cd' /", "\"exec\" a",
		"\\cd /", "c\\d /", "c'd' /", "e\"x\"ec a", ">b cd /", "2>&1 exec a", "-a >b", "-",
		"{a}>b c", "%1 >a", "'%'1 >a");
}

static void what_is_not_understood_is_none(void **state)
{
	(void)state;
	ASSERT_ALL(false, "a 'b", "a \"b", "a `b", "a $(b", "a ${b", "a \\", "a \"$(b\"",
		"a $'b\\'c'",
		"a <<b", "a <<-b", "a <<<b", "a >", "a >;", "a <", "a > >b", "a <(b)", "a >(b)",
		"a 2>", "a >&", "a )", "a $(b))", "a $(case b in b) c;; esac)");
	/* Whether a quote within "${}" quotes is each shell's own affair. */
	ASSERT_ALL(false, "a \"${b:-'}\" ; c \"'}\"", "a \"${b:-\"}\" ; c \"}\"",
		"a \"${b:-${c:-'}}\" ; d \"'}}\"");
}

static void nesting_without_end_is_given_up(void **state)
{
	char line[4096] = "a ";

	(void)state;
	for (int i = 0; i < 1000; i++)
		strcat(line, "$(");
	for (int i = 0; i < 1000; i++)
		strcat(line, ")");
	assert_false(simple_is_command(line));
	memset(line + 2, '(', sizeof line - 3);
	assert_false(simple_is_command(line));
	strcpy(line, "a $(b $(c $(d)))");
	assert_true(simple_is_command(line));
}

static void any_byte_may_stand_anywhere(void **state)
{
	char line[] = "a x b";

	(void)state;
	for (int c = 1; c < 256; c++) {
		line[2] = (char)c;
		(void)simple_is_command(line);
		(void)simple_is_command(line + 2);
	}
	line[2] = (char)0xe9;
	assert_true(simple_is_command(line));
	assert_true(simple_is_command(line + 2));
}

/* --- the shell as the judge --- */

/* What "sh -c PREFIX LINE" prints, with its exit status at the end. */
static void run(const char *prefix, const char *line, char *out, size_t size)
{
	char command[512];
	size_t len = 0;
	ssize_t got;
	int fds[2], status;
	pid_t pid;

	(void)snprintf(command, sizeof command, "%s%s", prefix, line);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(126);
	}
	close(fds[1]);
	while ((got = read(fds[0], out + len, size - len - 16)) > 0)
		len += (size_t)got;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)snprintf(out + len, size - len, "=%d", WEXITSTATUS(status));
}

static void exec_changes_nothing_that_a_simple_command_does(void **state)
{
	static const char *const lines[] = {
		"/bin/echo a b", "/bin/echo 'a; b'  \"c  d\"", "/bin/echo a\\;b",
		"/bin/echo $HOME; ",
		"/bin/echo `/bin/echo x; /bin/echo y` $(/bin/echo 'z)')",
		"/bin/echo $((1 + 2)) ${A:-b c}",
		"/bin/echo a 2>&1 # b; c", ">/dev/null /bin/echo a", "/bin/echo a >/dev/null 2>&1",
		"/bin/ls /nonexistent 2>/dev/null", "/bin/sh -c 'exit 7' <&-",
		"'/bin/echo' \"'\" '\"'",
		"/bin/echo \"$(/bin/echo \"a; b\")\" '#' a#b", "nonexistent-command 2>/dev/null",
		"/bin/echo [a-b]* ? ~root !", "/bin/echo {a,b} =x -y=z 2",
		"/bin/cat </dev/null >&2",
		"$EMPTY /bin/echo x", "\"/bin/echo\" x >|/dev/null", "/bin/ec\"h\"o x 2>&-",
	};
	int simple = 0;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char plain[1024], with_exec[1024];

		if (!simple_is_command(lines[i]))
			continue;
		simple++;
		run("", lines[i], plain, sizeof plain);
		run("exec ", lines[i], with_exec, sizeof with_exec);
		if (strcmp(plain, with_exec))
			fail_msg("%s: \"%s\", with exec \"%s\"", lines[i], plain, with_exec);
	}
	assert_int_equal(simple, sizeof lines / sizeof lines[0] - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_with_arguments_is_one),
		cmocka_unit_test(quotes_and_escapes_are_taken_as_the_shell_takes_them),
		cmocka_unit_test(what_a_substitution_holds_does_not_count),
		cmocka_unit_test(redirections_belong_to_a_command),
		cmocka_unit_test(a_comment_ends_the_line),
		cmocka_unit_test(lists_pipes_and_groups_are_none),
		cmocka_unit_test(redirections_alone_and_nothing_are_none),
		cmocka_unit_test(leading_assignments_are_none),
		cmocka_unit_test(words_of_the_shell_itself_are_none),
		cmocka_unit_test(what_is_not_understood_is_none),
		cmocka_unit_test(nesting_without_end_is_given_up),
		cmocka_unit_test(any_byte_may_stand_anywhere),
		cmocka_unit_test(exec_changes_nothing_that_a_simple_command_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
