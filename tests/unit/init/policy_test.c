/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process 1's part of the SELinux policy; tests/vm/selinux_*.py has the real thing. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/args.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/level.h"
#include "init/policy.h"
#include "init/policy_exit.h"
#include "init/reap.h"
#include "init/report.h"
#include "lib/sys.h"

#define LOADER "/lib/sysvinit/selinux-load"
#define REFUSED "Unable to load SELinux Policy. Machine is in enforcing mode. Halting now."
#define GOES_ON "no SELinux policy is loaded, going on without"

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

/* --- what follows from how the loader ended --- */

static void boot_until_loader_ends(struct init *in, int status)
{
	level_boot(in);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_POLICY);
	assert_int_equal(fake_forks(), 1);
	fake_job_ends(in, JOB_POLICY, status);
	fake_turns(in);
}

static void nothing_is_started_before_the_loader_has_ended(void **state)
{
	struct init *in = *state;

	level_boot(in);
	fake_turns(in);
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
		assert_int_equal(job_is_busy(in, kind), kind == JOB_POLICY);
	assert_false(level_takes_requests(in));
	level_signal(in, LEVEL_SIGNAL_INT);
	fake_pass_ms(119000);
	fake_turns(in);
	assert_int_equal(fake_forks(), 1);
	assert_null(fake_said(in, SINK_CONSOLE));
}

static void where_none_is_wanted_the_boot_goes_on_without_a_word(void **state)
{
	struct init *in = *state;

	boot_until_loader_ends(in, POLICY_EXIT_NOTHING);
	assert_int_equal(in->level.phase, PHASE_BOOT);
	assert_true(job_is_busy(in, JOB_CONSOLE));
	assert_string_equal(fake_said(in, SINK_CONSOLE), "version " VERSION " booting");
}

static void without_a_policy_the_boot_goes_on_and_it_is_said(void **state)
{
	static const int statuses[] = { POLICY_EXIT_FAILED, POLICY_EXIT_USAGE, 127 };

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct init *in = fake_init_begin();

		boot_until_loader_ends(in, statuses[i]);
		assert_int_equal(in->level.phase, PHASE_BOOT);
		assert_string_equal(fake_said(in, SINK_CONSOLE), GOES_ON);
		fake_init_end(in);
	}
}

static void a_loader_that_does_not_end_is_given_up(void **state)
{
	struct init *in = *state;

	level_boot(in);
	fake_turns(in);
	fake_pass_ms(120000);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "SELinux policy loader does not end, giving it up");
	assert_string_equal(fake_said(in, SINK_CONSOLE), GOES_ON);
}

static void a_machine_that_must_not_run_without_is_halted_and_starts_nothing(void **state)
{
	struct init *in = *state;
	const int *calls;

	boot_until_loader_ends(in, POLICY_EXIT_REFUSED);
	assert_int_equal(in->level.phase, PHASE_HALT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), REFUSED);
	assert_int_equal(fake_reboot_calls(&calls), 1); /* whoever stands before it may use the keys */
	assert_int_equal(calls[0], (int)RB_ENABLE_CAD);
	fake_job_ends(in, JOB_HALT, 0);
	fake_turns(in);
	level_signal(in, LEVEL_SIGNAL_INT);
	level_signal(in, LEVEL_SIGNAL_HUP);
	fake_pass_ms(3600000);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_HALT);
	assert_int_equal(fake_forks(), 2);              /* the loader, and the one that halts */
	assert_false(level_takes_requests(in));
}

static void when_the_exec_fails_the_boot_goes_on_and_loads_no_second_time(void **state)
{
	struct init *in = *state;

	fault_name("exec", -EACCES);
	boot_until_loader_ends(in, POLICY_EXIT_LOADED);
	fault_clear();
	assert_int_equal(in->level.phase, PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE),
		"the SELinux policy is loaded, but init cannot be executed again in its domain");
	assert_string_equal(args_getenv(in, "SELINUX_INIT"), "YES");
	assert_true(policy_is_settled(in));
}

static void what_the_environment_calls_settled_is_not_loaded_again(void **state)
{
	struct init *in = *state;

	args_add_variable(in, "SELINUX_INIT=YES");
	level_boot(in);
	fake_turns(in);
	assert_int_equal(in->level.phase, PHASE_BOOT);
	assert_false(job_is_busy(in, JOB_POLICY));
	assert_string_equal(fake_said(in, SINK_CONSOLE), "version " VERSION " booting");
}

static void an_end_that_comes_too_late_changes_nothing(void **state)
{
	struct init *in = *state;

	for (int status = POLICY_EXIT_LOADED; status <= POLICY_EXIT_REFUSED; status++)
		policy_load_ended(in, status);
	assert_int_equal(in->level.phase, PHASE_STEADY);
	assert_null(fake_said(in, SINK_CONSOLE));
	assert_int_equal(fake_reboots(), 0);
}

/* --- the exec, in a child of ours --- */

