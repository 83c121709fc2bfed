/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/ownfile.h"

#include <string.h>

#include "lib/io.h"
#include "lib/systool.h"

enum { TMPFS = 0x01021994, RAMFS = 0x858458f6 - 0x100000000 };

int ownfile_make(struct ownfile *file, const char *text)
{
	struct stat st;
	int err, fd = sys_open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err) {
		file->made = true;
		file->device = st.st_dev;
		file->inode = st.st_ino;
		(void)sys_fchmod(fd, 0644);     /* whatever the mask was */
		err = io_write_all(fd, text, strlen(text));
	}
	sys_close(fd);
	return err;
}

void ownfile_remove(struct ownfile *file)
{
	struct stat st;

	if (!file->made)
		return;
	file->made = false;
	if (!sys_stat(file->path, &st) && st.st_dev == file->device && st.st_ino == file->inode)
		(void)sys_unlink(file->path);   /* on a file system that has become read-only it stays */
}

bool ownfile_is_volatile(const struct ownfile *file)
{
	struct statfs fs;

	return !sys_statfs(file->path, &fs) && ((uint32_t)fs.f_type == TMPFS || (uint32_t)fs.f_type == (uint32_t)RAMFS);
}
