/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/takeover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "init/args.h"
#include "init/command.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/report.h"
#include "init/start.h"
#include "init/stream.h"
#include "lib/io.h"
#include "lib/sys.h"

#define VERSION_TEXT "SysV init version: "
#define OUR_VERSION "safelog"

/* What JOB_IMAGE exits with beside 0, which stands for ours. */
enum { EXIT_FOREIGN = 200, EXIT_NO_INIT = 201 };

/* How long the text may be on its way: less than the job has. */
enum { STREAM_WAIT_MS = 7000, STATE_MEMFD = 1 };

/* Taken where nothing tells the level: what ran cannot be known, so nothing is stopped for it. */
enum { LEVEL_UNKNOWN_IS = '2' };

/* Damaged entries that are said by name. */
enum { DROPPED_NAMED = 8 };

void takeover_init(struct init *in)
{
	in->takeover = (struct takeover){ .stream_fd = -1, .state_fd = -1, .family_fd = -1 };
}

/* --- the image that is to be replaced --- */

static bool is_time(const struct init *in)
{
	return strchr("S0123456", in->level.now);
}

void takeover_ask(struct init *in)
{
	if (!is_time(in))
		return;
	initlog(&in->log, LOG_TO_SYSLOG, "Trying to re-exec init");
	job_want(in, JOB_IMAGE);
}

static _Noreturn void run_image(struct init *in, int out)
{
	char name[] = "init", flag[] = "--version";
	char *argv[] = { name, flag, NULL };

	if (sys_dup2(out, STDOUT_FILENO) >= 0)
		sys_exit(-sys_exec(INIT_PATH, argv, in->inherited));
	sys_exit(EMFILE);
}

/* Runs it. What it says of itself, and its exit status; -EINTR if it died; or a negative errno. */
static int ask_image(struct init *in, char *text, size_t size_bytes)
{
	siginfo_t end;
	ssize_t got;
	pid_t pid;
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);

	if (err)
		return err;
	pid = sys_fork();
	if (!pid)
		run_image(in, fds[1]);
	if (pid < 0)
		return pid;
	sys_close(fds[1]);
	got = io_read_all(fds[0], text, size_bytes - 1);
	text[got > 0 ? got : 0] = '\0';
	sys_close(fds[0]);
	err = io_wait_child(pid, &end);
	if (err)
		return err;
	return end.si_code == CLD_EXITED ? end.si_status : -EINTR;
}

static void say_what_is_cut(const struct init *in)
{
	int cut = 0;

	for (int32_t i = 0; i < in->family.count; i++)
		if (in->family.entry[i].process_len > STREAM_STOCK_PROCESS_MAX)
			cut++;
	if (cut)
		report_log_in_child(in, LOG_TO_BOTH, "%d process fields are longer than the %d bytes which the next init holds: "
			"it cuts them until it reads " INIT_TAB_PATH, cut, STREAM_STOCK_PROCESS_MAX);
}

void takeover_image_in_child(struct init *in)
{
	char text[128];
	int status = ask_image(in, text, sizeof text);

	if (status)
		report_log_in_child(in, LOG_TO_SYSLOG, INIT_PATH ": %s",
			status == -EINTR ? "killed by a signal" : strerror(status < 0 ? -status : status));
	else if (strncmp(text, VERSION_TEXT, strlen(VERSION_TEXT)))
		report_log_in_child(in, LOG_TO_SYSLOG, INIT_PATH ": not a System V init");
	else if (strstr(text, OUR_VERSION))
		return;
	else {
		say_what_is_cut(in);
		sys_exit(EXIT_FOREIGN);
	}
	sys_exit(EXIT_NO_INIT);
}

void takeover_image_ended(struct init *in, int err)
{
	if (!err || err == EXIT_FOREIGN)
		in->level.image = err ? IMAGE_FOREIGN : IMAGE_OURS;
	else
		initlog(&in->log, LOG_TO_CONSOLE, "Attempt to re-exec failed");
}

/* --- the image that comes up --- */