static const char *said_by_image(void)
{
	static char text[512];
	char path[160];
	size_t len = 0;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/said", fake_root_dir());
	file = fopen(path, "r");
	if (file) {
		len = fread(text, 1, sizeof text - 1, file);
		(void)fclose(file);
	}
	text[len] = '\0';
	return text;
}

static void loaded(struct init *in)
{
	char script[256];
	int status;
	pid_t pid;

	(void)snprintf(script, sizeof script, "#!/bin/sh\nexec >%s/said 2>&1\necho \"$0 $*\"\n"
		"test -e /proc/$$/fd/%d && echo state\nprintenv SELINUX_INIT A\nexit 0\n", fake_root_dir(), KEPT_FD);
	fake_file("/proc/self/exe", script, 0755);
	assert_int_equal(kept_open(in), 0);
	in->inherited[0] = (char[]){ "A=inherited" };
	in->inherited[1] = NULL;
	in->level.phase = PHASE_POLICY;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		policy_load_ended(in, POLICY_EXIT_LOADED);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void after_a_policy_was_loaded_this_image_boots_again_as_the_kernel_started_it(void **state)
{
	struct init *in = *state;

	loaded(in);
	assert_non_null(strstr(said_by_image(), "/proc/self/exe \nstate\nYES\ninherited\n"));
}

static void with_the_words_that_it_was_started_with(void **state)
{
	struct init *in = *state;

	in->boot.emergency = true;
	in->boot.level = 'S';
	loaded(in);
	assert_non_null(strstr(said_by_image(), "/proc/self/exe emergency S\nstate\nYES\n"));
}

/* --- the child that runs the loader, for real --- */

static int run_loader(struct init *in)
{
	fake_processes(0);
	fake_clock_set(-1, -1);
	level_boot(in);
	do {
		job_tend(in, mono_now());               /* has its deadline of 120 s */
		sys_poll(NULL, 0, 5);
		chld_handler(in);
	} while (in->level.phase == PHASE_POLICY);
	job_cancel(in, JOB_CONSOLE);
	job_cancel(in, JOB_HALT);
	return (int)in->level.phase;
}

static void what_the_loader_says_is_passed_on_line_by_line(void **state)
{
	struct init *in = *state;

	fake_file(LOADER, "#!/bin/sh\necho \"selinux-load: $*: A\"\necho >&2 B $X\nprintf '\\nno newline'\nexit 1\n", 0755);
	in->inherited[0] = (char[]){ "X=inherited" };
	in->inherited[1] = NULL;
	assert_int_equal(run_loader(in), PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "selinux-load: --load: A");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "B inherited");
	assert_string_equal(fake_said(in, SINK_CONSOLE), "no newline");
	assert_string_equal(fake_said(in, SINK_CONSOLE), GOES_ON);
}

static void a_line_without_end_is_passed_on_in_pieces(void **state)
{
	struct init *in = *state;
	size_t len = 0, lines = 0;
	const char *line;

	fake_file(LOADER, "#!/bin/sh\nhead -c 3000 /dev/zero | tr '\\0' x\nexit 3\n", 0755);
	assert_int_equal(run_loader(in), PHASE_BOOT);
	while ((line = fake_said(in, SINK_CONSOLE)) && *line == 'x') {
		len += strlen(line);
		lines++;
	}
	assert_int_equal(len, 3000);
	assert_true(lines >= 3000 / REPORT_TEXT_MAX);
}

static void the_loaders_word_halts_the_machine(void **state)
{
	struct init *in = *state;

	fake_file(LOADER, "#!/bin/sh\necho why\nexit 4\n", 0755);
	assert_int_equal(run_loader(in), PHASE_HALT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "why");
	assert_string_equal(fake_said(in, SINK_CONSOLE), REFUSED);
}

static void a_loader_that_is_killed_has_failed(void **state)
{
	struct init *in = *state;

	fake_file(LOADER, "#!/bin/sh\nkill -SEGV $$\n", 0755);
	assert_int_equal(run_loader(in), PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), LOADER ": killed by a signal");
	assert_string_equal(fake_said(in, SINK_CONSOLE), GOES_ON);
}

static void one_that_is_not_installed_is_no_trouble(void **state)
{
	assert_int_equal(run_loader(*state), PHASE_BOOT);
	assert_string_equal(fake_said(*state, SINK_CONSOLE), "version " VERSION " booting");
}

static void one_that_cannot_be_executed_is(void **state)
{
	struct init *in = *state;

	fake_file(LOADER, "not a program", 0644);
	assert_int_equal(run_loader(in), PHASE_BOOT);
	assert_true(fake_has_said(in, SINK_CONSOLE, LOADER ": "));
}

/* --- when no loader tells what is to be done --- */

