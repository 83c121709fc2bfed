/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/telinit.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "include/initreq.h"
#include "include/paths.h"
#include "lib/initctl.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/text.h"

#define LEVELS "0123456789SsQqAaBbCcUu"

enum { DEFAULT_STOP_S = 3 };

struct telinit {
	const char *name;
	struct init_request request;
	int stop_s;
	bool has_stop_time, has_vars;
	const char *level;
	size_t data_used;
};

__attribute__((format(printf, 1, 2)))
static void tell(const char *format, ...)
{
	char text[1024];
	va_list args;
	size_t len;

	va_start(args, format);
	if (vsnprintf(text, sizeof text - 1, format, args) < 0)
		text[0] = '\0';
	va_end(args);
	len = strlen(text);
	text[len] = '\n';
	/* Should nobody listen, the exit status says it too. */
	(void)!io_write_all(2, text, len + 1);
}

static int usage(const struct telinit *t)
{
	tell("Usage: %s {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}",
		t->name);
	return 1;
}

static int too_large(const struct telinit *t)
{
	tell("%s: -e option data too large", t->name);
	return 1;
}

static int var_add(struct telinit *t, const char *var)
{
	size_t bytes = strlen(var) + 1;

	if (!*var)
		return usage(t);
	/* One more NUL ends the list. */
	if (bytes + 1 > sizeof t->request.i.data - t->data_used)
		return too_large(t);
	if (strncmp(var, "INIT_", 5))
		tell("%s: -e %s: init takes only names that begin with INIT_", t->name, var);
	memcpy(t->request.i.data + t->data_used, var, bytes);
	t->data_used += bytes;
	t->has_vars = true;
	return 0;
}

static int stop_time_set(struct telinit *t, const char *text)
{
	int64_t seconds;

	if (num_parse(text, 0, INT_MAX, &seconds)) {
		tell("%s: -t %s: not a number of seconds", t->name, text);
		return usage(t);
	}
	t->stop_s = (int)seconds;
	t->has_stop_time = true;
	return 0;
}

/* At argv[*at]: an option whose value is the rest of the word or the next one. */
static int option_take(struct telinit *t, char **argv, int *at)
{
	char letter = argv[*at][1];
	const char *value = argv[*at] + 2;

	if (letter != 't' && letter != 'e')
		return usage(t);
	if (!*value)
		value = argv[++*at];
	if (!value)
		return usage(t);
	return letter == 't' ? stop_time_set(t, value) : var_add(t, value);
}

static int level_take(struct telinit *t, const char *word)
{
	if (t->level || strlen(word) != 1 || !strchr(LEVELS, *word))
		return usage(t);
	t->level = word;
	return 0;
}

static int arguments_take(struct telinit *t, int argc, char **argv)
{
	bool options_end = false;

	for (int at = 1; at < argc; at++) {
		bool is_option = !options_end && argv[at][0] == '-';
		int status = 0;

		if (is_option && !strcmp(argv[at], "--"))
			options_end = true;
		else if (is_option)
			status = option_take(t, argv, &at);
		else
			status = level_take(t, argv[at]);
		if (status)
			return status;
	}
	if (t->has_vars ? t->level || t->has_stop_time : !t->level)
		return usage(t);
	if (t->has_vars) {
		t->request.cmd = INIT_CMD_SETENV;
	} else {
		t->request.cmd = INIT_CMD_RUNLVL;
		t->request.runlevel = (unsigned char)*t->level;
		t->request.sleeptime = t->stop_s;
	}
	return 0;
}

/* Who listens in place of an init of our kind: a hint, no more, for any program may be called so. */
static void tell_who_is_init(const char *name, const char *path)
{
	char text[64], shown[TEXT_GROWTH * sizeof text];
	ssize_t len = io_read_file(path, text, sizeof text);

	if (len <= 0)
		return;
	len -= text[len - 1] == '\n';
	if (len == 4 && !memcmp(text, "init", 4))
		return;
	tell("%s: process 1 is \"%.*s\", not this init", name, (int)text_make_harmless(text, (size_t)len, shown, sizeof shown),
		shown);
}

int telinit_run(const char *name, int argc, char **argv, const struct initctl_channel *channel, const char *init_name)
{
	struct telinit t = {
		.name = name,
		.request = { .magic = INIT_MAGIC },
		.stop_s = DEFAULT_STOP_S,
	};
	int err, status = arguments_take(&t, argc, argv);

	if (status)
		return status;
	err = initctl_send(channel, &t.request, 1);
	if (err) {
		initctl_complain(name, channel, err);
		tell_who_is_init(name, init_name);
	}
	return err ? 1 : 0;
}

int telinit_main(const char *name, int argc, char **argv)
{
	const struct initctl_channel channel = { INIT_FIFO, INITCTL_WAIT_MS };

	return telinit_run(name, argc, argv, &channel, INIT_NAME_PATH);
}
