/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries are started for real here: each executes this program again, which writes down what it finds. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/child.h"
#include "init/reap.h"
#include "init/report.h"
#include "init/start.h"
#include "lib/sys.h"

enum { DEADLINE_TICKS = 3000, TICK_US = 10000 };

/* --- what is executed --- */

static void probe_descriptors(FILE *out)
{
	for (int fd = 0; fd < 256; fd++) {
		char link[32], name[256];
		ssize_t len;

		if (fd == fileno(out))
			continue;
		(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		len = readlink(link, name, sizeof name - 1);
		if (len < 0)
			continue;
		name[len] = '\0';
		(void)fprintf(out, "fd %d %s flags %o\n", fd, name, fcntl(fd, F_GETFL));
	}
}

static void probe_signals(FILE *out)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "SigBlk", 6) || !strncmp(line, "SigIgn", 6) || !strncmp(line, "SigCgt", 6))
			(void)fputs(line, out);
	if (status)
		(void)fclose(status);
}

/* NAME FILE END: END is an exit status, k9 for a signal, b for one that leaves a child of its own behind, w for one that
 * waits for FILE.go. */
static int probe(int argc, char **argv)
{
	char go[300], done[300];
	FILE *out = fopen(argv[1], "we");

	if (!out || argc < 3)
		return 99;
	for (int signal = 1; strchr("kw", argv[2][0]) && signal < 32; signal++)
		(void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);   /* a sanitizer's */
	(void)fprintf(out, "pid %d sid %d pgid %d tpgid %d\n", getpid(), getsid(0), getpgrp(), tcgetpgrp(0));
	for (int i = 0; i < argc; i++)
		(void)fprintf(out, "arg %s\n", argv[i]);
	for (char **variable = environ; *variable; variable++)
		(void)fprintf(out, "env %s\n", *variable);
	probe_descriptors(out);
	probe_signals(out);
	(void)fputs("end\n", out);
	(void)fclose(out);
	(void)snprintf(go, sizeof go, "%s.go", argv[1]);
	(void)snprintf(done, sizeof done, "%s.done", argv[1]);
	if (argv[2][0] == 'k')
		return kill(getpid(), atoi(argv[2] + 1));
	if (argv[2][0] == 'b' && fork())
		return 0;
	for (int i = 0; strchr("bw", argv[2][0]) && access(go, F_OK) && i < DEADLINE_TICKS; i++)
		usleep(TICK_US);
	if (argv[2][0] == 'b')
		(void)close(open(done, O_CREAT | O_WRONLY, 0600));
	return atoi(argv[2]);
}

/* --- the tests --- */

/* Only an inherited handler would call it. */
static void handled_by_mistake(int signal)
{
	_exit(120 + signal % 8);
}

static int begin(void **state)
{
	struct init *in = fake_init_begin();
	char self[256], link[128];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	assert_true(len > 0);
	self[len] = '\0';
	assert_int_equal(report_open(in), 0);
	fake_file("/bin/empty", "", 0644);
	fake_file("/dev/empty", "", 0644);
	(void)snprintf(link, sizeof link, "%s/bin/probe", fake_root_dir());
	assert_int_equal(symlink(self, link), 0);
	(void)snprintf(link, sizeof link, "%s/bin/sh", fake_root_dir());
	assert_int_equal(symlink("/bin/sh", link), 0);
	(void)snprintf(link, sizeof link, "%s/dev/null", fake_root_dir());
	assert_int_equal(symlink("/dev/null", link), 0);
	fake_processes(0);
	fake_no_pauses();
	fake_clock_set(-1, -1);
	queue_free(in->log.queue);                      /* no helper would ever empty it: nothing to wait for */
	in->log.queue = NULL;
	*state = in;
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

static int console_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char link[128];

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	(void)snprintf(link, sizeof link, "%s/dev/console", fake_root_dir());
	(void)unlink(link);
	assert_int_equal(symlink(ptsname(master), link), 0);
	return master;
}

static const char *found_path(void)
{
	static char path[128];

	(void)snprintf(path, sizeof path, "%s/found", fake_root_dir());
	return path;
}

static void adopt_probe(struct init *in, const char *levels, const char *action, const char *end_by)
{
	char line[400];

	(void)snprintf(line, sizeof line, "p:%s:%s:+/bin/probe %s %s\n", levels, action, found_path(), end_by);
	fake_adopt(in, line);
}

static void start(struct init *in)
{
	(void)unlink(found_path());
	assert_int_equal(start_entry(in, in->family.entry, mono_now()), 0);
	assert_true(in->family.entry->pid > 0);
}

