/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shutdown - takes the system down at a time that everybody is told of. Waits in the foreground; is the only one that
 * does; can be called off until the last warning is out. Then asks init for the change of level, or ends the system
 * itself. Whatever ends it before that takes its files away. Exit 0: done, or called off; 1: an error, told on standard
 * error, or ended by a signal. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "include/initreq.h"
#include "include/paths.h"
#include "lib/broadcast.h"
#include "lib/initctl.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "power/consent.h"
#include "power/countdown.h"
#include "power/direct.h"
#include "power/downcall.h"
#include "power/downlog.h"
#include "power/order.h"
#include "power/ownfile.h"
#include "power/pidlock.h"
#include "power/schedule.h"
#include "power/waiting.h"
#include "power/when.h"

#define NAME "shutdown"

/* Terminals get the last warning before init is told, those that take it within this time. */
enum { LAST_WORD_MS = 1000 };

struct shutdown {
	struct order order;
	struct moment moment;
	struct countdown countdown;
	struct waiting waiting;
	struct pidlock lock;
	struct downlog log;
	struct ownfile nologin, fastboot, forcefsck;
};

/* --- what everybody is told --- */

/* Our own words last; "" for none. limit_ms: how long to wait for terminals, 0: not at all. */
static void tell_all(const struct shutdown *s, const char *own, int limit_ms)
{
	struct broadcast message;
	pid_t deliverer;

	broadcast_begin(&message, "root", wall_now().s);
	broadcast_add_text(&message, s->order.text, strlen(s->order.text));
	broadcast_add_own(&message, own);
	if (!broadcast_start(&message, UTMP_PATH, &deliverer) && deliverer && limit_ms)
		(void)!broadcast_wait(deliverer, limit_ms);     /* it goes on by itself */
}

static void warn(const struct shutdown *s, int64_t minutes)
{
	char buf[32], own[128];

	(void)snprintf(own, sizeof own, "\rThe system is going DOWN %s in %lld minute%s!\r\n", order_aim(s->order.level, buf),
		(long long)minutes, minutes == 1 ? "" : "s");
	tell_all(s, own, 0);
}

static void tell_now(const struct shutdown *s)
{
	char buf[32], own[128];

	(void)snprintf(own, sizeof own, "\rThe system is going down %s NOW!\r\n", order_aim(s->order.level, buf));
	tell_all(s, own, LAST_WORD_MS);
}

/* --- files --- */

static void logins_stop(struct shutdown *s)
{
	char text[ORDER_TEXT_MAX + 128], date[64] = "soon\n";
	time_t at = (time_t)moment_wall_s(&s->moment);
	struct tm tm;

	if (localtime_r(&at, &tm))
		(void)strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y\n", &tm);
	(void)snprintf(text, sizeof text, "\rThe system is going down on %s\r\n%s", date, s->order.text);
	if (ownfile_make(&s->nologin, text) == -EEXIST)
		return;                 /* somebody keeps them out already */
}

static void flag_make(struct ownfile *file)
{
	int err = ownfile_make(file, "");

	if (err && err != -EEXIST)
		tool_complain(NAME, file->path, err);
}

static void flags_make(struct shutdown *s)
{
	if (s->order.fast_boot)
		flag_make(&s->fastboot);
	if (s->order.force_fsck)
		flag_make(&s->forcefsck);
}

static void everything_remove(struct shutdown *s)
{
	ownfile_remove(&s->nologin);
	ownfile_remove(&s->fastboot);
	ownfile_remove(&s->forcefsck);
	schedule_remove();
	pidlock_drop(&s->lock);
}

static void schedule_show_up(const struct shutdown *s)
{
	struct schedule schedule = { .level = s->order.level, .halt = s->order.halt, .warn_only = s->order.warn_only,
		.moment = s->moment };
	const char *user = getenv("SUDO_USER"), *tty = ttyname(STDIN_FILENO);

	if (!user || !*user || strcspn(user, " \t\n") != strlen(user))
		user = "root";
	(void)snprintf(schedule.user, sizeof schedule.user, "%s", user);
	(void)snprintf(schedule.tty, sizeof schedule.tty, "%s", !tty ? "" : strncmp(tty, "/dev/", 5) ? tty : tty + 5);
	(void)snprintf(schedule.text, sizeof schedule.text, "%s", s->order.text);
	(void)!schedule_write(&schedule);       /* --show will know less */
}

