/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/job.h"
#include "init/power.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/sys.h"

static int begin(void **state)
{
	struct init *in = fake_init_begin();

	assert_int_equal(report_open(in), 0);
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* Runs the real probe until its end is reaped; what it noted. */
static uint32_t probe(struct init *in)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	in->level.events = 0;
	job_want(in, JOB_POWER);
	do {
		job_tend(in, mono_now());               /* has its deadline of 10 s */
		sys_poll(NULL, 0, 5);
		chld_handler(in);
	} while (in->job[JOB_POWER].pid);
	return in->level.events;
}

static bool is_there(const char *path)
{
	char full[160];

	(void)snprintf(full, sizeof full, "%s%s", fake_root_dir(), path);
	return !access(full, F_OK);
}

static void the_first_letter_of_the_status_file_tells_and_the_file_is_removed(void **state)
{
	static const struct {
		const char *text;
		uint32_t events;
	} cases[] = {
		{ "OK\n", LEVEL_SIGNAL_POWER_OK }, { "LOW", LEVEL_SIGNAL_POWER_LOW },
		{ "FAIL\n", LEVEL_SIGNAL_POWER_FAIL }, { "x", LEVEL_SIGNAL_POWER_FAIL }, { "", LEVEL_SIGNAL_POWER_FAIL },
		{ "o", LEVEL_SIGNAL_POWER_FAIL }, { "L a long text that does not fit into the room", LEVEL_SIGNAL_POWER_LOW },
	};
	struct init *in = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fake_file("/var/run/powerstatus", cases[i].text, 0644);
		assert_int_equal(probe(in), cases[i].events);
		assert_false(is_there("/var/run/powerstatus"));
		assert_null(fake_said(in, SINK_CONSOLE));
	}
}

static void without_a_file_power_has_failed(void **state)
{
	assert_int_equal(probe(*state), LEVEL_SIGNAL_POWER_FAIL);
	assert_null(fake_said(*state, SINK_CONSOLE));
}

static void the_old_place_is_read_with_a_warning(void **state)
{
	struct init *in = *state;

	fake_file("/etc/powerstatus", "O", 0644);
	assert_int_equal(probe(in), LEVEL_SIGNAL_POWER_OK);
	assert_false(is_there("/etc/powerstatus"));
	assert_string_equal(fake_said(in, SINK_CONSOLE),
		"warning: found obsolete path /etc/powerstatus, use /var/run/powerstatus instead");
	fake_file("/etc/powerstatus", "O", 0644);
	fake_file("/var/run/powerstatus", "L", 0644);
	assert_int_equal(probe(in), LEVEL_SIGNAL_POWER_LOW);
	assert_true(is_there("/etc/powerstatus"));
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void whatever_call_of_the_probe_fails_power_never_seems_well(void **state)
{
	struct init *in = *state;

	for (int nth = 2; nth <= 8; nth++) {            /* the first is the fork */
		fake_file("/var/run/powerstatus", "L", 0644);
		fault_arm(nth, -EIO);
		in->level.events = 0;
		(void)probe(in);
		fault_clear();
		assert_false(in->level.events & LEVEL_SIGNAL_POWER_OK);
	}
}

static void a_probe_that_failed_means_that_power_has(void **state)
{
	static const int errors[] = { 1, -ETIMEDOUT, -EINTR };
	struct init *in = *state;

	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		in->level.events = 0;
		power_probe_ended(in, errors[i]);
		assert_int_equal(in->level.events, LEVEL_SIGNAL_POWER_FAIL);
	}
	in->level.events = 0;
	power_probe_ended(in, 0);                       /* its report came before */
	assert_int_equal(in->level.events, 0);
}

static void run_shutdown(struct init *in, const char *flags)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	power_shut_down(in, flags);
	do {
		job_tend(in, mono_now());
		sys_poll(NULL, 0, 5);
		chld_handler(in);
	} while (in->job[JOB_SHUTDOWN].pid);
}

static void shutdown_is_run_with_its_flags(void **state)
{
	struct init *in = *state;
	char script[256], path[160], text[160] = "";
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/said", fake_root_dir());
	(void)snprintf(script, sizeof script, "#!/bin/sh\necho \"$0 $* $A\" >%s\n", path);
	fake_file("/sbin/shutdown", script, 0755);
	in->inherited[0] = (char[]){ "A=b" };
	run_shutdown(in, "-hP");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	(void)fclose(file);
	assert_non_null(strstr(text, "/sbin/shutdown -hP now b\n"));
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void a_shutdown_that_fails_is_said(void **state)
{
	struct init *in = *state;

	fake_file("/sbin/shutdown", "#!/bin/sh\nexit 3\n", 0755);
	run_shutdown(in, "-r");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "/sbin/shutdown -r now failed");
}

static void a_shutdown_that_cannot_be_executed_is_said(void **state)
{
	struct init *in = *state;

	run_shutdown(in, "-r");
	assert_true(fake_has_said(in, SINK_CONSOLE, "cannot execute \"/sbin/shutdown\""));
}

/* What a child that leaves exits with; -1: it did not. */
static int leaves(struct init *in)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		power_leave(in);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) != 99 ? WEXITSTATUS(status) : -1;
}

static void a_container_without_the_right_to_reboot_ends_by_its_init(void **state)
{
	struct init *in = *state;

	for (int nested = 0; nested < 2; nested++) {
		in->is_nested = nested;
		in->level.now = '0';
		assert_int_equal(leaves(in), -1);               /* it may reboot: then others do */
		fault_name("reboot", -EINVAL);
		assert_int_equal(leaves(in), -1);
		fault_name("reboot", -EPERM);
		assert_int_equal(leaves(in), nested ? 0 : -1);
		in->level.now = '6';
		assert_int_equal(leaves(in), nested ? POWER_EXIT_REBOOT : -1);
		fault_clear();
	}
}

static void the_first_name_space_is_known_by_its_number(void **state)
{
	(void)state;
	assert_false(power_is_nested_in_child());               /* nothing is mounted there */
	fake_file("/proc/self/ns/pid", "", 0400);
	assert_true(power_is_nested_in_child());
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(the_first_letter_of_the_status_file_tells_and_the_file_is_removed),
		CASE(without_a_file_power_has_failed),
		CASE(the_old_place_is_read_with_a_warning),
		CASE(whatever_call_of_the_probe_fails_power_never_seems_well),
		CASE(a_probe_that_failed_means_that_power_has),
		CASE(shutdown_is_run_with_its_flags),
		CASE(a_shutdown_that_fails_is_said),
		CASE(a_shutdown_that_cannot_be_executed_is_said),
		CASE(a_container_without_the_right_to_reboot_ends_by_its_init),
		CASE(the_first_name_space_is_known_by_its_number),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
