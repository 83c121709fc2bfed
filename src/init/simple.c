/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/simple.h"

#include <ctype.h>
#include <string.h>

enum { WORD_BYTES = 16, NESTING_MAX = 16 };

/* Words that a shell takes for itself (POSIX, bash, dash, busybox): "exec" would look for a file
 * of that name. */
static const char *const not_files[] = {
	"!", "{", "}", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi",
	"for",
	"function", "if", "in", "select", "then", "time", "until", "while",
	".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "chdir",
	"command",
	"compgen", "complete", "compopt", "continue", "declare", "dirs", "disown", "echo", "enable",
	"eval", "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history",
	"jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd",
	"read",
	"readarray", "readonly", "return", "set", "shift", "shopt", "source", "suspend", "test",
	"times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
};

/* Each skip_ function takes the text behind an opening character and returns what stands behind
 * the closing one, or NULL: never closed, or nested deeper than we follow. */
static const char *skip_dollar(const char *at, int depth, bool in_double);

static const char *skip_single(const char *at)
{
	const char *end = strchr(at, '\'');

	return end ? end + 1 : NULL;
}

static const char *skip_backticks(const char *at)
{
	for (; *at && *at != '`'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : NULL;
}

static const char *skip_double(const char *at, int depth)
{
	while (at && *at && *at != '"') {
		if (*at == '\\' && at[1])
			at += 2;
		else if (*at == '`')
			at = skip_backticks(at + 1);
		else if (*at == '$')
			at = skip_dollar(at + 1, depth, true);
		else
			at++;
	}
	return at && *at ? at + 1 : NULL;
}

/* A quoted or escaped piece, or one plain character. */
static const char *skip_piece(const char *at, int depth)
{
	switch (*at) {
	case '\\':
		return at[1] ? at + 2 : NULL;
	case '\'':
		return skip_single(at + 1);
	case '"':
		return skip_double(at + 1, depth);
	case '`':
		return skip_backticks(at + 1);
	case '$':
		return skip_dollar(at + 1, depth, false);
	default:
		return at + 1;
	}
}

/* Behind $( is a line of its own. A bracket that is closed too early here is seen once more
 * outside, where it makes the line no simple command. */
static const char *skip_command(const char *at, int depth)
{
	int level = 1;

	while (at && *at) {
		level += *at == '(';
		level -= *at == ')';
		if (!level)
			return at + 1;
		at = skip_piece(at, depth);
	}
	return NULL;
}

static const char *skip_parameter(const char *at, int depth, bool in_double)
{
	while (at && *at && *at != '}') {
		/* Shells differ on what a quote means within "${}". */
		if (in_double && (*at == '\'' || *at == '"'))
			return NULL;
		if (in_double && *at == '$')
			at = skip_dollar(at + 1, depth, true);
		else
			at = skip_piece(at, depth);
	}
	return at && *at ? at + 1 : NULL;
}

static const char *skip_dollar(const char *at, int depth, bool in_double)
{
	if (depth >= NESTING_MAX || *at == '\'')
		return NULL;
	if (*at == '(')
		return skip_command(at + 1, depth + 1);
	if (*at == '{')
		return skip_parameter(at + 1, depth + 1, in_double);
	return at;
}

static bool is_word_end(char c)
{
	return !c || strchr(" \t\n;&|()<>", c);
}

struct word {
	const char *end;                /* NULL: not understood */
	bool is_number;                 /* digits only: a descriptor if < or > follows */
	bool is_assignment;             /* begins as a name and holds an = that is not quoted */
	char text[WORD_BYTES];          /* without quotes, cut */
};

static void text_add(struct word *word, size_t *len, const char *from, size_t bytes)
{
	for (; bytes && *len < sizeof word->text - 1; bytes--)
		word->text[(*len)++] = *from++;
	word->text[*len] = '\0';
}

static struct word word_take(const char *at)
{
	struct word word = { .is_number = true };
	bool is_name = isalpha((unsigned char)*at) || *at == '_';
	size_t len = 0;

	while (at && !is_word_end(*at)) {
		const char *next = skip_piece(at, 0);
		bool is_plain = next == at + 1;

		word.is_number &= isdigit((unsigned char)*at) != 0;
		word.is_assignment |= is_name && *at == '=';
		if (!next)
			return word;
		if (is_plain || *at == '$' || *at == '`')
			text_add(&word, &len, at, (size_t)(next - at));
		else if (*at == '\\')
			text_add(&word, &len, at + 1, 1);
		else
			text_add(&word, &len, at + 1, (size_t)(next - at) - 2);
		at = next;
	}
	word.end = at;
	return word;
}

/* The operator at < or >, without here-documents and bash's process substitution; what follows
 * is its target. */
static const char *skip_operator(const char *at)
{
	char first = *at++;

	if (*at == '&' || (*at == '>') || (first == '>' && *at == '|'))
		at++;
	else if (*at == '<')
		return NULL;
	return at;
}

static const char *skip_redirection(const char *at)
{
	struct word target;

	at = skip_operator(at);
	if (!at)
		return NULL;
	at += strspn(at, " \t");
	target = word_take(at);
	return target.end == at ? NULL : target.end;
}

static bool can_exec(const struct word *word)
{
	/* An option of exec; {fd}>file and %job of bash. */
	if (word->is_assignment || (*word->text && strchr("-{%", *word->text)))
		return false;
	for (size_t i = 0; i < sizeof not_files / sizeof not_files[0]; i++)
		if (!strcmp(word->text, not_files[i]))
			return false;
	return true;
}

bool simple_is_command(const char *line)
{
	const char *at = line;
	bool has_command = false;

	while (at) {
		struct word word;

		at += strspn(at, " \t");
		if (!*at || *at == '#')
			return has_command;
		if (*at == '<' || *at == '>') {
			at = skip_redirection(at);
			continue;
		}
		word = word_take(at);
		if (!word.end || word.end == at)
			return false;
		at = word.end;
		if (word.is_number && (*at == '<' || *at == '>'))
			continue;
		if (!has_command && !can_exec(&word))
			return false;
		has_command = true;
	}
	return false;
}
