/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_consoles.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/systool.h"

enum { TEXT_BYTES = 8192 };
static const char blanks[] = " \t\r\n";

static int open_device(const char *path)
{
	return sys_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
}

/* --- the list --- */

static bool is_listed(const struct su_consoles *list, dev_t device)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].device == device)
			return true;
	return false;
}

/* Takes the descriptor over. What is no terminal, is there already or does not fit is closed. */
static bool add(struct su_consoles *list, int fd, const char *name)
{
	struct su_console *console = &list->at[list->count];
	struct stat info;

	if (sys_isatty(fd) || sys_fstat(fd, &info) || is_listed(list, info.st_rdev) || list->count == SU_CONSOLES_MAX) {
		sys_close(fd);
		return false;
	}
	console->fd = fd;
	console->is_shared = false;
	console->device = info.st_rdev;
	(void)snprintf(console->name, sizeof console->name, "%s", name);
	list->count++;
	return true;
}

static void add_path(struct su_consoles *list, const char *path)
{
	int fd = open_device(path);

	if (fd >= 0)
		(void)add(list, fd, path);
}

/* --- from a device number to a name in /dev --- */

static bool is_device(const char *path, dev_t device)
{
	struct stat info;

	return !sys_stat(path, &info) && S_ISCHR(info.st_mode) && info.st_rdev == device;
}

static bool is_plain_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static bool search_dev(dev_t device, char *path, size_t size)
{
	int fd = sys_open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			sys_close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir)))
		found = is_plain_name(entry->d_name) &&
			(size_t)snprintf(path, size, "/dev/%s", entry->d_name) < size && is_device(path, device);
	closedir(dir);
	return found;
}

/* The kernel's name is tried first: it is the right one but where /dev was made by hand. */
static void add_device(struct su_consoles *list, const char *kernel_name, dev_t device)
{
	char path[SU_NAME_BYTES];

	if (is_plain_name(kernel_name) && (size_t)snprintf(path, sizeof path, "/dev/%s", kernel_name) < sizeof path &&
		is_device(path, device))
		add_path(list, path);
	else if (search_dev(device, path, sizeof path))
		add_path(list, path);
}

/* "4:64" */
static bool parse_device(const char *text, dev_t *out)
{
	char *end;
	unsigned long major, minor;

	if (!isdigit((unsigned char)*text))
		return false;
	major = strtoul(text, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]))
		return false;
	minor = strtoul(end + 1, &end, 10);
	if (major > UINT32_MAX || minor > UINT32_MAX || (*end && !strchr(blanks, *end)))
		return false;
	*out = makedev((unsigned)major, (unsigned)minor);
	return true;
}

/* --- the kernel's lists --- */

/* "ttyS0                -W- (EC p  )    4:64": name, operations, flags (E: enabled), device number where there is one. */
static void add_proc_line(struct su_consoles *list, char *line)
{
	char *name = line + strspn(line, blanks), *flags = strchr(line, '('), *end = flags ? strchr(flags, ')') : NULL;
	dev_t device;

	if (!end)
		return;
	*end++ = '\0';
	end += strspn(end, blanks);
	if (!strchr(flags, 'E') || !parse_device(end, &device))
		return;
	name[strcspn(name, blanks)] = '\0';
	add_device(list, name, device);
}

static void add_from_proc(struct su_consoles *list)
{
	char text[TEXT_BYTES], *rest, *line;

	if (io_read_file("/proc/consoles", text, sizeof text) < 0)
		return;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		add_proc_line(list, line);
}

/* The first word of a file below /sys/class/tty. */
static bool read_tty_attribute(const char *name, const char *attribute, char *out, size_t size)
{
	char path[SU_NAME_BYTES];

	if (!is_plain_name(name) ||
		(size_t)snprintf(path, sizeof path, "/sys/class/tty/%s/%s", name, attribute) >= sizeof path)
		return false;
	if (io_read_file(path, out, size) <= 0)
		return false;
	out[strcspn(out, blanks)] = '\0';
	return true;
}

/* tty0 stands for the virtual terminal in front, which its own file names. */
static void add_sys_name(struct su_consoles *list, const char *name)
{
	char number[32], front[64];
	dev_t device;

	if (!read_tty_attribute(name, "dev", number, sizeof number) || !parse_device(number, &device))
		return;
	if (device == makedev(4, 0)) {
		if (!read_tty_attribute(name, "active", front, sizeof front) ||
			!read_tty_attribute(front, "dev", number, sizeof number) || !parse_device(number, &device))
			return;
		name = front;
	}
	add_device(list, name, device);
}

static void add_from_sys(struct su_consoles *list)
{
	char text[1024], *rest, *name;

	if (io_read_file("/sys/class/tty/console/active", text, sizeof text) < 0)
		return;
	for (name = strtok_r(text, blanks, &rest); name; name = strtok_r(NULL, blanks, &rest))
		add_sys_name(list, name);
}

/* /dev/tty0 by the name of the one in front; when the kernel does not tell, as it is. Takes the descriptor over. */
static void add_front_vt(struct su_consoles *list, int fd, const char *name)
{
	int number = sys_active_vt(fd), front;
	char path[32];

	(void)snprintf(path, sizeof path, "/dev/tty%d", number);
	front = number > 0 ? open_device(path) : -ENOTTY;
	if (front < 0) {
		(void)add(list, fd, name);
		return;
	}
	sys_close(fd);
	(void)add(list, front, path);
}

