/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a real helper with its real sink, in which each system call fails, the first, the last ... of its name, once and
 * from then on, with each of some errors. Who fails once must come through on its own; who fails for ever is killed, as are helpers
 * of a machine in need, and the next one goes on. Then everything is delivered, nothing is lost, and no descriptor is left open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "initlog/initlog.h"
#include "initlog/sink.h"

enum { LINES = 3, NAMES_MAX = 64, HEARD_MAX = 8192, LONG_MS = 20000, LASTING_MS = 20, TICK_US = 200, RECORD_BYTES = 384 };

static const int errors[] = { -EINTR, -EAGAIN, -EIO, -ENOMEM, -ENFILE, -ENOSPC };
static const char *const sink_name[] = { "console", "syslog", "records", "wtmp" };
_Static_assert(sizeof sink_name / sizeof sink_name[0] == SINK_COUNT, "name every sink");

/* What a helper calls; it writes, we read. Names are constants of this image, which its forks have, too. */
static struct {
	struct {
		const char *name;
		_Atomic int calls;
	} heard[NAMES_MAX];
	_Atomic int names;
} *told;

static char dir[] = "/tmp/helper_sweep.XXXXXX", failing[256];
static char console_path[64], utmp_path[64], wtmp_path[64], level_path[64];
static struct sockaddr_un log_at = { .sun_family = AF_UNIX };
static int master, syslogd;
static struct initlog log_;
static struct title title;
static struct initlog_config config;
static void (*hear)(const char *name);

typedef void arming(const char *name, int skip, int err);

static void note(const char *name)
{
	int at = 0;

	while (at < told->names && strcmp(told->heard[at].name, name) != 0)
		at++;
	if (at == NAMES_MAX)
		return;
	told->heard[at].name = name;
	told->heard[at].calls++;
	if (at == told->names)
		told->names++;
}

/* --- the sinks' other ends --- */

static void path_make(char out[64], const char *name)
{
	(void)snprintf(out, 64, "%s/%s", dir, name);
}

