/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal/bootcons.h"

/* What a text names, blank-separated. */
static const char *named(void (*from)(struct bootcons *, const char *), const char *text)
{
	static char all[2048];
	struct bootcons found = { 0 };

	from(&found, text);
	all[0] = '\0';
	for (int i = 0; i < found.count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, found.path[i]);
	}
	return all;
}

static const char *of_cmdline(const char *text)
{
	return named(bootcons_from_cmdline, text);
}

static void the_last_console_comes_first(void **state)
{
	(void)state;
	assert_string_equal(of_cmdline("quiet\n"), "");
	assert_string_equal(of_cmdline("console=ttyS0,115200n8 ro console=hvc0\n"), "/dev/hvc0 /dev/ttyS0");
	assert_string_equal(of_cmdline("console=ttyS0 console=hvc0 console=ttyS0,9600"), "/dev/ttyS0 /dev/hvc0");
}

static void tty0_is_its_first_screen_and_comes_once(void **state)
{
	(void)state;
	assert_string_equal(of_cmdline("console=tty1 console=tty0"), "/dev/tty1");
	assert_string_equal(of_cmdline("console=tty"), "/dev/tty1");
}

static void only_whole_words_outside_of_quotes_count(void **state)
{
	(void)state;
	assert_string_equal(of_cmdline("netconsole=ttyS0 xconsole=ttyS1 consoles=ttyS2"), "");
	assert_string_equal(of_cmdline("x=\"a console=ttyS0 b\" console=ttyS1"), "/dev/ttyS1");
	assert_string_equal(of_cmdline("console=\"ttyS0,9600\""), "/dev/ttyS0");
	assert_string_equal(of_cmdline("console=ttyS0 -- console=ttyS1"), "/dev/ttyS0");
}

static void what_is_no_name_is_none(void **state)
{
	(void)state;
	assert_string_equal(of_cmdline("console= console=null console=, console=a;b console=uart8250,io,0x3f8"),
		"/dev/uart8250");
	assert_string_equal(of_cmdline("console=brl,ttyS0 console=brl=ttyS1,ttyS2,9600"), "/dev/ttyS2 /dev/ttyS0");
	assert_string_equal(of_cmdline("console=brl"), "/dev/brl");
	assert_string_equal(of_cmdline("console=0123456789012345678901234567890123456789012345678901234567890123456789"), "");
}

static void there_is_room_for_the_last_ones(void **state)
{
	char text[1024] = "";

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "console=ttyS%d ", i);
	assert_string_equal(of_cmdline(text), "/dev/ttyS19 /dev/ttyS18 /dev/ttyS17 /dev/ttyS16 /dev/ttyS15 /dev/ttyS14 "
		"/dev/ttyS13 /dev/ttyS12 /dev/ttyS11 /dev/ttyS10 /dev/ttyS9 /dev/ttyS8 /dev/ttyS7 /dev/ttyS6 /dev/ttyS5 "
		"/dev/ttyS4");
}

static void the_kernels_list_is_read_line_by_line(void **state)
{
	(void)state;
	assert_string_equal(named(bootcons_from_consoles,
		"ttyS0                -W- (EC p a)    4:64\n"
		"netcon0              -W- (E     )\n"
		"pstore-1             -W- (E     )\n"
		"ttyS1                -W- (  p   )    4:65\n"
		"tty0                 -WU (E  p  )    4:1\n"), "/dev/ttyS0 /dev/tty1");
	assert_string_equal(named(bootcons_from_consoles, ""), "");
	assert_string_equal(named(bootcons_from_consoles, "rubbish\n(\n) 4:64\n\n"), "");
}

static void of_the_active_ones_the_last_is_preferred(void **state)
{
	(void)state;
	assert_string_equal(named(bootcons_from_active, "tty0 ttyS0\n"), "/dev/ttyS0 /dev/tty1");
	assert_string_equal(named(bootcons_from_active, "\n"), "");
}

static void a_source_is_a_file(void **state)
{
	char path[] = "/tmp/bootcons_test.XXXXXX";
	static const char *const names[] = { "tty0", "ttyS0", NULL };
	const struct bootcons_places places = {
		.cmdline = path, .consoles = "/nonexistent", .active = "/nonexistent", .custom = names,
	};
	struct bootcons found;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "console=ttyS3\n", 14), 14);
	bootcons_find(BOOTCONS_CMDLINE, &places, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.path[0], "/dev/ttyS3");
	bootcons_find(BOOTCONS_CONSOLES, &places, &found);
	assert_int_equal(found.count, 0);
	bootcons_find(BOOTCONS_ACTIVE, &places, &found);
	assert_int_equal(found.count, 0);
	bootcons_find(BOOTCONS_CUSTOM, &places, &found);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.path[0], "/dev/tty1");
	assert_string_equal(found.path[1], "/dev/ttyS0");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_console_comes_first),
		cmocka_unit_test(tty0_is_its_first_screen_and_comes_once),
		cmocka_unit_test(only_whole_words_outside_of_quotes_count),
		cmocka_unit_test(what_is_no_name_is_none),
		cmocka_unit_test(there_is_room_for_the_last_ones),
		cmocka_unit_test(the_kernels_list_is_read_line_by_line),
		cmocka_unit_test(of_the_active_ones_the_last_is_preferred),
		cmocka_unit_test(a_source_is_a_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