static void wait_for_end(struct init *in)
{
	for (int i = 0; in->family.entry->pid && i < DEADLINE_TICKS; i++) {
		chld_handler(in);
		usleep(in->family.entry->pid ? TICK_US : 0);
	}
	assert_int_equal(in->family.entry->pid, 0);
}

static void run(struct init *in)
{
	start(in);
	wait_for_end(in);
}

/* All that the probe has written, once it has. */
static const char *found(void)
{
	static char text[65536];
	FILE *file = NULL;
	size_t len = 0;

	for (int i = 0; i < DEADLINE_TICKS; i++) {
		file = fopen(found_path(), "r");
		if (file) {
			len = fread(text, 1, sizeof text - 1, file);
			(void)fclose(file);
		}
		text[len] = '\0';
		if (strstr(text, "\nend\n"))
			return text;
		usleep(TICK_US);
	}
	fail_msg("the entry was not executed");
	return "";
}

__attribute__((format(printf, 1, 2))) static bool has(const char *format, ...)
{
	char line[300];
	va_list args;

	line[0] = '\n';
	va_start(args, format);
	(void)vsnprintf(line + 1, sizeof line - 2, format, args);
	va_end(args);
	strcat(line, "\n");
	return strstr(found(), line) != NULL;
}

static void an_entry_gets_a_session_words_and_its_environment(void **state)
{
	struct init *in = *state;
	int pid, sid, pgid, tpgid;

	(void)console_terminal();
	in->inherited[0] = (char[]){ "HOME=/" };
	adopt_probe(in, "2", "once", "7");
	run(in);
	assert_int_equal(sscanf(found(), "pid %d sid %d pgid %d tpgid %d", &pid, &sid, &pgid, &tpgid), 4);
	assert_true(sid == pid && pgid == pid);
	assert_int_equal(tpgid, -1);                    /* no controlling terminal */
	assert_true(has("arg /bin/probe") && has("arg 7"));
	assert_true(has("env HOME=/") && has("env RUNLEVEL=2") && has("env PREVLEVEL=N"));
	assert_true(has("env CONSOLE=/dev/console") && has("env SHELL=/bin/sh"));
	assert_int_equal(in->family.entry->wait_code, CLD_EXITED);
	assert_int_equal(in->family.entry->wait_status, 7);
}

/* 32 and 33, which libc keeps for itself and lets nobody reset: what make starts may ignore one or both. */
static const unsigned long long OF_LIBC = 0x180000000;

static unsigned long long ignored(void)
{
	const char *at = strstr(found(), "\nSigIgn:");
	unsigned long long mask = 0;

	assert_true(at && sscanf(at, " SigIgn: %llx", &mask) == 1);
	return mask;
}

static void signals_are_as_if_nobody_had_touched_them(void **state)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, handle = { .sa_handler = handled_by_mistake };
	struct init *in = *state;
	sigset_t all, before;

	sigfillset(&all);
	assert_int_equal(sigaction(SIGPIPE, &ignore, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &handle, NULL), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &before), 0);
	adopt_probe(in, "2", "once", "0");
	run(in);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	ignore.sa_handler = SIG_DFL;
	assert_int_equal(sigaction(SIGPIPE, &ignore, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &ignore, NULL), 0);
	if (!has("SigBlk:	0000000000000000") || ignored() & ~OF_LIBC)
		fail_msg("%s", found());
}

static void nothing_is_open_but_the_console(void **state)
{
	struct init *in = *state;
	int master = console_terminal(), other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(other >= 3);
	for (int round = 0; round < 2; round++) {
		in->level.now = "2#"[round];
		adopt_probe(in, "2", round ? "sysinit" : "once", "0");
		run(in);
		for (int fd = 0; fd < 3; fd++)
			assert_non_null(strstr(found(), ptsname(master)));
		assert_true(has("fd 0 %s flags %o", ptsname(master), O_RDWR | 0100000) ||
			has("fd 0 %s flags %o", ptsname(master), O_RDWR));
		for (int fd = 3; fd < 256; fd++) {
			char text[16];

			(void)snprintf(text, sizeof text, "\nfd %d ", fd);
			if (strstr(found(), text))
				fail_msg("descriptor %d is open: %s", fd, strstr(found(), text));
		}
	}
}

