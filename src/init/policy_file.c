/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io.h"
#include "lib/sys.h"
#include "lib/text.h"

/* The head, little endian: magic, length of the text, the text, version. */
#define POLICY_TEXT "SE Linux"
#define XEN_TEXT "XenFlask"

enum { TEXT_AT = 8, TEXT_BYTES = 8, VERSION_AT = 16, HEAD_BYTES = 20 };
#define POLICY_MAGIC UINT32_C(0xf97cff8c)

int policy_first(const struct policy_versions *versions)
{
	return versions->kernel_max > versions->library_max ? versions->kernel_max : versions->library_max;
}

int policy_find(const char *base, const struct policy_versions *versions, int from, struct policy_file *out)
{
	struct stat st;

	for (int number = from; number >= versions->library_min; number--) {
		int err;

		if (snprintf(out->path, sizeof out->path, "%s.%d", base, number) >= (int)sizeof out->path)
			return -ENAMETOOLONG;
		err = sys_stat(out->path, &st);
		if (err == -ENOENT)
			continue;
		out->named = number;
		return err;
	}
	return -ENOENT;
}

void policy_list(const char *base, char *out, size_t size_bytes)
{
	const char *slash = strrchr(base, '/'), *name = slash ? slash + 1 : base;
	char folder[PATH_MAX];
	struct dirent *entry;
	size_t used = 0;
	DIR *dir;

	(void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - base) : 1, slash ? base : ".");
	(void)snprintf(out, size_bytes, "nothing");
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)) && used + 2 * NAME_MAX + 2 < size_bytes) {
		size_t len = strlen(name);

		if (strncmp(entry->d_name, name, len) || entry->d_name[len] != '.')
			continue;
		if (used)
			out[used++] = ' ';
		used += text_make_harmless(entry->d_name, strlen(entry->d_name), out + used, size_bytes - used - 1);
		out[used] = '\0';
	}
	if (dir)
		closedir(dir);
}

static int read_open(int fd, struct policy_file *out, char why[POLICY_WHY_MAX])
{
	struct stat st;
	int err = sys_fstat(fd, &st);
	ssize_t got;

	if (!err && !S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (!err && st.st_size > POLICY_BYTES_MAX)
		err = -EFBIG;
	if (err) {
		(void)snprintf(why, POLICY_WHY_MAX, "%s", strerror(-err));
		return err;
	}
	out->image = malloc((size_t)st.st_size + 1);
	got = out->image ? io_read_all(fd, out->image, (size_t)st.st_size) : -ENOMEM;
	if (got < 0) {
		(void)snprintf(why, POLICY_WHY_MAX, "%s", strerror((int)-got));
		policy_drop(out);
		return (int)got;
	}
	out->size_bytes = (size_t)got;
	return 0;
}

int policy_read(struct policy_file *out, char why[POLICY_WHY_MAX])
{
	/* O_NONBLOCK: a FIFO by this name must not hold us. */
	int err, fd = sys_open(out->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	out->image = NULL;
	if (fd < 0) {
		(void)snprintf(why, POLICY_WHY_MAX, "%s", strerror(-fd));
		return fd;
	}
	err = read_open(fd, out, why);
	sys_close(fd);
	return err;
}

void policy_drop(struct policy_file *file)
{
	free(file->image);
	file->image = NULL;
}

static uint32_t number_at(const struct policy_file *file, size_t at)
{
	const unsigned char *byte = file->image + at;

	return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

static int refuse(char why[POLICY_WHY_MAX], const char *text)
{
	(void)snprintf(why, POLICY_WHY_MAX, "%s", text);
	return -EBADMSG;
}

static bool is_taken(const struct policy_file *file, const struct policy_versions *versions)
{
	if (file->version < versions->library_min)
		return false;
	if (file->version <= versions->kernel_max)
		return true;
	return policy_is_made_older(file, versions) && file->version <= versions->library_max;
}

bool policy_is_made_older(const struct policy_file *file, const struct policy_versions *versions)
{
	return file->named > versions->kernel_max;
}

int policy_head(struct policy_file *file, const struct policy_versions *versions, char why[POLICY_WHY_MAX])
{
	if (!file->size_bytes)
		return refuse(why, "the file is empty");
	if (file->size_bytes < HEAD_BYTES)
		return refuse(why, "truncated in its head");
	if (number_at(file, 0) != POLICY_MAGIC) {
		(void)snprintf(why, POLICY_WHY_MAX, "no SELinux policy: it begins with 0x%08x, not 0x%08x", number_at(file, 0),
			POLICY_MAGIC);
		return -EBADMSG;
	}
	if (number_at(file, 4) == TEXT_BYTES && !memcmp(file->image + TEXT_AT, XEN_TEXT, TEXT_BYTES))
		return refuse(why, "a policy for Xen, not for Linux");
	if (number_at(file, 4) != TEXT_BYTES || memcmp(file->image + TEXT_AT, POLICY_TEXT, TEXT_BYTES))
		return refuse(why, "no SELinux policy: its head does not say \"" POLICY_TEXT "\"");
	file->version = number_at(file, VERSION_AT) > INT_MAX ? INT_MAX : (int)number_at(file, VERSION_AT);
	if (is_taken(file, versions))
		return 0;
	(void)snprintf(why, POLICY_WHY_MAX, "policy of version %d: this kernel takes versions up to %d, libsepol reads %d to %d",
		file->version, versions->kernel_max, versions->library_min, versions->library_max);
	return -EBADMSG;
}
