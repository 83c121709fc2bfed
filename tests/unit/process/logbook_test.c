/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "fake/sys.h"
#include "process/logbook.h"

static char folder[] = "/tmp/logbook_test.XXXXXX";
static struct logbook book;

static const char *in(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int begin(void **state)
{
	(void)state;
	fault_clear();
	fake_clock_set(0, 0);
	strcpy(folder, "/tmp/logbook_test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	fault_clear();
	fake_clock_set(-1, -1);
	logbook_drop(&book);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static const char *content(const char *path)
{
	static char text[256];
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file)
		return "absent";
	len = fread(text, 1, sizeof text - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static void put(const char *text)
{
	logbook_write(&book, text, strlen(text));
}

static void what_is_written_is_in_the_file(void **state)
{
	(void)state;
	assert_int_equal(logbook_begin(&book, in("log"), false), 0);
	put("one\n");
	assert_false(logbook_is_holding(&book));
	logbook_drop(&book);
	assert_int_equal(logbook_begin(&book, in("log"), true), 0);
	put("two\n");
	assert_string_equal(content(in("log")), "one\ntwo\n");
	logbook_drop(&book);
	assert_int_equal(logbook_begin(&book, in("log"), false), 0);
	assert_string_equal(content(in("log")), "");
}

static void it_is_held_until_the_file_can_be(void **state)
{
	(void)state;
	assert_int_equal(logbook_begin(&book, in("dir/log"), false), 0);
	put("early\n");
	assert_true(logbook_is_holding(&book));
	assert_int_equal(mkdir(in("dir"), 0755), 0);
	put("too soon to try again\n");
	assert_true(logbook_is_holding(&book));
	fake_clock_advance_ms(1000);
	put("late\n");
	assert_false(logbook_is_holding(&book));
	assert_string_equal(content(in("dir/log")), "early\ntoo soon to try again\nlate\n");
}

static void of_too_much_the_newest_is_kept_and_the_cut_is_said(void **state)
{
	enum { LINES = 3 * LOGBOOK_HELD_MAX / 64 };
	char line[65];
	struct stat st;
	FILE *file;

	(void)state;
	assert_int_equal(logbook_begin(&book, in("dir/log"), false), 0);
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof line, "%063d\n", i);
		put(line);
	}
	assert_true(book.held_bytes <= LOGBOOK_HELD_MAX && book.held_bytes > LOGBOOK_HELD_MAX / 2);
	assert_int_equal(mkdir(in("dir"), 0755), 0);
	fake_clock_advance_ms(1000);
	put("end\n");
	file = fopen(in("dir/log"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_string_equal(line, "[... output truncated ...]\n");
	assert_int_equal(fseek(file, -4 - 64, SEEK_END), 0);
	assert_non_null(fgets(line, sizeof line, file));
	assert_int_equal(atoi(line), LINES - 1);
	fclose(file);
	assert_int_equal(stat(in("dir/log"), &st), 0);
	assert_true(st.st_size > LOGBOOK_HELD_MAX / 2);
}

static void a_piece_larger_than_all_room_is_cut_too(void **state)
{
	size_t size = LOGBOOK_HELD_MAX + 100000;
	char *large = calloc(1, size);

	(void)state;
	assert_non_null(large);
	assert_int_equal(logbook_begin(&book, in("dir/log"), false), 0);
	put("before");
	logbook_write(&book, large, size);
	assert_int_equal(book.held_bytes, LOGBOOK_HELD_MAX);
	assert_true(book.is_cut);
	free(large);
}

static void a_full_disk_is_said_and_goes_on(void **state)
{
	(void)state;
	assert_int_equal(logbook_begin(&book, "/dev/full", false), 0);
	put("lost");
	put("lost");
	assert_true(book.has_complained);
}

static void a_relative_name_is_made_absolute(void **state)
{
	char old[PATH_MAX];

	(void)state;
	assert_non_null(realpath(".", old));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(logbook_begin(&book, "log", false), 0);
	assert_int_equal(chdir(old), 0);
	assert_int_equal(book.path[0], '/');
	put("x");
	assert_string_equal(content(in("log")), "x");
	logbook_drop(&book);
	fault_name("realpath", -ENOENT);
	assert_int_equal(logbook_begin(&book, "log", false), -ENOENT);
}

static void a_strangers_link_in_a_common_place_is_not_followed(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(symlink("target", in("log")), 0);
	assert_int_equal(lchown(in("log"), 65534, 65534), 0);
	assert_int_equal(logbook_begin(&book, in("log"), false), 0);
	put("x");
	assert_string_equal(content(in("target")), "x");        /* his own directory would be no common place */
	logbook_drop(&book);
	assert_int_equal(unlink(in("target")), 0);
	assert_int_equal(chmod(folder, 01777), 0);
	assert_int_equal(logbook_begin(&book, in("log"), false), 0);
	put("x");
	assert_string_equal(content(in("target")), "absent");
	assert_false(logbook_is_holding(&book));
}

static void a_process_of_its_own_saves_it_later(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fake_clock_set(-1, -1);
	assert_int_equal(logbook_begin(&book, in("dir/log"), false), 0);
	put("held\n");
	assert_int_equal(mkdir(in("dir"), 0755), 0);
	pid = logbook_save_later(&book);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(content(in("dir/log")), "held\n");
	fault_name("fork", -EAGAIN);
	assert_int_equal(logbook_save_later(&book), -EAGAIN);
}

/* For good, with a status that tells; each pause of the hour passes at once. */
static void after_an_hour_of_tries_it_gives_up(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(logbook_begin(&book, in("dir/log"), false), 0);
	put("held\n");
	fake_no_pauses();
	assert_int_equal(LOGBOOK_TRIES_MAX, 60 * 60);
	pid = logbook_save_later(&book);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_processes(0);
	assert_int_equal(status, W_EXITCODE(1, 0));
	assert_string_equal(content(in("dir/log")), "absent");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_written_is_in_the_file),
		CASE(it_is_held_until_the_file_can_be),
		CASE(of_too_much_the_newest_is_kept_and_the_cut_is_said),
		CASE(a_piece_larger_than_all_room_is_cut_too),
		CASE(a_full_disk_is_said_and_goes_on),
		CASE(a_relative_name_is_made_absolute),
		CASE(a_strangers_link_in_a_common_place_is_not_followed),
		CASE(a_process_of_its_own_saves_it_later),
		CASE(after_an_hour_of_tries_it_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
