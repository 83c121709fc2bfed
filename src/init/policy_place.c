/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_place.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/sys.h"

#define SYS_PATH "/sys"
#define SYS_KERNEL_PATH "/sys/kernel"
#define FILESYSTEMS_PATH "/proc/filesystems"
#define VERSION_PATH SELINUX_PLACE "/policyvers"
#define CONTEXT_PATH "/proc/1/attr/current"

enum { FILESYSTEMS_BYTES = 8192 };

static bool is_there(const char *path)
{
	return !sys_access(path, F_OK);
}

/* 0: it is there, or is now, and *out then says that it came from here. */
static int mount_unless_there(const char *sign, const char *kind, const char *where, bool *out)
{
	const unsigned long flags = MS_NOSUID | MS_NOEXEC | (strcmp(kind, "selinuxfs") ? MS_NODEV : 0);   /* it has a "null" */
	bool is_mounted = !is_there(sign);
	int err = is_mounted ? sys_mount(kind, where, kind, flags, NULL) : 0;

	*out = is_mounted && !err;
	return err;
}

/* Registered by a kernel whose SELinux is not off. Without the list it is for the mount to tell. */
static bool may_be_mounted(void)
{
	char text[FILESYSTEMS_BYTES];

	return io_read_file(FILESYSTEMS_PATH, text, sizeof text) < 0 || strstr(text, "\tselinuxfs\n");
}

int policy_place_enter(struct policy_place *out)
{
	int err;

	*out = (struct policy_place){ false, false, false };
	/* Without /proc the command line cannot be read: what the file of settings says counts then. */
	(void)mount_unless_there(CMDLINE_PATH, "proc", PROC_PATH, &out->proc);
	if (!may_be_mounted())
		return -ENODEV;
	err = mount_unless_there(SYS_KERNEL_PATH, "sysfs", SYS_PATH, &out->sys);
	return err ? err : mount_unless_there(VERSION_PATH, "selinuxfs", SELINUX_PLACE, &out->selinux);
}

static void unmount_if(bool is_ours, const char *where)
{
	if (is_ours)
		(void)sys_unmount(where, MNT_DETACH);        /* if it stays it does no harm */
}

void policy_place_leave_selinux(const struct policy_place *place)
{
	unmount_if(place->selinux, SELINUX_PLACE);
}

void policy_place_leave(const struct policy_place *place, bool is_loaded)
{
	if (!is_loaded) {
		policy_place_leave_selinux(place);
		unmount_if(place->sys, SYS_PATH);
	}
	unmount_if(place->proc, PROC_PATH);
}

int policy_place_version(void)
{
	char text[32];
	int64_t version;
	ssize_t got = io_read_file(VERSION_PATH, text, sizeof text);
	int err;

	if (got < 0)
		return (int)got;
	err = num_parse(text, 1, 10000, &version);
	return err ? err : (int)version;
}

bool policy_place_is_loaded(void)
{
	char text[256];

	return io_read_file(CONTEXT_PATH, text, sizeof text) > 0 && strchr(text, ':');
}