static void without_a_console_it_is_dev_null_and_said(void **state)
{
	struct init *in = *state;
	char text[128];

	assert_int_equal(queue_create(&in->log.queue), 0);
	adopt_probe(in, "2", "once", "0");
	in->family.entry->flags = 0;
	run(in);
	report_read(in);
	(void)snprintf(text, sizeof text, "open(/dev/console): %s", strerror(ENOENT));
	assert_true(fake_has_said(in, SINK_CONSOLE, text));
	assert_true(has("fd 0 /dev/null flags %o", O_RDWR | 0100000) || has("fd 0 /dev/null flags %o", O_RDWR));
	assert_true(has("env CONSOLE=/dev/null"));
}

static void what_cannot_be_executed_is_said_and_has_status_1(void **state)
{
	struct init *in = *state;

	assert_int_equal(queue_create(&in->log.queue), 0);
	in->is_console_missing = true;
	fake_adopt(in, "p:2:once:+/bin/missing word\n");
	run(in);
	report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "cannot execute \"/bin/missing\"");
	assert_int_equal(in->family.entry->wait_status, 1);
	fake_adopt(in, "q:2:once:+\n");
	run(in);
	report_read(in);
	assert_string_equal(fake_said(in, SINK_CONSOLE), "cannot execute \"\"");
}

/* --- in a session with the console --- */

static void in_the_boot_a_waited_for_entry_has_the_console_as_its_terminal(void **state)
{
	struct init *in = *state;
	int master = console_terminal();

	in->level.now = '#';
	for (int round = 0; round < 3; round++) {       /* each takes it over from the one before */
		int pid, sid, pgid, tpgid;

		adopt_probe(in, "", "sysinit", "5");
		in->family.entry->flags = 0;
		run(in);
		assert_int_equal(sscanf(found(), "pid %d sid %d pgid %d tpgid %d", &pid, &sid, &pgid, &tpgid), 4);
		assert_int_equal(tpgid, pgid);
		assert_int_not_equal(sid, pid);         /* its keeper leads */
		assert_true(has("env RUNLEVEL=S"));
		assert_int_equal(in->family.entry->wait_status, 5);
		fake_adopt(in, "");
	}
	(void)master;
}

static void what_ends_an_entry_in_its_session_is_told(void **state)
{
	struct init *in = *state;
	static const int signals[] = { SIGTERM, SIGKILL, SIGABRT, SIGHUP };

	(void)console_terminal();
	in->level.now = '#';
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		char end_by[8];

		(void)snprintf(end_by, sizeof end_by, "k%d", signals[i]);
		adopt_probe(in, "", "sysinit", end_by);
		run(in);
		assert_int_equal(in->family.entry->wait_code, CLD_KILLED);
		assert_int_equal(in->family.entry->wait_status, signals[i]);
		fake_adopt(in, "");
	}
}

static void touch(const char *suffix)
{
	char path[160];

	(void)snprintf(path, sizeof path, "%s%s", found_path(), suffix);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
}

static bool appears(const char *suffix)
{
	char path[160];

	(void)snprintf(path, sizeof path, "%s%s", found_path(), suffix);
	for (int i = 0; access(path, F_OK) && i < DEADLINE_TICKS; i++)
		usleep(TICK_US);
	return !access(path, F_OK);
}

static void its_end_is_no_hang_up_for_what_it_left_in_the_background(void **state)
{
	struct init *in = *state;

	if (geteuid())
		skip();                                 /* taking a terminal from another session is root's */
	(void)console_terminal();
	in->level.now = '#';
	adopt_probe(in, "", "sysinit", "b");
	run(in);
	touch(".go");
	assert_true(appears(".done"));
}

/* As signals_block() and survive_install() leave them in pid 1. */
static void a_signal_of_a_fault_to_the_group_ends_the_process_but_not_its_keeper(void **state)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGTERM };
	struct init *in = *state;

	(void)console_terminal();
	in->level.now = '#';
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		struct sigaction handle = { .sa_handler = handled_by_mistake }, old;
		sigset_t mask, before;

		sigfillset(&mask);
		sigdelset(&mask, SIGSEGV);
		sigdelset(&mask, SIGABRT);
		sigdelset(&mask, SIGBUS);
		assert_int_equal(sigaction(signals[i], &handle, &old), 0);
		assert_int_equal(sigprocmask(SIG_SETMASK, &mask, &before), 0);
		adopt_probe(in, "", "sysinit", "w");
		start(in);
		(void)found();
		assert_int_equal(kill(-in->family.entry->pid, signals[i]), 0);
		wait_for_end(in);
		assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
		assert_int_equal(sigaction(signals[i], &old, NULL), 0);
		assert_int_not_equal(in->family.entry->wait_code, CLD_EXITED);
		assert_int_equal(in->family.entry->wait_status, signals[i]);
		fake_adopt(in, "");
	}
}

