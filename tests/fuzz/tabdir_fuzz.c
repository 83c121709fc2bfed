/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an inittab, the files of inittab.d and their names, and the kernel's command line: what the loader makes of
 * them is a table that pid 1 takes, the same each time, and no file of the directory costs or changes an entry of
 * inittab. A wrong answer aborts. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "fuzz/tables.h"
#include "init/loader.h"

enum { FILES_MAX = 12, END = 0xff };
#define AGETTY "/sbin/agetty -L -s 115200,38400,9600 "

/* The directory, of this process alone. */
static char dir[] = "/tmp/fuzz_tabdir.XXXXXX";
static bool is_made;

static void dir_remove(void)
{
	(void)rmdir(dir);
}

struct files {
	char *name[FILES_MAX];
	int count;
};

static void file_make(const char *path, int kind, const char *text)
{
	int fd;

	switch (kind) {
	case 1:
		FUZZ_CHECK(!mkdir(path, 0755));
		return;
	case 2:
		FUZZ_CHECK(!mkfifo(path, 0600));
		return;
	case 3:
		FUZZ_CHECK(!symlink("nowhere", path));
		return;
	default:
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		FUZZ_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
		close(fd);
	}
}

/* A byte for its kind, its name, what is in it. Mostly a file, and mostly one that counts. */
static void file_add(struct files *files, struct input *input)
{
	uint8_t kind = input_byte(input);
	char *name = input_line(input, END), *text = input_line(input, END), path[PATH_MAX];
	struct stat st;

	for (char *slash = name; (slash = strchr(slash, '/'));)
		*slash = '_';
	if (strlen(name) < 240) {
		(void)snprintf(path, sizeof path, "%s/%s%s", dir, name, kind & 8 ? "" : ".tab");
		if (lstat(path, &st)) {
			file_make(path, kind & 7, text);
			files->name[files->count++] = strdup(path);
		}
	}
	free(name);
	free(text);
}

static void files_remove(struct files *files)
{
	for (int i = 0; i < files->count; i++) {
		FUZZ_CHECK(!remove(files->name[i]));
		free(files->name[i]);
	}
}

static void hear(void *context, const char *text)
{
	FUZZ_CHECK(*text && strlen(text) < 512);
	++*(int *)context;
}

static void load(const char *tab, const char *tab_dir, const char *cmdline, struct table *out)
{
	int said = 0, image = sys_memfd("image", 3), err;
	struct loader_config config = {
		.tab = tab, .tab_dir = tab_dir, .cmdline = cmdline, .say = hear, .context = &said,
	};

	FUZZ_CHECK(image >= 0);
	err = loader_run(&config, image);
	FUZZ_CHECK(!err || said);
	/* One for each entry that it makes up, each file that is none, and three more. */
	FUZZ_CHECK(said <= LOADER_COMPLAINTS_MAX + FILES_MAX + 256 + 3);
	FUZZ_CHECK(!table_open(image, out));
	check_table(out);
	sys_close(image);
}

static bool has_same(const struct table *table, const struct table_entry *entry, const char *process)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const struct table_entry *other = table_entry(table, i);

		if (!strcmp(other->id, entry->id) && other->action == entry->action &&
			!strcmp(other->levels, entry->levels) && !strcmp(table_process(table, other), process))
			return true;
	}
	return false;
}

/* The shell of an empty table is of no file. */
static void check_kept(const struct table *alone, const struct table *whole)
{
	for (uint32_t i = 0; i < alone->count; i++) {
		const struct table_entry *entry = table_entry(alone, i);

		FUZZ_CHECK(!strcmp(entry->id, "~~") || has_same(whole, entry, table_process(alone, entry)));
	}
}

/* What nobody wrote: a shell that single-user mode needs, and logins on consoles, with nothing in it for a shell. */
static void check_made_up(const struct table *table)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const char *process = table_process(table, table_entry(table, i));

		FUZZ_CHECK(!strncmp(process, AGETTY, strlen(AGETTY)) || !strcmp(process, "/sbin/sulogin"));
		FUZZ_CHECK(!strpbrk(process, ";&|<>`$()'\"\\\n\t*?[]#~=%!{}"));
	}
}

static void check_loads(const char *tab, const char *cmdline)
{
	struct table alone, whole, again, none;

	load(tab, "/nonexistent", "/nonexistent", &alone);
	load(tab, dir, cmdline, &whole);
	load(tab, dir, cmdline, &again);
	load("/nonexistent", "/nonexistent", cmdline, &none);
	FUZZ_CHECK(whole.size_bytes == again.size_bytes && !memcmp(whole.image, again.image, whole.size_bytes));
	check_kept(&alone, &whole);
	check_made_up(&none);
	table_close(&alone);
	table_close(&whole);
	table_close(&again);
	table_close(&none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct files files = { .count = 0 };
	char *cmdline = input_line(&input, END), *tab = input_line(&input, END);
	char tab_path[FILE_PATH_MAX], cmdline_path[FILE_PATH_MAX];
	int tab_fd = file_of(tab, strlen(tab), tab_path), cmdline_fd = file_of(cmdline, strlen(cmdline), cmdline_path);

	if (!is_made) {
		FUZZ_CHECK(mkdtemp(dir) && !atexit(dir_remove));
		is_made = true;
	}
	for (int i = 0; i < FILES_MAX && input.left; i++)
		file_add(&files, &input);
	check_loads(tab_path, cmdline_path);
	files_remove(&files);
	sys_close(tab_fd);
	sys_close(cmdline_fd);
	free(tab);
	free(cmdline);
	return 0;
}
