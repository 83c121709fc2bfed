/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/mountinfo.h"
#include "lib/systool.h"

/* True if the table has a network file system at this very path. Needs no more than the text. */
static bool is_known_remote(const char *path, const struct mountinfo *table, struct mounts_place *out)
{
	struct mountinfo_entry entry;

	if (mountinfo_find(table, path, &entry) || !mountinfo_is_network(entry.kind))
		return false;
	*out = (struct mounts_place){ .is_mounted = true, .major = entry.major, .minor = entry.minor };
	return true;
}

static bool has_parent_elsewhere(int dir, const struct sys_identity *here)
{
	struct sys_identity parent;

	if (sys_identify(dir, "..", 0, &parent))
		return false;
	return parent.major != here->major || parent.minor != here->minor || parent.inode == here->inode;
}

/* What the kernel calls the directory that a descriptor holds. */
static bool is_in_table(int dir, const struct mountinfo *table)
{
	struct mountinfo_entry entry;
	char link[64], place[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	len = sys_readlinkat(AT_FDCWD, link, place, sizeof place - 1);
	if (len <= 0)
		return false;
	place[len] = '\0';
	return !mountinfo_find(table, place, &entry);
}

static int look_at(int dir, const struct mountinfo *table, struct mounts_place *out)
{
	struct sys_identity here;
	int err = sys_identify(dir, "", AT_EMPTY_PATH, &here);

	if (err)
		return err;
	if (!S_ISDIR(here.mode))
		return -ENOTDIR;
	out->major = here.major;
	out->minor = here.minor;
	if (here.knows_mounts)          /* Linux 5.8 */
		out->is_mounted = here.is_mount_root;
	else
		out->is_mounted = has_parent_elsewhere(dir, &here) || is_in_table(dir, table);
	return 0;
}

static int open_and_look(const char *path, const struct mountinfo *table, struct mounts_place *out)
{
	int err, dir = sys_open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	err = look_at(dir, table, out);
	(void)sys_close(dir);
	return err;
}

int mounts_look(const char *path, const char *table, struct mounts_place *out)
{
	struct mountinfo info;
	int err = 0;

	if (mountinfo_read(table, &info))
		info = (struct mountinfo){ 0 };         /* /proc need not be there */
	if (!is_known_remote(path, &info, out))
		err = open_and_look(path, &info, out);
	mountinfo_drop(&info);
	return err;
}

int mounts_look_device(const char *path, struct mounts_place *out)
{
	struct sys_identity file;
	int err = sys_identify(AT_FDCWD, path, 0, &file);

	if (err)
		return err;
	if (!S_ISBLK(file.mode))
		return -ENOTBLK;
	*out = (struct mounts_place){ .major = file.special_major, .minor = file.special_minor };
	return 0;
}
