/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/killing.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "include/paths.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "process/complain.h"
#include "process/hunt.h"
#include "process/omit.h"

enum { SIGNAL_MAX = 31 };

static const char usage[] = "usage: killall5 -signum [-o omitpid] [-o omitpid] ...";

/* A list that is attached to its option must look like one: "-omit" is a mistake, and killing is no answer to it. */
static const char *list_of(char *const **at)
{
	const char *attached = **at + strlen("-o");

	if (!*attached)
		return *++*at;
	return strspn(attached, "0123456789,;:") == strlen(attached) ? attached : NULL;
}

static int take_signal(struct killing *killing, const char *word, bool *is_given)
{
	int64_t signal;

	if (num_parse(word + (*word == '-'), 1, SIGNAL_MAX, &signal) || !strchr("123456789", word[*word == '-']))
		return -EINVAL;
	if (*is_given && killing->signal != (int)signal)
		return -EINVAL;
	killing->signal = (int)signal;
	*is_given = true;
	return 0;
}

static int parse_words(struct killing *killing, const char *name, char *const *at)
{
	bool is_given = false;

	for (; *at; at++) {
		const char *list;

		if (strncmp(*at, "-o", 2)) {
			if (take_signal(killing, *at, &is_given))
				return -EINVAL;
			continue;
		}
		list = list_of(&at);
		if (!list)
			return -EINVAL;
		omit_add(&killing->omitted, list, 0, complain_of_piece, (void *)(uintptr_t)name);
	}
	return 0;
}

int killing_parse(struct killing *killing, const char *name, char *const argv[])
{
	char *const *first = argv[0] ? argv + 1 : argv;
	int err;

	*killing = (struct killing){ .wish = KILLING_SIGNAL, .signal = SIGKILL };
	err = pidset_begin(&killing->omitted);
	if (err)
		return err;
	if (*first && !strcmp(*first, "--help"))
		killing->wish = KILLING_HELP;
	else if (*first && !strcmp(*first, "--version"))
		killing->wish = KILLING_VERSION;
	else
		err = parse_words(killing, name, first);
	if (err)
		killing_drop(killing);
	return err;
}

void killing_drop(struct killing *killing)
{
	pidset_end(&killing->omitted);
}

/* /proc as it should be mounted; tried when it is not. It stays. */
static int begin(struct hunt *hunt, const struct killing *killing)
{
	int err = hunt_begin(hunt, PROC_PATH, killing->signal, &killing->omitted);

	if (err != -ENOENT)
		return err;
	return sys_mount("proc", PROC_PATH, "proc", 0, NULL) ? err : hunt_begin(hunt, PROC_PATH, killing->signal, &killing->omitted);
}

static int signal_everybody(const char *name, const struct killing *killing)
{
	struct hunt hunt;
	sigset_t all;
	int count, err;

	sigfillset(&all);
	(void)sys_sigmask(SIG_BLOCK, &all, NULL);       /* nothing but SIGKILL comes between stopping and going on */
	err = begin(&hunt, killing);
	if (err) {
		complain(name, err == -ENOENT ? "/proc not mounted, failed to mount." : "/proc unavailable.");
		return KILLING_ERROR;
	}
	count = hunt_run(&hunt);
	hunt_end(&hunt);
	if (count < 0) {
		complain(name, "/proc cannot be read to its end");
		return KILLING_ERROR;
	}
	return count ? KILLING_OK : KILLING_NOBODY;
}

int killing_main(const char *name, char *const argv[])
{
	struct killing killing;
	int status, err = killing_parse(&killing, name, argv);

	if (err) {
		complain(name, err == -EINVAL ? usage : "out of memory");
		return KILLING_ERROR;
	}
	if (killing.wish == KILLING_VERSION) {
		status = tool_version(name);
	} else if (killing.wish == KILLING_HELP) {
		puts(usage);
		status = tool_finish(name, stdout, KILLING_OK);
	} else {
		status = signal_everybody(name, &killing);
	}
	killing_drop(&killing);
	return status;
}
