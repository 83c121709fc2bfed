/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys.h"

static struct {
	char dir[64];
	char path[4][PATH_MAX];
	unsigned next;
	char text[65536];
} tree;

int tree_begin(void **state)
{
	(void)state;
	strcpy(tree.dir, "/tmp/unit_tree.XXXXXX");
	assert_non_null(mkdtemp(tree.dir));
	fake_root(tree.dir);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

int tree_end(void **state)
{
	(void)state;
	fault_clear();
	fake_processes(0);
	fake_clock_set(-1, -1);
	fake_root(NULL);
	return nftw(tree.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *tree_path(const char *name)
{
	char *path = tree.path[tree.next++ % 4];
	size_t dir_len = strlen(tree.dir);

	assert_in_range(strlen(name), 1, PATH_MAX - 1 - sizeof tree.dir);
	memcpy(path, tree.dir, dir_len);
	strcpy(path + dir_len, name);
	return path;
}

static void make_way(const char *path)
{
	char copy[PATH_MAX];

	(void)snprintf(copy, sizeof copy, "%s", path);
	for (char *at = copy + strlen(tree.dir) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(copy, 0755);
		*at = '/';
	}
}

void tree_put_bytes(const char *name, const void *bytes, size_t len)
{
	const char *path = tree_path(name);
	FILE *file;

	make_way(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

void tree_put(const char *name, const char *text)
{
	tree_put_bytes(name, text, strlen(text));
}

void tree_link(const char *name, const char *target)
{
	const char *path = tree_path(name);

	make_way(path);
	assert_int_equal(symlink(target, path), 0);
}

void tree_dir(const char *name)
{
	const char *path = tree_path(name);

	make_way(path);
	mkdir(path, 0755);
}

bool tree_has(const char *name)
{
	struct stat st;

	return !lstat(tree_path(name), &st);
}

const char *tree_get(const char *name)
{
	FILE *file = fopen(tree_path(name), "r");
	size_t len;

	if (!file)
		return NULL;
	len = fread(tree.text, 1, sizeof tree.text - 1, file);
	fclose(file);
	tree.text[len] = '\0';
	return tree.text;
}

const char *tree_said(int fd, void (*say)(void *), void *arg)
{
	FILE *file = tmpfile();
	int kept = dup(fd);
	ssize_t len;

	assert_non_null(file);
	assert_true(kept >= 0);
	fflush(NULL);
	assert_int_equal(dup2(fileno(file), fd), fd);
	say(arg);
	fflush(NULL);
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	len = pread(fileno(file), tree.text, sizeof tree.text - 1, 0);
	assert_true(len >= 0);
	tree.text[len] = '\0';
	fclose(file);
	return tree.text;
}
