/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_root.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mount.h>

#include "include/paths.h"
#include "lib/systool.h"

static bool is_missing(const char *path)
{
	struct stat info;
	int err = sys_stat(path, &info);

	return err == -ENOENT || err == -ENOTDIR;
}

static bool mount_if_missing(const char *sign, const char *where, const char *kind, const char *options)
{
	if (!is_missing(sign))
		return false;
	(void)sys_mkdir(where, 0755);                        /* there already, or the root is read-only */
	return !sys_mount(kind, where, kind, MS_RELATIME, options);
}

static void link_streams(void)
{
	static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" }, { "fd/0", "/dev/stdin" },
		{ "fd/1", "/dev/stdout" }, { "fd/2", "/dev/stderr" } };

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		(void)sys_symlink(links[i][0], links[i][1]);     /* the kernel's /dev is one for all: they may be there */
}

void su_root_prepare(struct su_root *root)
{
	root->has_proc = mount_if_missing("/proc/self", "/proc", "proc", NULL);
	root->has_dev = mount_if_missing(CONSOLE_PATH, "/dev", "devtmpfs", "mode=0755");
	if (root->has_dev)
		link_streams();
}

void su_root_undo(const struct su_root *root)
{
	if (root->has_dev)
		(void)sys_unmount("/dev", MNT_DETACH);
	if (root->has_proc)
		(void)sys_unmount("/proc", MNT_DETACH);
}