static void other_levels_and_entries_have_no_keeper(void **state)
{
	static const struct {
		char level;
		const char *levels, *action;
		bool has_keeper;
	} cases[] = {
		{ '#', "", "sysinit", true }, { '*', "", "bootwait", true }, { 'S', "S", "wait", true },
		{ '*', "", "boot", false }, { 'S', "S", "respawn", false }, { '2', "2", "wait", false },
	};
	struct init *in = *state;

	(void)console_terminal();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int pid, sid;

		in->level.now = cases[i].level;
		adopt_probe(in, cases[i].levels, cases[i].action, "0");
		run(in);
		assert_int_equal(sscanf(found(), "pid %d sid %d", &pid, &sid), 2);
		assert_int_equal(pid != sid, cases[i].has_keeper);
		fake_adopt(in, "");
	}
}

static void whatever_call_fails_on_the_way_the_end_is_told(void **state)
{
	struct init *in = *state;

	(void)console_terminal();
	for (int round = 0; round < 2; round++)
		for (int nth = 65; nth <= 90; nth++) {  /* behind the fork, the mask and the 64 dispositions */
			in->level.now = "2#"[round];
			adopt_probe(in, "2", round ? "sysinit" : "once", "0");
			fault_arm(nth, -EAGAIN);
			run(in);
			fault_clear();
			fake_adopt(in, "");
		}
}

static void a_refused_execution_is_told_by_status_1(void **state)
{
	struct init *in = *state;

	for (int round = 0; round < 2; round++) {
		in->level.now = "2#"[round];
		adopt_probe(in, "2", round ? "sysinit" : "once", "0");
		fault_name("exec", -ENOMEM);
		run(in);
		fault_clear();
		assert_int_equal(in->family.entry->wait_status, 1);
		fake_adopt(in, "");
	}
}

static void a_keeper_that_cannot_fork_says_so_and_tries_again(void **state)
{
	struct init *in = *state;
	bool said = false;

	assert_int_equal(queue_create(&in->log.queue), 0);
	(void)console_terminal();
	in->level.now = '#';
	for (int nth = 65; nth <= 90 && !said; nth++) {
		adopt_probe(in, "", "sysinit", "6");
		in->family.entry->flags = 0;
		fault_arm(nth, -EAGAIN);
		run(in);
		fault_clear();
		report_read(in);
		said = fake_has_said(in, SINK_CONSOLE, "cannot fork, retry..");
		assert_int_equal(in->family.entry->wait_status, 6);
		fake_adopt(in, "");
	}
	assert_true(said);
}

/* --- disposable children --- */

static void a_disposable_child_keeps_its_channel_and_what_it_is_given(void **state)
{
	struct init *in = *state;
	int more[4], status;
	pid_t pid;

	for (int i = 0; i < 4; i++)
		more[i] = open("/dev/null", O_RDONLY);
	for (int i = -1; i < 4; i++) {
		int keep = i < 0 ? -1 : more[i];

		pid = fork();
		if (!pid) {
			child_shed(in, keep);
			for (int fd = 3; fd < 256; fd++)
				if ((fcntl(fd, F_GETFD) >= 0) != (fd == in->report_child_fd || fd == keep))
					_exit(fd);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(an_entry_gets_a_session_words_and_its_environment),
		CASE(signals_are_as_if_nobody_had_touched_them),
		CASE(nothing_is_open_but_the_console),
		CASE(without_a_console_it_is_dev_null_and_said),
		CASE(what_cannot_be_executed_is_said_and_has_status_1),
		CASE(in_the_boot_a_waited_for_entry_has_the_console_as_its_terminal),
		CASE(what_ends_an_entry_in_its_session_is_told),
		CASE(its_end_is_no_hang_up_for_what_it_left_in_the_background),
		CASE(a_signal_of_a_fault_to_the_group_ends_the_process_but_not_its_keeper),
		CASE(other_levels_and_entries_have_no_keeper),
		CASE(whatever_call_fails_on_the_way_the_end_is_told),
		CASE(a_refused_execution_is_told_by_status_1),
		CASE(a_keeper_that_cannot_fork_says_so_and_tries_again),
		CASE(a_disposable_child_keeps_its_channel_and_what_it_is_given),
	};
#undef CASE

	if (argc > 2 && !strcmp(argv[0], "/bin/probe"))
		return probe(argc, argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
