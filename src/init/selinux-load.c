/* SPDX-License-Identifier: GPL-2.0-or-later */
/* selinux-load - loads the machine's SELinux policy at boot, for process 1, which links no library for it. It looks first at what
 * would be loaded, so that what is wrong is said precisely. Exit statuses: init/policy_exit.h. */
#include <selinux/selinux.h>
#include <sepol/policydb.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/apart.h"
#include "init/policy_check.h"
#include "init/policy_exit.h"
#include "init/policy_file.h"
#include "init/policy_kernel.h"
#include "init/policy_place.h"
#include "init/policy_wish.h"
#include "lib/sys.h"
#include "lib/tool.h"

enum { LIST_BYTES = 2048 };

static const char name[] = "selinux-load";
static const char usage[] = "Usage: selinux-load --load | --check [FILE]\n";

static void say(const char *object, const char *text)
{
	fprintf(stderr, "%s: %s: %s\n", name, object, text);
}

static enum policy_wish read_wish(void)
{
	int setting;

	if (selinux_getenforcemode(&setting))
		setting = SETTING_NONE;
	return policy_wish_read((enum policy_setting)setting);
}

/* Reads and checks the one file. 0 or a negative errno, and it is said why. */
static int check_file(struct policy_file *file, const struct policy_versions *versions)
{
	char why[POLICY_WHY_MAX];
	int err = policy_read(file, why);

	if (!err) {
		err = policy_head(file, versions, why);
		if (!err)
			err = policy_check(file, versions, &policy_check_limits, why);
		policy_drop(file);
	}
	if (err)
		say(file->path, why);
	return err;
}

static int say_none(const char *base, const struct policy_versions *versions, int err)
{
	char list[LIST_BYTES], text[LIST_BYTES + 128];

	policy_list(base, list, sizeof list);
	(void)snprintf(text, sizeof text, "no policy of a version from %d to %d (%s); there is %s", versions->library_min,
		policy_first(versions), strerror(-err), list);
	say(base, text);
	return err;
}

/* The files in the order in which libselinux takes them: one that cannot be made older is passed over. */
static int check_what_will_be_loaded(const struct policy_versions *versions)
{
	const char *base = selinux_binary_policy_path();
	struct policy_file file;
	int from = policy_first(versions), err;

	for (;;) {
		err = policy_find(base, versions, from, &file);
		if (err)
			return say_none(base, versions, err);
		err = check_file(&file, versions);
		if (err != -ENOTSUP)
			return err;
		from = file.named - 1;
	}
}

static struct policy_versions library_versions(int kernel_max)
{
	return (struct policy_versions){ kernel_max, sepol_policy_kern_vers_min(), sepol_policy_kern_vers_max() };
}

static int load_in_child(const void *unused)
{
	int enforce = 0;

	(void)unused;
	if (!selinux_init_load_policy(&enforce))
		return POLICY_EXIT_LOADED;
	return enforce > 0 ? POLICY_EXIT_REFUSED : POLICY_EXIT_FAILED;
}

static void say_for_kernel(void *unused, const char *line)
{
	(void)unused;
	say("kernel", line);
}

/* What libselinux says goes where we speak, too. */
static int load(void)
{
	static const struct apart_limits none = { RLIM_INFINITY, RLIM_INFINITY };
	int kernel_fd = policy_kernel_listen(), end = apart_run(load_in_child, NULL, &none, NULL, 0);

	if (end != POLICY_EXIT_LOADED && kernel_fd >= 0)
		policy_kernel_said(kernel_fd, say_for_kernel, NULL);
	if (kernel_fd >= 0)
		sys_close(kernel_fd);
	if (end > APART_KILLED)
		say("loading the policy", strsignal(end - APART_KILLED));
	else if (end < 0)
		say("loading the policy", strerror(-end));
	return end < 0 || end > APART_KILLED ? POLICY_EXIT_FAILED : end;
}

static int check_and_load(const struct policy_place *place, int place_err)
{
	enum policy_wish wish = read_wish();
	int version = place_err ? place_err : policy_place_version(), status = POLICY_EXIT_FAILED;
	struct policy_versions versions = library_versions(version);

	policy_place_leave_selinux(place);
	if (wish == POLICY_DISABLED) {
		(void)load();                        /* a kernel that can is told so */
		return POLICY_EXIT_NOTHING;
	}
	if (version < 0)
		say(place_err ? SELINUX_PLACE : SELINUX_PLACE "/policyvers", strerror(-version));
	else if (!check_what_will_be_loaded(&versions))
		status = load();
	return status == POLICY_EXIT_FAILED && wish == POLICY_ENFORCING ? POLICY_EXIT_REFUSED : status;
}

static int boot(void)
{
	struct policy_place place;
	int err = policy_place_enter(&place), status = POLICY_EXIT_NOTHING;

	if (err != -ENODEV && !policy_place_is_loaded())
		status = check_and_load(&place, err);
	policy_place_leave(&place, status == POLICY_EXIT_LOADED);
	return status;
}

/* --check: for a person, on a machine that runs. */
static int check(const char *path)
{
	int kernel_max = policy_place_version();
	struct policy_versions versions = library_versions(kernel_max);
	struct policy_file file = { .named = 0 };

	if (kernel_max < 0)
		versions.kernel_max = versions.library_max;
	if (!path)
		return check_what_will_be_loaded(&versions) ? TOOL_ERROR : TOOL_OK;
	if (strlen(path) >= sizeof file.path) {
		tool_complain(name, path, -ENAMETOOLONG);
		return TOOL_ERROR;
	}
	strcpy(file.path, path);
	return check_file(&file, &versions) ? TOOL_ERROR : TOOL_OK;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return tool_finish(name, stdout, TOOL_OK);
	}
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return tool_version(name);
	if ((argc == 2 || argc == 3) && !strcmp(argv[1], "--check"))
		return check(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "--load"))
		return boot();
	fputs(usage, stderr);
	return POLICY_EXIT_USAGE;
}