/* --- its time has come --- */

static void halt_variable(struct init_request *request, enum order_halt halt)
{
	static const char *const values[] = { "INIT_HALT", "INIT_HALT=HALT", "INIT_HALT=POWEROFF" };

	*request = (struct init_request){ .magic = INIT_MAGIC, .cmd = INIT_CMD_SETENV };
	strcpy(request->i.data, values[halt]);  /* without a value it is unset */
}

static int cancelled(struct shutdown *s)
{
	everything_remove(s);
	fputs("\r\nShutdown cancelled.\r\n", stdout);
	return tool_finish(NAME, stdout, TOOL_OK);
}

static int called_off(struct shutdown *s, enum waiting_end end)
{
	if (end == WAITING_CANCELLED)
		return cancelled(s);
	everything_remove(s);
	direct_say("shutdown: ended by a signal: nothing is scheduled any more\n");
	return TOOL_ERROR;
}

static const char *way_without_init(const struct order *order)
{
	if (order->level == '6')
		return "; without init: shutdown -n -r now, or reboot -f";
	if (order->level == '0')
		return order->halt == ORDER_HALT_POWEROFF ? "; without init: shutdown -n -h -P now, or poweroff -f" :
			"; without init: shutdown -n -h now, or halt -f";
	return "";
}

/* Nobody has been told anything else by then: the two requests go together or not at all. */
static int refused(struct shutdown *s, const struct initctl_channel *channel, int err)
{
	everything_remove(s);
	downlog_say(&s->log, "shutdown failed");
	initctl_complain(NAME, channel, err);
	fprintf(stderr, "shutdown: init was not told, the system stays up%s\n", way_without_init(&s->order));
	tell_all(s, "\rThe shutdown has failed, the system stays up.\r\n", LAST_WORD_MS);
	return TOOL_ERROR;
}

/* Logins stay closed until the machine is down where the file cannot outlive it. */
static void logins_open(struct shutdown *s)
{
	bool goes_down = s->order.level == '0' || s->order.level == '6';

	if (goes_down && s->nologin.made && ownfile_is_volatile(&s->nologin))
		s->nologin.made = false;
	ownfile_remove(&s->nologin);
}

static int hand_over(struct shutdown *s)
{
	const struct initctl_channel channel = { INIT_FIFO, INITCTL_WAIT_MS };
	struct init_request requests[2];
	int err;

	halt_variable(&requests[0], s->order.halt);
	requests[1] = (struct init_request){ .magic = INIT_MAGIC, .cmd = INIT_CMD_RUNLVL, .runlevel = s->order.level,
		.sleeptime = s->order.stop_s };
	downcall_sync(NAME);
	err = initctl_send(&channel, requests, 2);
	if (err)
		return refused(s, &channel, err);
	logins_open(s);
	schedule_remove();
	pidlock_drop(&s->lock);
	return TOOL_OK;
}

static int go_down(struct shutdown *s)
{
	char buf[32], line[64];

	tell_now(s);
	if (s->order.warn_only)
		return cancelled(s);
	(void)snprintf(line, sizeof line, "shutting down %s", s->order.level == '6' ? "for system reboot" :
		order_aim(s->order.level, buf));
	downlog_say(&s->log, line);
	if (!s->order.direct)
		return hand_over(s);
	/* Both would outlive the reboot where they are not in memory. */
	ownfile_remove(&s->nologin);
	schedule_remove();
	pidlock_drop(&s->lock);
	return direct_go(&s->order);
}