/* At fd 11, if that is a pipe and something is in it: pid 1 must not wait for it. */
static bool has_signature(void)
{
	char text[STREAM_SIGNATURE_BYTES];
	struct pollfd room = { .fd = STREAM_FD, .events = POLLIN };
	struct stat st;

	return !sys_fstat(STREAM_FD, &st) && S_ISFIFO(st.st_mode) && sys_poll(&room, 1, 0) == 1 &&
		room.revents & POLLIN && sys_read(STREAM_FD, text, sizeof text) == (ssize_t)sizeof text &&
		!memcmp(text, STREAM_SIGNATURE, sizeof text);
}

static bool has_children(void)
{
	siginfo_t end;

	return sys_waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) != -ECHILD;
}

bool takeover_is_due(struct init *in)
{
	if (has_signature() && !sys_set_cloexec(STREAM_FD, 1))
		in->takeover.stream_fd = STREAM_FD;
	if (in->takeover.stream_fd < 0 && !has_children())
		return false;
	args_settle_variables(in, true);
	return true;
}

void takeover_begin(struct init *in)
{
	job_want(in, JOB_STATE);
}

static void say(void *context, const char *text)
{
	report_log_in_child(context, LOG_TO_BOTH, "%s", text);
}

/* Until its end, the time limit, or more bytes than any state has. */
static void read_stream(struct init *in, struct stream *stream)
{
	struct mono deadline = mono_after_ms(mono_now(), STREAM_WAIT_MS);
	size_t left = STREAM_BYTES_MAX;
	static const char too_late[] = "state of the init before: it does not come to its end";
	char bytes[16384];

	while (!stream_is_complete(stream) && left >= sizeof bytes) {
		struct pollfd more = { .fd = in->takeover.stream_fd, .events = POLLIN };
		ssize_t got;

		if (sys_poll(&more, 1, mono_left_ms(deadline, mono_now())) == 0) {
			say(in, too_late);
			return;
		}
		got = sys_read(in->takeover.stream_fd, bytes, sizeof bytes);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return;
		left -= (size_t)got;
		stream_feed(stream, bytes, (size_t)got);
	}
	if (left < sizeof bytes)
		say(in, too_late);
}

/* What the init before showed to others. */
static char level_shown(void)
{
	char text[16];

	if (io_read_file(RUNLEVEL_PATH, text, sizeof text) <= 0 || !strchr("S0123456789", text[0]))
		return 0;
	return text[0];
}

static void settle_level(struct init *in)
{
	struct level *level = &in->level;

	if (!level->now)
		level->now = level_shown();
	if (!level->now) {
		report_log_in_child(in, LOG_TO_BOTH, "the level is not known, it is taken for %c", LEVEL_UNKNOWN_IS);
		level->now = LEVEL_UNKNOWN_IS;
	}
	level->wanted = level->now;
}

void takeover_state_in_child(struct init *in)
{
	struct record_flags out = { false, false, false, false };
	struct stream *stream = stream_begin(say, in);
	int fds[2] = { sys_memfd("init state", STATE_MEMFD), -1 }, err = stream ? 0 : -ENOMEM;

	if (stream) {
		if (in->takeover.stream_fd >= 0)
			read_stream(in, stream);
		err = stream_end(stream, &in->level, &out, &in->family);
	}
	if (err)
		sys_exit(-err);
	settle_level(in);
	if (in->level.is_torn)
		report_log_in_child(in, LOG_TO_BOTH, "state of the init before: incomplete, %d entries are known",
			(int)in->family.count);
	err = fds[0] < 0 ? fds[0] : kept_write_in_child(in, &out, fds[0]);
	if (err)
		sys_exit(-err);
	fds[1] = in->family.fd;
	report_in_child(in, REPORT_STATE, "", fds, 2);
}

