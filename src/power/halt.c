/* SPDX-License-Identifier: GPL-2.0-or-later */
/* halt, poweroff, reboot - end the system. In the levels 0 and 6, or with -f, at once: the record of the shutdown, caches
 * of disks and the call to the kernel, with a time limit on each that could wait; in any other level by shutdown(8).
 * Exit 0: done; 1: an error, told on standard error. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/num.h"
#include "lib/sys.h"
#include "lib/tool.h"
#include "power/disks.h"
#include "power/downcall.h"
#include "power/downrecord.h"
#include "power/nics.h"
#include "power/nowlevel.h"

enum face { FACE_HALT, FACE_POWEROFF, FACE_REBOOT };

struct halt {
	const char *name;
	enum face face;
	bool no_sync, record_only, no_record, force, interfaces, standby, power, kexec;
	const char *text, *stop_s;
};

static enum face face_of(const char *name)
{
	if (!strcmp(name, "reboot"))
		return FACE_REBOOT;
	return !strcmp(name, "poweroff") ? FACE_POWEROFF : FACE_HALT;
}

static void usage(const struct halt *h, FILE *out)
{
	fprintf(out, "usage: %s [-d] [-f] [-h] [-i] [-n] [-w]%s%s\n", h->name, h->face == FACE_HALT ? " [-p]" : "",
		h->face == FACE_REBOOT ? " [-k] [-m <message>]" : "");
	fputs("\t-d: write no record of the shutdown to wtmp\n"
	      "\t-f: at once, without shutdown(8), in whichever runlevel\n"
	      "\t-h: let disks spin down\n"
	      "\t-i: take network interfaces down\n"
	      "\t-n: neither sync nor write a record\n"
	      "\t-w: write the record to wtmp, and do nothing else\n", out);
	if (h->face == FACE_HALT)
		fputs("\t-p: switch the power off\n", out);
	if (h->face == FACE_REBOOT)
		fputs("\t-k: start the kernel that kexec has loaded, if there is one\n"
		      "\t-m: give the firmware a message; implies -f\n", out);
	fputs("\t--help, --version: print this, or the version\n", out);
}

static bool letter_take(struct halt *h, int letter)
{
	switch (letter) {
	case 'n': h->no_sync = h->no_record = true; break;
	case 'w': h->record_only = true; break;
	case 'd': h->no_record = true; break;
	case 'f': h->force = true; break;
	case 'i': h->interfaces = true; break;
	case 'h': h->standby = true; break;
	case 'p': h->power = true; break;
	case 't': h->stop_s = optarg; break;
	case 'k': h->kexec = true; return h->face == FACE_REBOOT;
	case 'm': h->text = optarg; h->force = true; return h->face == FACE_REBOOT;
	default: return false;
	}
	return true;
}

static bool arguments_take(struct halt *h, int argc, char **argv)
{
	int64_t seconds;
	int letter;

	opterr = 0;
	while ((letter = getopt(argc, argv, "ihdfm:npwkt:")) != -1)
		if (!letter_take(h, letter))
			return false;
	return optind == argc && !(h->stop_s && num_parse(h->stop_s, 0, INT32_MAX, &seconds));
}

/* What only matters when we end the system ourselves must not vanish unsaid. */
static void warn_of_lost(const struct halt *h)
{
	const struct { bool given; char letter; } lost[] = { { h->no_sync, 'n' }, { h->no_record && !h->no_sync, 'd' },
		{ h->interfaces, 'i' }, { h->standby, 'h' } };

	for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++)
		if (lost[i].given)
			fprintf(stderr, "%s: -%c is without effect here: shutdown(8) takes the system down\n", h->name,
				lost[i].letter);
}

/* The system is up: in order, please. Returns when there is no shutdown to be executed. */
static int hand_over(const struct halt *h)
{
	static const char *const paths[] = { "/sbin/shutdown", "/bin/shutdown" };
	const char *argv[8] = { "shutdown" };
	int argc = 1, err = 0;

	argv[argc++] = h->face == FACE_REBOOT ? "-r" : "-h";
	if (h->face != FACE_REBOOT)
		argv[argc++] = h->face == FACE_POWEROFF || h->power ? "-P" : "-H";
	if (h->stop_s) {
		argv[argc++] = "-t";
		argv[argc++] = h->stop_s;
	}
	argv[argc] = "now";
	warn_of_lost(h);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		err = sys_exec(paths[i], (char *const *)argv, environ);
	tool_complain(h->name, "shutdown", err);
	return TOOL_ERROR;
}

static bool is_going_down(const struct halt *h, int *level)
{
	*level = nowlevel_find(getenv("INIT_VERSION"), getenv("RUNLEVEL"));
	if (!*level && !h->kexec)
		fprintf(stderr, "WARNING: could not determine runlevel - doing soft %s\n"
			"  (it's better to use shutdown instead of %s from the command line)\n", h->name, h->name);
	return *level == '0' || *level == '6';
}

static int record_write(const struct halt *h)
{
	int err = h->no_record ? 0 : downrecord_append();

	if (err)
		tool_complain(h->name, "wtmp", err);
	return err;
}

static int end_system(const struct halt *h)
{
	struct downcall what = { .kexec = h->kexec, .text = h->text };

	if (h->face == FACE_REBOOT)
		what.act = DOWNCALL_REBOOT;
	else
		what.act = h->face == FACE_POWEROFF || h->power ? DOWNCALL_POWEROFF : DOWNCALL_HALT;
	(void)record_write(h);          /* told; no reason to stay up */
	if (!h->no_sync)
		downcall_sync(h->name);
	if (h->interfaces)
		nics_down(h->name);
	(void)disks_settle(h->name, h->standby);
	return downcall_make(h->name, &what) ? TOOL_ERROR : TOOL_OK;
}

int main(int argc, char **argv)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct halt h = { .name = tool_name(argv, "halt") };
	int err, level;

	h.face = face_of(h.name);
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return tool_version(h.name);
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(&h, stdout);
		return tool_finish(h.name, stdout, TOOL_OK);
	}
	if (!argc || !arguments_take(&h, argc, argv)) {
		usage(&h, stderr);
		return TOOL_ERROR;
	}
	if (sys_geteuid()) {
		fprintf(stderr, "%s: must be superuser.\n", h.name);
		return TOOL_ERROR;
	}
	sys_sigaction(SIGCHLD, &usual);
	if (h.record_only)
		return record_write(&h) ? TOOL_ERROR : TOOL_OK;
	err = sys_chdir("/");
	if (err) {
		tool_complain(h.name, "/", err);
		return TOOL_ERROR;
	}
	if (h.force)
		return end_system(&h);
	if (is_going_down(&h, &level) && (level == '6' || !h.kexec))
		return end_system(&h);
	if (h.kexec) {
		fprintf(stderr, "ERROR: using -k at this runlevel requires also -f\n"
			"  (only the scripts of level 6 may start another kernel; shutdown(8) cannot pass this on:\n"
			"  load the kernel and use shutdown -r, or %s -k -f)\n", h.name);
		return TOOL_ERROR;
	}
	return hand_over(&h);
}
