/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/pidof.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "include/paths.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "process/complain.h"
#include "process/omit.h"

static const char help[] =
	"pidof usage: [options] <program-name>\n"
	"\n"
	" -c           Return PIDs with the same root directory\n"
	" -d <sep>     Use the provided character as output separator\n"
	" -h           Display this help text\n"
	" -n           Avoid using stat system function on network shares\n"
	" -o <pid>     Omit results with a given PID\n"
	" -q           Quiet mode. Do not display output\n"
	" -s           Only return one PID\n"
	" -x           Return PIDs of shells running scripts with a matching name\n"
	" -z           List zombie and I/O waiting processes. May cause pidof to hang.\n"
	"\n";

enum { LONG_VERSION = 256 };

/* The first character: the bytes of a UTF-8 sequence stay together. */
static int take_separator(struct pidof *pidof, const char *text)
{
	size_t len = *text != '\0';

	while (len && len < PIDOF_SEPARATOR_SIZE - 1 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	memcpy(pidof->separator, text, len);
	pidof->separator[len] = '\0';
	return len ? 0 : -EINVAL;
}

static int take_option(struct pidof *pidof, const char *name, int option)
{
	switch (option) {
	case 'c':
		pidof->same_root = true;
		return 0;
	case 'd':
		return take_separator(pidof, optarg);
	case 'h':
		pidof->wish = PIDOF_HELP;
		return 0;
	case LONG_VERSION:
		pidof->wish = PIDOF_VERSION;
		return 0;
	case 'n':
		pidof->avoid_network = true;
		return 0;
	case 'o':
		omit_add(&pidof->omitted, optarg, sys_getppid(), complain_of_piece, (void *)(uintptr_t)name);
		return 0;
	case 'q':
		pidof->is_quiet = true;
		return 0;
	case 's':
		pidof->is_single = true;
		return 0;
	case 'x':
		pidof->with_scripts = true;
		return 0;
	case 'z':
		pidof->with_zombies = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int pidof_parse(struct pidof *pidof, const char *name, int argc, char *argv[], const char *netfs)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, LONG_VERSION }, { 0 } };
	int option, err;

	*pidof = (struct pidof){ .wish = PIDOF_LOOK, .separator = " ", .avoid_network = netfs && strcmp(netfs, "no") };
	err = pidset_begin(&pidof->omitted);
	if (err)
		return err;
	optind = 0;                     /* from the start, whatever was parsed before */
	opterr = 0;
	while (!err && pidof->wish == PIDOF_LOOK && (option = getopt_long(argc, argv, "hcd:no:qsxz", longs, NULL)) >= 0)
		err = take_option(pidof, name, option);
	if (err) {
		pidof_drop(pidof);
		return err;
	}
	pidof->programs = argv + optind;
	pidof->count = argc > optind ? (size_t)(argc - optind) : 0;
	return 0;
}

void pidof_drop(struct pidof *pidof)
{
	pidset_end(&pidof->omitted);
}

static size_t print_list(const struct pidof *pidof, const struct scout_list *list, size_t before, FILE *out)
{
	size_t printed = 0;

	for (size_t i = list->count; i-- > 0;) {
		if (pidset_has(&pidof->omitted, list->pid[i]))
			continue;
		if (!pidof->is_quiet)
			fprintf(out, "%s%d", before + printed ? pidof->separator : "", list->pid[i]);
		printed++;
		if (pidof->is_single)
			break;
	}
	return printed;
}

size_t pidof_print(const struct pidof *pidof, const struct scout_list *found, FILE *out)
{
	size_t printed = 0;

	for (size_t i = 0; i < pidof->count; i++)
		printed += print_list(pidof, &found[i], printed, out);
	if (printed && !pidof->is_quiet)
		fputc('\n', out);
	return printed;
}

static int look(const char *name, const struct pidof *pidof, int proc)
{
	struct match_rules rules = { .with_scripts = pidof->with_scripts, .with_zombies = pidof->with_zombies,
		.same_root = pidof->same_root && sys_geteuid() == 0 };
	struct scout scout;
	int err, status = PIDOF_NONE;

	home_find(&rules.home, proc);
	if (rules.same_root && !rules.home.has_root) {
		char text[64];

		(void)snprintf(text, sizeof text, "stat failed for /proc/%d/root!", sys_getpid());
		complain(name, text);
		return PIDOF_NONE;
	}
	err = scout_begin(&scout, proc, &rules, pidof->programs, pidof->count);
	scout.avoid_network = pidof->avoid_network;
	scout.mounts = MOUNTINFO_PATH;
	if (!err)
		err = scout_run(&scout);
	if (err)
		complain(name, err == -ENOMEM ? "out of memory" : strerror(-err));
	else if (pidof_print(pidof, scout.found, stdout))
		status = PIDOF_FOUND;
	scout_drop(&scout);
	return status;
}

static int serve(const char *name, const struct pidof *pidof)
{
	int status = PIDOF_NONE, proc;

	if (pidof->wish == PIDOF_VERSION)
		return tool_version(name);
	if (pidof->wish == PIDOF_HELP) {
		fputs(help, stdout);
		return tool_finish(name, stdout, PIDOF_FOUND);
	}
	if (!pidof->count || procfs_open(PROC_PATH, &proc))
		return PIDOF_NONE;
	status = look(name, pidof, proc);
	(void)sys_close(proc);
	return tool_finish(name, stdout, status);
}

int pidof_main(const char *name, int argc, char *argv[])
{
	struct pidof pidof;
	int status, err = pidof_parse(&pidof, name, argc, argv, getenv("PIDOF_NETFS"));

	if (err) {
		complain(name, err == -EINVAL ? "invalid options on command line!" : "out of memory");
		return PIDOF_NONE;
	}
	status = serve(name, &pidof);
	pidof_drop(&pidof);
	return status;
}
