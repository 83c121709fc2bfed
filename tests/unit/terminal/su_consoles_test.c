/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fake/sys.h"
#include "terminal/su_consoles.h"

enum { LINES = 4 };

/* A root with links to pseudo terminals as its consoles. */
struct scene {
	char dir[64];
	int master[LINES], slave[LINES], stdin_kept;
	unsigned number[LINES];
	struct su_consoles found;
};

static void put(struct scene *scene, const char *name, const char *text)
{
	char path[256], command[300];
	FILE *file;

	snprintf(path, sizeof path, "%s%s", scene->dir, name);
	snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", path);
	file = fopen(path, "w");
	if (!file) {
		assert_int_equal(system(command), 0);
		file = fopen(path, "w");
	}
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void link_line(struct scene *scene, const char *name, int line)
{
	char path[128], target[64];

	snprintf(path, sizeof path, "%s/dev/%s", scene->dir, name);
	assert_int_equal(ttyname_r(scene->slave[line], target, sizeof target), 0);
	assert_int_equal(symlink(target, path), 0);
}

static int begin(void **state)
{
	static struct scene scene;

	memset(&scene, 0, sizeof scene);
	strcpy(scene.dir, "/tmp/su_consoles.XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	put(&scene, "/dev/none", "");
	for (int i = 0; i < LINES; i++) {
		struct stat info;
		char name[16];

		assert_int_equal(openpty(&scene.master[i], &scene.slave[i], NULL, NULL, NULL), 0);
		assert_int_equal(fstat(scene.slave[i], &info), 0);
		scene.number[i] = minor(info.st_rdev);
		assert_int_equal(major(info.st_rdev), 136);
		snprintf(name, sizeof name, "con%d", i);
		link_line(&scene, name, i);
	}
	scene.stdin_kept = dup(STDIN_FILENO);
	assert_int_equal(dup2(open("/dev/null", O_RDWR), STDIN_FILENO), STDIN_FILENO);
	fake_root(scene.dir);
	*state = &scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;
	char command[128];

	fault_clear();
	su_consoles_close(&scene->found);
	fake_root(NULL);
	dup2(scene->stdin_kept, STDIN_FILENO);
	close(scene->stdin_kept);
	for (int i = 0; i < LINES; i++) {
		close(scene->master[i]);
		close(scene->slave[i]);
	}
	snprintf(command, sizeof command, "rm -r '%s'", scene->dir);
	return system(command);
}

/* @N in it is the minor number of line N. */
static void proc(struct scene *scene, const char *text)
{
	char filled[2000];
	size_t len = 0;

	for (; *text; text++)
		if (*text == '@')
			len += (size_t)sprintf(filled + len, "%u", scene->number[*++text - '0']);
		else
			filled[len++] = *text;
	filled[len] = '\0';
	put(scene, "/proc/consoles", filled);
}

/* The names that are found, a blank between two. Looks for the system's consoles. */
static const char *finds(struct scene *scene)
{
	static char names[500];

	su_consoles_close(&scene->found);
	names[0] = '\0';
	if (su_consoles_open(&scene->found, "/dev/nowhere", false))
		return "none";
	for (size_t i = 0; i < scene->found.count; i++) {
		strcat(names, i ? " " : "");
		strcat(names, scene->found.at[i].name);
	}
	return names;
}

static void the_kernels_list_is_taken_in_its_order(void **state)
{
	struct scene *scene = *state;

	proc(scene, "con0 -W- (EC p  )  136:@0\ncon1 -W- (E  p a)  136:@1\ncon2 RWU (E)  136:@2\ncon3 --- (E) 136:@3\n");
	assert_string_equal(finds(scene), "/dev/con0 /dev/con1 /dev/con2 /dev/con3");
	for (size_t i = 0; i < 4; i++) {
		assert_true(fcntl(scene->found.at[i].fd, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(scene->found.at[i].fd, F_GETFL) & O_NONBLOCK);
		assert_int_equal(fcntl(scene->found.at[i].fd, F_GETFL) & O_ACCMODE, O_RDWR);
	}
}

static void what_is_no_console_is_passed_over(void **state)
{
	struct scene *scene = *state;

	proc(scene, "netcon0 -W- (E   a)\ncon0 -W- (EC p  )  136:@0\ncon1 -W- ( C p  )  136:@1\n\n(\n)\n(E)\n(E) x\n"
		"con2 -W- (E) 136:\nother -W- (EC p  )  136:@2\ncon9 -W- (E) 136:4000000\n");
	assert_string_equal(finds(scene), "/dev/con0 /dev/con2");
}

static void an_empty_list_leads_to_the_next_source(void **state)
{
	struct scene *scene = *state;
	char number[32];

	put(scene, "/proc/consoles", "netcon0 -W- (E   a)\n");
	put(scene, "/proc/cmdline", "a console=con3\n");
	put(scene, "/sys/class/tty/console/active", "tty0 con1\n");
	put(scene, "/sys/class/tty/tty0/dev", "4:0\n");
	put(scene, "/sys/class/tty/tty0/active", "con2\n");
	snprintf(number, sizeof number, "136:%u\n", scene->number[1]);
	put(scene, "/sys/class/tty/con1/dev", number);
	snprintf(number, sizeof number, "136:%u\n", scene->number[2]);
	put(scene, "/sys/class/tty/con2/dev", number);
	assert_string_equal(finds(scene), "/dev/con2 /dev/con1");
	put(scene, "/sys/class/tty/console/active", "../../x con7\n");
	assert_string_equal(finds(scene), "/dev/con3");
}

static void the_command_line_is_read_as_the_kernel_reads_it(void **state)
{
	struct scene *scene = *state;

	put(scene, "/proc/cmdline", "netconsole=con0 x=\"console=con1 y\" console=con2,115200n8 console= console=brl "
		"console=brl,con3 console=../dev/con0 xconsole=con0 console=gone console=con2");
	assert_string_equal(finds(scene), "/dev/con2 /dev/con3");
	put(scene, "/proc/cmdline", "console=brl=opts,con1 \"console=con0");
	assert_string_equal(finds(scene), "/dev/con1");
}

static void nothing_at_all_is_an_error(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(su_consoles_open(&scene->found, "/dev/nowhere", false), -ENXIO);
	assert_int_equal(su_consoles_open(&scene->found, NULL, false), -ENOTTY);
	assert_int_equal(su_consoles_open(&scene->found, "/dev/none", false), -ENOTTY);
	assert_int_equal(su_consoles_open(&scene->found, "/dev/none", true), -ENXIO);
	assert_int_equal(scene->found.count, 0);
}

static void a_device_that_was_named_stands_alone(void **state)
{
	struct scene *scene = *state;

	proc(scene, "con0 -W- (E) 136:@0\ncon1 -W- (E) 136:@1\n");
	assert_int_equal(su_consoles_open(&scene->found, "/dev/con3", false), 0);
	assert_int_equal(scene->found.count, 1);
	assert_string_equal(scene->found.at[0].name, "/dev/con3");
}

static void standard_input_is_opened_anew_where_that_can_be(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(dup2(scene->slave[1], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(su_consoles_open(&scene->found, "", false), 0);
	assert_int_equal(scene->found.count, 1);
	/* Its name does not lead to it below this root: then it is taken as it is, and known to be shared. */
	assert_true(scene->found.at[0].is_shared);
	assert_true(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
	su_consoles_close(&scene->found);
	fake_root(NULL);
	assert_int_equal(fcntl(STDIN_FILENO, F_SETFL, O_RDWR), 0);
	assert_int_equal(su_consoles_open(&scene->found, NULL, false), 0);
	assert_false(scene->found.at[0].is_shared);
	assert_false(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(scene->found.at[0].fd, F_GETFL) & O_NONBLOCK);
}

static void a_full_list_has_sixteen(void **state)
{
	struct scene *scene = *state;
	int master[20], slave[20];
	char text[2000] = "";

	for (int i = 0; i < 20; i++) {
		struct stat info;
		char line[64], name[128], target[64];

		assert_int_equal(openpty(&master[i], &slave[i], NULL, NULL, NULL), 0);
		assert_int_equal(fstat(slave[i], &info), 0);
		snprintf(line, sizeof line, "more%d (E) 136:%u\n", i, minor(info.st_rdev));
		strcat(text, line);
		snprintf(name, sizeof name, "%s/dev/more%d", scene->dir, i);
		assert_int_equal(ttyname_r(slave[i], target, sizeof target), 0);
		assert_int_equal(symlink(target, name), 0);
	}
	put(scene, "/proc/consoles", text);
	finds(scene);
	assert_int_equal(scene->found.count, SU_CONSOLES_MAX);
	for (int i = 0; i < 20; i++) {
		close(master[i]);
		close(slave[i]);
	}
}

static void no_failure_of_a_call_leaves_a_descriptor(void **state)
{
	struct scene *scene = *state;
	int before = fds_open(), nth = 0;

	proc(scene, "con0 -W- (E) 136:@0\ncon1 -W- (E) 136:@1\n");
	do {
		fault_arm(++nth, -EMFILE);
		(void)finds(scene);
		su_consoles_close(&scene->found);
		assert_int_equal(fds_open(), before);
	} while (fault_fired());
	assert_true(nth > 5);
}

static void random_lists_are_survived(void **state)
{
	static const char letters[] = "con0123 (E)-:136\n\n\"=,/.brl";
	struct scene *scene = *state;
	char text[300];

	srand(5);
	for (int round = 0; round < 300; round++) {
		int len = rand() % (int)(sizeof text - 1);

		for (int i = 0; i < len; i++)
			text[i] = letters[rand() % (int)(sizeof letters - 1)];
		text[len] = '\0';
		put(scene, round % 2 ? "/proc/consoles" : "/proc/cmdline", text);
		(void)finds(scene);
		assert_true(scene->found.count <= LINES);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_kernels_list_is_taken_in_its_order),
		CASE(what_is_no_console_is_passed_over),
		CASE(an_empty_list_leads_to_the_next_source),
		CASE(the_command_line_is_read_as_the_kernel_reads_it),
		CASE(nothing_at_all_is_an_error),
		CASE(a_device_that_was_named_stands_alone),
		CASE(standard_input_is_opened_anew_where_that_can_be),
		CASE(a_full_list_has_sixteen),
		CASE(no_failure_of_a_call_leaves_a_descriptor),
		CASE(random_lists_are_survived),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