static int count_down(struct shutdown *s)
{
	enum waiting_end end;

	s->countdown.marks = s->order.marks;
	for (;;) {
		struct countdown_step step = countdown_look(&s->countdown, moment_left_ns(&s->moment));

		if (step.over)
			break;
		if (step.close)
			logins_stop(s);
		if (step.warn)
			warn(s, step.minutes);
		end = waiting_until(&s->waiting, &s->moment, step.look_again_ns);
		if (end != WAITING_TIME)
			return called_off(s, end);
	}
	/* From here on nobody is told any more that it was called off; who was told so already is right. */
	pidlock_set_open(&s->lock, false);
	end = waiting_until(&s->waiting, &s->moment, INT64_MAX);
	return end == WAITING_TIME ? go_down(s) : called_off(s, end);
}

/* --- the faces --- */

static int begin(struct shutdown *s)
{
	int err = sys_chdir("/");

	if (!err)
		err = waiting_begin(&s->waiting);
	if (err) {
		tool_complain(NAME, "cannot begin", err);
		return TOOL_ERROR;
	}
	sys_umask(022);
	err = pidlock_take(&s->lock);
	if (err == -EBUSY) {
		fputs("\rshutdown: already running.\r\n", stderr);
		return TOOL_ERROR;
	}
	if (err && err != -EROFS)
		fprintf(stderr, "shutdown: warning: cannot open %s: %s\n", SHUTDOWN_PID_PATH, strerror(-err));
	pidlock_set_open(&s->lock, true);
	s->moment = when_moment(&s->order.when);
	flags_make(s);
	schedule_show_up(s);
	return count_down(s);
}

/* The variable may still be set from a shutdown that init was told of. */
static void halt_variable_unset(void)
{
	const struct initctl_channel channel = { INIT_FIFO, INITCTL_WAIT_MS };
	struct init_request request;
	int err;

	halt_variable(&request, ORDER_HALT_UNSAID);
	err = initctl_send(&channel, &request, 1);
	if (err)
		initctl_complain(NAME, &channel, err);
}

static int call_off(const struct shutdown *s)
{
	int err = pidlock_signal(SIGINT);

	if (err == -ENOENT)
		fputs("shutdown: cannot find pid of running shutdown.\n", stderr);
	else if (err == -EINPROGRESS)
		fputs("shutdown: too late: the system is going down already.\n", stderr);
	else if (err)
		fputs("shutdown: not running.\n", stderr);
	if (err)
		return TOOL_ERROR;
	if (*s->order.text)
		tell_all(s, "", 0);
	halt_variable_unset();
	return TOOL_OK;
}

static int show(void)
{
	struct schedule schedule;
	pid_t pid;

	if (pidlock_owner(&pid)) {
		fputs("no shutdown is scheduled\n", stderr);
		return TOOL_ERROR;
	}
	if (schedule_read(&schedule))
		printf("a shutdown is waiting (pid %d)\n", (int)pid);
	else
		schedule_print(stdout, &schedule, pid);
	return tool_finish(NAME, stdout, TOOL_OK);
}

static int run(struct shutdown *s, int argc, char **argv)
{
	int status;

	if (sys_getuid()) {
		fputs("shutdown: you must be root to do that!\n", stderr);
		order_usage(stderr);
		return TOOL_ERROR;
	}
	status = order_take(&s->order, argc, argv);
	if (status)
		return status;
	if (s->order.ask_consent && !consent_is_given()) {
		consent_tell_refusal();
		return TOOL_ERROR;
	}
	return s->order.cancel ? call_off(s) : begin(s);
}

int main(int argc, char **argv, char **envp)
{
	struct shutdown s = {
		.lock = PIDLOCK_NONE,
		.nologin = { .path = NOLOGIN_PATH },
		.fastboot = { .path = FASTBOOT_PATH },
		.forcefsck = { .path = FORCEFSCK_PATH },
	};

	if (argc == 2 && !strcmp(argv[1], "--version"))
		return tool_version(NAME);
	if (argc == 2 && !strcmp(argv[1], "--show"))
		return show();
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		order_usage(stdout);
		return tool_finish(NAME, stdout, TOOL_OK);
	}
	downlog_init(&s.log, argv, envp);
	return run(&s, argc, argv);
}
