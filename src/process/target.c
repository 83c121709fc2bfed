/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/target.h"

#include <stdio.h>
#include <string.h>

enum { LINKS_MAX = 40 };                /* as many as the kernel follows */

static const char deleted[] = " (deleted)";

void target_set(struct target *target, const char *text)
{
	const char *slash = strrchr(text, '/');

	memset(target, 0, sizeof *target);
	target->text = text;
	target->base = slash ? slash + 1 : text;
	target->is_path = text[0] == '/';
}

/* Where the file would be, links on the way to it followed. */
static void resolve_folder(struct target *target)
{
	char folder[PATH_MAX], real[PATH_MAX];
	int len = (int)(target->base - target->text);

	if (snprintf(folder, sizeof folder, "%.*s", len, target->text) >= PATH_MAX || sys_realpath(folder, real))
		return;
	if (snprintf(target->place, PATH_MAX, "%s/%s", strcmp(real, "/") ? real : "", target->base) >= PATH_MAX)
		target->place[0] = '\0';
}

void target_resolve(struct target *target)
{
	if (!target->is_path || !*target->base)
		return;
	resolve_folder(target);
	if (sys_realpath(target->text, target->real)) {
		target->real[0] = '\0';
		return;
	}
	target->exists = !sys_identify(AT_FDCWD, target->real, 0, &target->file);
	target->is_program = target->exists && S_ISREG(target->file.mode) && (target->file.mode & 0111);
}

static bool is_same(const char *path, const char *exe, size_t len)
{
	return *path && strlen(path) == len && !memcmp(path, exe, len);
}

static bool is_any(const struct target *target, const char *exe, size_t len)
{
	return is_same(target->text, exe, len) || is_same(target->real, exe, len) || is_same(target->place, exe, len);
}

bool target_has_path(const struct target *target, const char *exe)
{
	size_t len = strlen(exe), tail = sizeof deleted - 1;

	if (is_any(target, exe, len))
		return true;
	return len > tail && !strcmp(exe + len - tail, deleted) && is_any(target, exe, len - tail);
}

/* --- the way to a path, one name after the other --- */

struct walk {
	char done[PATH_MAX];            /* without links */
	char left[PATH_MAX];            /* still to go */
	int links;
};

/* Takes the next name off what is left; false: there is none. */
static bool take_name(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *from = walk->left + strspn(walk->left, "/");
	size_t len = strcspn(from, "/");

	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, from, len);
	name[len] = '\0';
	memmove(walk->left, from + len, strlen(from + len) + 1);
	return true;
}

static void step_up(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash)
		*slash = '\0';
}

/* Puts what the link says before what is left. False: too long, or too many. */
static bool follow(struct walk *walk, const char *link)
{
	char left[PATH_MAX];

	if (++walk->links > LINKS_MAX || snprintf(left, sizeof left, "%s/%s", link, walk->left) >= PATH_MAX)
		return false;
	memcpy(walk->left, left, strlen(left) + 1);
	if (link[0] == '/')
		walk->done[0] = '\0';
	else
		step_up(walk);
	return true;
}

static bool step_down(struct walk *walk, const char *name)
{
	size_t len = strlen(walk->done);

	return snprintf(walk->done + len, sizeof walk->done - len, "/%s", name) < (int)(sizeof walk->done - len);
}

bool target_is_on_network(const struct target *target, const struct mountinfo *mounts)
{
	struct walk walk = { .links = 0 };
	char name[NAME_MAX + 1], link[PATH_MAX];

	if (!target->is_path || snprintf(walk.left, sizeof walk.left, "%s", target->text) >= PATH_MAX)
		return false;
	while (take_name(&walk, name)) {
		struct mountinfo_entry holding;
		ssize_t len;

		if (!strcmp(name, ".."))
			step_up(&walk);
		if (!strcmp(name, "..") || !strcmp(name, "."))
			continue;
		if (!step_down(&walk, name))
			return false;
		if (!mountinfo_holding(mounts, walk.done, &holding) && mountinfo_is_network(holding.kind))
			return true;
		len = sys_readlinkat(AT_FDCWD, walk.done, link, sizeof link - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		if (!follow(&walk, link))
			return false;
	}
	return false;
}