/* "ttyS0,9600", "brl,ttyS0", "brl=options,ttyS0" (Documentation/admin-guide/kernel-parameters.txt) */
static void add_cmdline_value(struct su_consoles *list, char *value)
{
	char path[SU_NAME_BYTES];
	int fd;

	if (!strncmp(value, "brl,", 4) || !strncmp(value, "brl=", 4)) {
		value = strchr(value, ',');
		if (!value)
			return;
		value++;
	}
	value[strcspn(value, ",")] = '\0';
	if (!is_plain_name(value) || (size_t)snprintf(path, sizeof path, "/dev/%s", value) >= sizeof path)
		return;
	fd = open_device(path);
	if (fd >= 0 && !strcmp(value, "tty0"))
		add_front_vt(list, fd, path);
	else if (fd >= 0)
		(void)add(list, fd, path);
}

/* Cuts a word off, at blanks that no quotes protect. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, blanks), *end;
	bool is_quoted = false;

	for (end = word; *end && (is_quoted || !strchr(blanks, *end)); end++)
		if (*end == '"')
			is_quoted = !is_quoted;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}

static void add_from_cmdline(struct su_consoles *list)
{
	static const char key[] = "console=";
	char text[TEXT_BYTES], *rest = text, *word;

	if (io_read_file(CMDLINE_PATH, text, sizeof text) < 0)
		return;
	while ((word = next_word(&rest)))
		if (!strncmp(word, key, sizeof key - 1))
			add_cmdline_value(list, word + sizeof key - 1);
}

static void add_system_consoles(struct su_consoles *list)
{
	add_from_proc(list);
	if (!list->count)
		add_from_sys(list);
	if (!list->count)
		add_from_cmdline(list);
}

/* --- standard input --- */

/* Standard input's terminal opened anew, so that the flags of a description that others use stay as they are. */
static int reopen_stdin(char *name, size_t size)
{
	struct stat old, new;
	int fd;

	(void)snprintf(name, size, "standard input");
	if (sys_fstat(STDIN_FILENO, &old) || sys_isatty(STDIN_FILENO))
		return -ENOTTY;
	if (sys_ttyname(STDIN_FILENO, name, size))
		return -ENOENT;
	fd = open_device(name);
	if (fd < 0)
		return fd;
	if (!sys_fstat(fd, &new) && new.st_rdev == old.st_rdev)
		return fd;
	sys_close(fd);
	return -ENOENT;
}

/* Standard input itself, when its name does not lead to it. */
static void add_stdin(struct su_consoles *list)
{
	char name[SU_NAME_BYTES];
	int fd = reopen_stdin(name, sizeof name);
	bool is_shared = fd < 0 && fd != -ENOTTY;

	if (is_shared)
		fd = sys_dup_from(STDIN_FILENO, STDERR_FILENO + 1);
	if (fd >= 0 && add(list, fd, name) && is_shared) {
		list->at[0].is_shared = true;
		if (sys_set_nonblocking(fd))
			list->count = 0;
	}
}

/* --- which of all these --- */

enum meaning { MEANS_ITSELF = 1, MEANS_FRONT_VT, MEANS_SYSTEM, MEANS_NOTHING };

static enum meaning meaning_of(int fd)
{
	struct stat info;

	if (sys_isatty(fd) || sys_fstat(fd, &info))
		return MEANS_NOTHING;
	if (info.st_rdev == makedev(5, 1))
		return MEANS_SYSTEM;
	return info.st_rdev == makedev(4, 0) ? MEANS_FRONT_VT : MEANS_ITSELF;
}

/* All that the kernel knows; when that is nothing, what is at hand. */
static int open_system_consoles(struct su_consoles *out)
{
	static const char *const last[] = { CONSOLE_PATH, "/dev/tty1" };

	add_system_consoles(out);
	if (!out->count)
		add_stdin(out);
	for (size_t i = 0; !out->count && i < sizeof last / sizeof last[0]; i++)
		add_path(out, last[i]);
	return out->count ? 0 : -ENXIO;
}

static int open_stdin_alone(struct su_consoles *out)
{
	add_stdin(out);
	return out->count ? 0 : -ENOTTY;
}

/* Takes the descriptor over. */
static int open_named(struct su_consoles *out, int fd, const char *name, enum meaning meaning)
{
	if (meaning == MEANS_FRONT_VT)
		add_front_vt(out, fd, name);
	else
		(void)add(out, fd, name);
	return out->count ? 0 : -ENOTTY;
}

int su_consoles_open(struct su_consoles *out, const char *device, bool is_hint)
{
	bool is_named = device && *device;
	enum meaning meaning = MEANS_SYSTEM;
	struct stat info;
	int fd = is_named ? open_device(device) : -ENOENT;

	out->count = 0;
	if (fd >= 0)
		meaning = meaning_of(fd);
	else if (!is_named && !sys_fstat(STDIN_FILENO, &info))
		meaning = meaning_of(STDIN_FILENO);
	if (meaning == MEANS_NOTHING && is_named && is_hint)
		meaning = MEANS_SYSTEM;
	if (fd >= 0 && meaning != MEANS_SYSTEM)
		return open_named(out, fd, device, meaning);
	if (fd >= 0)
		sys_close(fd);
	return meaning == MEANS_SYSTEM ? open_system_consoles(out) : open_stdin_alone(out);
}

void su_consoles_close(struct su_consoles *consoles)
{
	for (size_t i = 0; i < consoles->count; i++)
		sys_close(consoles->at[i].fd);
	consoles->count = 0;
}