static int set_up(void **state)
{
	struct termios raw;
	int slave;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path_make(utmp_path, "utmp");
	path_make(wtmp_path, "wtmp");
	path_make(level_path, "runlevel");
	path_make(log_at.sun_path, "log");
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(master >= 0 && !unlockpt(master) && !ptsname_r(master, console_path, sizeof console_path));
	slave = open(console_path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0 && !tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(syslogd >= 0 && !bind(syslogd, (struct sockaddr *)&log_at, sizeof log_at));
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(told, MAP_FAILED);
	config = (struct initlog_config){ .ident = "init", .title = "init", .console = { console_path }, .dev_log = &log_at,
		.dev_log_folder = dir, .zone = "UTC0", .utmp = utmp_path, .wtmp = wtmp_path, .runlevel = level_path };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(utmp_path);
	(void)unlink(wtmp_path);
	(void)unlink(level_path);
	(void)unlink(log_at.sun_path);
	return rmdir(dir);
}

static void file_empty(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

/* A terminal shows at once what it gets: what still lies in it is dropped when it fails. */
static char shown[HEARD_MAX];
static size_t shown_bytes;

static void hear_out(int fd)
{
	ssize_t got;

	while (shown_bytes < sizeof shown - 1 && (got = read(fd, shown + shown_bytes, sizeof shown - 1 - shown_bytes)) > 0)
		shown_bytes += (size_t)got;
	shown[shown_bytes] = '\0';
}

/* --- a life --- */

static pid_t helper_start(enum sink sink, arming *arm, const char *name, int skip, int err)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (arm)
		arm(name, skip, err);
	else
		fault_tell(hear);
	helper_main(&log_, sink);
}

static void helper_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static bool is_through(enum sink sink)
{
	struct queue_status status = queue_status(log_.queue, sink);

	return !status.pending && status.state == SINK_IDLE;
}

/* Until it has delivered all; started again when it dies, as pid 1 would. */
static void deliver_all(enum sink sink, pid_t *pid)
{
	struct mono end = mono_after_ms(mono_now(), LONG_MS);

	while (!is_through(sink)) {
		if (waitpid(*pid, NULL, WNOHANG) == *pid)
			*pid = helper_start(sink, NULL, NULL, 0, 0);
		if (mono_is_due(end, mono_now()))
			fail_msg("%s: not delivered: %llu", failing, (unsigned long long)queue_status(log_.queue, sink).pending);
		usleep(TICK_US);
	}
}

/* What is delivered is on its way through the terminal for a moment, and could be dropped there. */
static void see_shown(const char *line)
{
	struct mono end = mono_after_ms(mono_now(), LONG_MS);

	for (hear_out(master); is_through(SINK_CONSOLE) && !strstr(shown, line) && !mono_is_due(end, mono_now()); hear_out(master))
		usleep(TICK_US);
}

static void let_it_try(enum sink sink)
{
	struct mono end = mono_after_ms(mono_now(), LASTING_MS);

	while (!is_through(sink) && !mono_is_due(end, mono_now()))
		usleep(TICK_US);
}

static int descriptors_of(pid_t pid)
{
	char path[64];
	DIR *folder;
	int count = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static const char *line_of(int step)
{
	static char line[16];

	(void)snprintf(line, sizeof line, "line %d", step + 1);
	return line;
}

static void say(int step)
{
	initlog(&log_, LOG_TO_BOTH, "%s", line_of(step));
	switch (step) {
	case 0:
		record_truncate_utmp(&log_);
		record_boot(&log_);
		break;
	case 1:
		record_level(&log_, '2', 'N');
		break;
	default:
		record_start(&log_, "si\0", 77);
		record_end(&log_, "si\0", 77);
	}
}

/* In order; one that was begun by a helper that was killed may come twice. is_dropped: what a terminal had not sent when it was
 * closed for a failure is dropped with it (sink_console.c), so of a console that fails on and on only the last line is sure. */
static void check_lines(const char *text, bool is_dropped)
{
	const char *at = text;

	for (int i = 1; i <= LINES; i++) {
		const char *line = line_of(i - 1);

		if (is_dropped && !strstr(at, line))
			continue;
		at = strstr(at, line);
		if (!at)
			fail_msg("%s: %s is missing or out of order in: %s", failing, line, text);
	}
	if (strstr(text, "lost"))
		fail_msg("%s: %s", failing, text);
}

static void check_records(const char *path, int at_least)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	if (st.st_size % RECORD_BYTES || st.st_size < at_least * RECORD_BYTES)
		fail_msg("%s: %s has %lld bytes", failing, path, (long long)st.st_size);
}

static void check_delivered(enum sink sink, bool is_for_ever)
{
	switch (sink) {
	case SINK_CONSOLE:
	case SINK_SYSLOG:
		check_lines(shown, is_for_ever && sink == SINK_CONSOLE);
		if (is_for_ever && !strstr(shown, "the last line"))
			fail_msg("%s: the last line is missing in: %s", failing, shown);
		break;
	case SINK_RECORDS:
		check_records(utmp_path, 3);
		break;
	default:
		check_records(wtmp_path, 4);
	}
	if (queue_status(log_.queue, sink).lost)
		fail_msg("%s: lost: %llu", failing, (unsigned long long)queue_status(log_.queue, sink).lost);
}

/* -> the helper's descriptors at the end. */
static int one_life(enum sink sink, arming *arm, const char *name, int skip, int err)
{
	bool is_for_ever = arm == fault_name_after;
	pid_t pid;
	int fds;

	shown_bytes = 0;
	file_empty(utmp_path);
	file_empty(wtmp_path);
	log_ = (struct initlog){ 0 };
	assert_int_equal(initlog_open(&log_, &config, &title, -1), 0);
	pid = helper_start(sink, arm, name, skip, err);
	for (int step = 0; step < LINES; step++) {
		say(step);
		if (is_for_ever)
			let_it_try(sink);
		else
			deliver_all(sink, &pid);
		if (sink == SINK_CONSOLE)
			see_shown(line_of(step));
		else
			hear_out(syslogd);
	}
	if (is_for_ever) {
		helper_end(pid);
		pid = helper_start(sink, NULL, NULL, 0, 0);
		initlog(&log_, LOG_TO_BOTH, "the last line");
		record_end(&log_, "si\0", 78);
	}
	deliver_all(sink, &pid);
	if (sink == SINK_CONSOLE)
		see_shown(is_for_ever ? "the last line" : line_of(LINES - 1));
	else
		hear_out(syslogd);
	fds = descriptors_of(pid);
	helper_end(pid);
	check_delivered(sink, is_for_ever);
	queue_free(log_.queue);
	return fds;
}

static void sweep_sink(enum sink sink, arming *arm, const char *what, int *lives)
{
	int fds;

	memset(told, 0, sizeof *told);
	strcpy(failing, "nothing fails");
	hear = note;
	fds = one_life(sink, NULL, NULL, 0, 0);
	hear = NULL;
	for (int at = 0; at < told->names; at++)
		for (int skip = 0; skip < told->heard[at].calls; skip += 1 + told->heard[at].calls / 2)
			for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++, ++*lives) {
				int left;

				(void)snprintf(failing, sizeof failing, "%s: call %d of %s fails %s: %s", sink_name[sink], skip + 1,
					told->heard[at].name, what, strerror(-errors[i]));
				left = one_life(sink, arm, told->heard[at].name, skip, errors[i]);
				/* Who had to wait for syslogd keeps its watch. */
				if (left > fds + (sink == SINK_SYSLOG))
					fail_msg("%s: %d descriptors more", failing, left - fds);
			}
}

static void sweep(arming *arm, const char *what)
{
	int lives = 0;

	fake_no_pauses();
	for (enum sink sink = 0; sink < SINK_COUNT; sink++)
		sweep_sink(sink, arm, what, &lives);
	fake_processes(0);
	print_message("# %d lives\n", lives);
}

static void a_call_that_fails_once_costs_nothing(void **state)
{
	(void)state;
	sweep(fault_name_once, "once");
}

static void calls_that_fail_for_ever_cost_nothing_when_the_next_helper_s_work(void **state)
{
	(void)state;
	sweep(fault_name_after, "from then on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_fails_once_costs_nothing),
		cmocka_unit_test(calls_that_fail_for_ever_cost_nothing_when_the_next_helper_s_work),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