static void machine_with(const char *settings, const char *cmdline)
{
	fake_file("/proc/filesystems", "nodev\tproc\nnodev\tselinuxfs\n", 0444);
	fake_file("/proc/cmdline", cmdline, 0444);
	fake_file("/proc/1/attr/current", "kernel", 0444);
	fake_file("/sys/kernel/x", "", 0444);
	fake_file("/sys/fs/selinux/policyvers", "33", 0444);
	fake_file("/etc/selinux/config", settings, 0644);
}

/* What a broken loader is, and what is said of it. */
static const struct broken {
	const char *script;
	int mode;
	const char *said;
} broken[] = {
	{ NULL, 0, ": No such file or directory" },
	{ "not a program", 0644, ": Permission denied" },
	{ "#!/bin/sh\nkill -KILL $$\n", 0755, ": killed by a signal" },
	{ "#!/bin/sh\nexit 127\n", 0755, ": ended with status 127" },  /* the dynamic linker's, without a library */
	{ "#!/bin/sh\nexit 1\n", 0755, NULL },
};

static void with_each_broken_loader(const char *settings, const char *cmdline, int phase)
{
	for (const struct broken *b = broken; b < broken + sizeof broken / sizeof broken[0]; b++) {
		struct init *in;
		void *state;

		begin(&state);
		in = state;
		machine_with(settings, cmdline);
		if (b->script)
			fake_file(LOADER, b->script, (mode_t)b->mode);
		assert_int_equal(run_loader(in), phase);
		if (b->said && (b->script || phase == PHASE_HALT))
			assert_non_null(strstr(fake_said(in, SINK_CONSOLE), b->said));
		if (phase == PHASE_HALT)
			assert_string_equal(fake_said(in, SINK_CONSOLE), REFUSED);
		end(&state);
	}
}

static void without_a_loader_that_works_a_machine_that_must_enforce_is_halted(void **state)
{
	(void)state;
	with_each_broken_loader("# SELINUX=permissive\nSELINUX=enforcing\nSELINUXTYPE=x\n", "ro quiet", PHASE_HALT);
	with_each_broken_loader("SELINUX=permissive\n", "ro enforcing=1", PHASE_HALT);
	with_each_broken_loader("", "enforcing=1", PHASE_HALT);
}

static void and_any_other_goes_on(void **state)
{
	(void)state;
	with_each_broken_loader("SELINUX=permissive\n", "ro", PHASE_BOOT);
	with_each_broken_loader("SELINUX=enforcing\n", "enforcing=0", PHASE_BOOT);
	with_each_broken_loader("SELINUX=disabled\n", "enforcing=1", PHASE_BOOT);
	with_each_broken_loader("", "", PHASE_BOOT);
}

static void what_the_kernel_does_not_have_or_has_loaded_is_not_demanded(void **state)
{
	struct init *in = *state;

	machine_with("SELINUX=enforcing\n", "enforcing=1");
	fake_file("/proc/filesystems", "nodev\tproc\n", 0444);
	assert_int_equal(run_loader(in), PHASE_BOOT);
	machine_with("SELINUX=enforcing\n", "enforcing=1");
	fake_file("/proc/1/attr/current", "system_u:system_r:init_t:s0", 0444);
	assert_int_equal(run_loader(in), PHASE_BOOT);
}

static void a_container_runs_no_loader(void **state)
{
	struct init *in = *state;

	fake_file(LOADER, "#!/bin/sh\necho loaded\nexit 0\n", 0755);
	fake_file("/proc/self/ns/pid", "", 0644);       /* of another inode than the first name space's */
	assert_int_equal(run_loader(in), PHASE_BOOT);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "version " VERSION " booting");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_started_before_the_loader_has_ended),
		CASE(where_none_is_wanted_the_boot_goes_on_without_a_word),
		cmocka_unit_test(without_a_policy_the_boot_goes_on_and_it_is_said),
		CASE(a_loader_that_does_not_end_is_given_up),
		CASE(a_machine_that_must_not_run_without_is_halted_and_starts_nothing),
		CASE(when_the_exec_fails_the_boot_goes_on_and_loads_no_second_time),
		CASE(what_the_environment_calls_settled_is_not_loaded_again),
		CASE(an_end_that_comes_too_late_changes_nothing),
		CASE(after_a_policy_was_loaded_this_image_boots_again_as_the_kernel_started_it),
		CASE(with_the_words_that_it_was_started_with),
		CASE(what_the_loader_says_is_passed_on_line_by_line),
		CASE(a_line_without_end_is_passed_on_in_pieces),
		CASE(the_loaders_word_halts_the_machine),
		CASE(a_loader_that_is_killed_has_failed),
		CASE(one_that_is_not_installed_is_no_trouble),
		CASE(one_that_cannot_be_executed_is),
		cmocka_unit_test(without_a_loader_that_works_a_machine_that_must_enforce_is_halted),
		cmocka_unit_test(and_any_other_goes_on),
		CASE(what_the_kernel_does_not_have_or_has_loaded_is_not_demanded),
		CASE(a_container_runs_no_loader),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