static void forget(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

void takeover_take(struct init *in, int fds[2])
{
	if (in->level.phase == PHASE_TAKE) {
		forget(&in->takeover.state_fd);
		forget(&in->takeover.family_fd);
		in->takeover.state_fd = fds[0];
		in->takeover.family_fd = fds[1];
	} else {                                     /* of one that was let go */
		forget(&fds[0]);
		forget(&fds[1]);
	}
}

/* Nobody could tell anything. */
static void guess_level(struct init *in)
{
	in->level = (struct level){ .phase = PHASE_STEADY, .now = LEVEL_UNKNOWN_IS, .previous = 'N',
		.wanted = LEVEL_UNKNOWN_IS, .did_boot = true, .is_torn = true, .stop_s = LEVEL_STOP_DEFAULT_S,
		.deadline = MONO_NEVER, .reread_at = MONO_NEVER };
	initlog(&in->log, LOG_TO_BOTH, "state of the init before: not known");
}

void takeover_state_ended(struct init *in, int err)
{
	struct record_flags out = { false, false, false, false };
	uint32_t events = in->level.events;
	bool is_halted = in->level.is_halted;
	int family_fd = in->takeover.family_fd;

	(void)err;                                   /* what it reported is whole, or it reported nothing */
	if (in->level.phase != PHASE_TAKE)
		return;
	if (!kept_read_level(in, in->takeover.state_fd, &out))
		guess_level(in);
	in->level.events |= events;
	in->level.is_halted |= is_halted;
	in->takeover.family_fd = -1;
	if (in->takeover.stream_fd >= 0)
		io_reserve(STREAM_FD);
	in->takeover.stream_fd = -1;
	forget(&in->takeover.state_fd);
	takeover_go_on(in, family_fd, &out);
}

/* --- going on --- */

static bool is_child(pid_t pid)
{
	siginfo_t end;

	return sys_waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) != -ECHILD;
}

/* Whom the image before had started without coming to note it is noted. Who was reaped but not yet noted, and whom a text names that is none of ours: not to be waited for, nor signalled. */
static void check_children(struct init *in)
{
	for (int32_t i = 0; i < in->family.total; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!entry->pid && entry->forked > 0 && is_child(entry->forked))
			start_note(in, entry, mono_now());
		entry->forked = 0;
		if (!entry->pid || is_child(entry->pid))
			continue;
		initlog(&in->log, LOG_TO_SYSLOG, "Id \"%.4s\": pid %d has ended unseen", entry->id, (int)entry->pid);
		if (command_has_record(family_process(&in->family, entry)))
			record_end(&in->log, entry->id, entry->pid);
		family_set_ended(&in->family, entry, entry->wait_code, entry->wait_status);
	}
}

/* The first of them by name. */
static void say_dropped(struct init *in, int32_t dropped)
{
	int named = 0;

	for (int32_t i = 0; i < in->family.total; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!(entry->flags & ENTRY_DROPPED))
			continue;
		if (named++ < DROPPED_NAMED)
			initlog(&in->log, LOG_TO_BOTH, "Id \"%.4s\": damaged, dropped", entry->id);
		entry->flags &= ~(uint32_t)ENTRY_DROPPED;
		family_seal(entry);
	}
	initlog(&in->log, LOG_TO_BOTH, "%d damaged entries dropped", (int)dropped);
	in->level.is_torn = true;
}

void takeover_go_on(struct init *in, int family_fd, const struct record_flags *out)
{
	int32_t dropped = 0;
	int err = family_fd >= 0 ? family_attach(&in->family, family_fd, &dropped) : -EBADF;

	if (err && err != -EBADF && err != -EPROTO)      /* a second time, since there is no third */
		err = family_attach(&in->family, family_fd, &dropped);
	if (err) {
		initlog(&in->log, LOG_TO_BOTH, "the table of running processes is lost: %s", strerror(-err));
		if (family_fd >= 0)
			sys_close(family_fd);
		in->level.is_torn = true;
	}
	if (dropped)
		say_dropped(in, dropped);
	record_resume(&in->log, in->level.now, in->level.previous, out);
	check_children(in);
	in->reap_has_more = true;                    /* SIGCHLD may have been the other image's */
	level_resume(in);
}
