/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/bootrelay.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "include/paths.h"
#include "lib/systool.h"
#include "terminal/console_writer.h"
#include "terminal/log_writer.h"

enum {
	READ_BYTES = 4096,
	CONSOLE_PACKET_BYTES = 4096,    /* four seconds of a line at 9,600 bit/s: no stall yet */
	READS_A_TURN = 16,              /* of the pseudo terminal, before others have their turn */
	DRAIN_READS_MAX = 1024,         /* at the end, of somebody who does not stop writing */
};

static const int ends[] = { SIGTERM, SIGINT, SIGQUIT };
static const int ignored[] = { SIGTTIN, SIGTTOU, SIGTSTP, SIGPIPE };

void bootrelay_note(struct bootrelay *relay, const char *object, int err)
{
	size_t room = sizeof relay->notes - relay->notes_len;
	int len = snprintf(relay->notes + relay->notes_len, room, "bootlogd: %s: %s\n", object, strerror(-err));

	/* What does not fit is the last of many. */
	if (len > 0 && (size_t)len < room)
		relay->notes_len += (size_t)len;
	else
		relay->notes[relay->notes_len] = '\0';
}

/* --- writers --- */

/* The signals that end the relay are not for them: they end when it has, behind the last words. */
static int child_prepare(int socket, const char *name)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	int null = sys_open(NULL_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
	sigset_t none;

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		sys_sigaction(ends[i], &ignore);
	sys_sigaction(SIGHUP, &ignore);
	sigemptyset(&none);
	sys_sigmask(SIG_SETMASK, &none, NULL);
	(void)sys_prctl(PR_SET_NAME, (unsigned long)name);      /* only to be seen by ps(1) */
	for (int fd = 0; fd < 3; fd++)
		if (null >= 0 && sys_dup2(null, fd) < 0)
			return -EBADF;
	if (sys_dup2(socket, 3) < 0)
		return -EBADF;
	sys_close_range(4, UINT_MAX);
	sys_chdir("/");
	return 3;
}

static void console_child(void *context, int socket)
{
	struct console_writer console;
	int fd = child_prepare(socket, "bootlogd-tty");

	console_writer_make(&console, context, fd);
	sys_exit(fd < 0 || writer_run(fd, &console_writer_ops, &console));
}

static void log_child(void *context, int socket)
{
	const struct bootrelay *relay = context;
	struct log_writer log = {
		.path = relay->config->log, .may_create = relay->config->create, .sync_always = relay->config->sync, .fd = -1,
		/* One that was started again goes on with what the first one opened. */
		.must_rename = relay->config->rotate && !relay->log.pid,
	};
	int fd = child_prepare(socket, "bootlogd-log");

	sys_exit(fd < 0 || writer_run(fd, &log_writer_ops, &log));
}

static void children_reap(void)
{
	siginfo_t info;

	while (sys_wait(-1, &info) > 0)
		;
}

/* --- saying --- */

static void say_on_consoles(struct bootrelay *relay, const char *object, const char *what)
{
	char text[PATH_MAX + 256];
	int len = snprintf(text, sizeof text, "\nbootlogd: %s: %s\n", object, what);

	for (int i = 0; len > 0 && i < relay->consoles; i++)
		outlet_put(&relay->console[i], text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void say_in_log(struct bootrelay *relay, const char *object, const char *what)
{
	char text[PATH_MAX + 256];

	(void)snprintf(text, sizeof text, "bootlogd: %s: %s", object, what);
	bootlines_set_time(&relay->lines, wall_now().s, relay->east_s);
	bootlines_say(&relay->lines, text);
}

/* Not to be there yet, or not to be writable yet, is what early boot is like. */
static bool is_expected(int err)
{
	return err == -ENOENT || err == -EROFS || err == -EAGAIN;
}

static void log_tell(struct bootrelay *relay)
{
	int err = relay->log.state == OUTLET_STALLED ? -ETIMEDOUT : relay->log.err;

	if (relay->log.is_open || relay->log.err)
		relay->east_s = relay->log.east_s;
	if (err == relay->log_err_said || (err && is_expected(err)) || (!err && outlet_waiting(&relay->log)))
		return;
	if (err)
		say_on_consoles(relay, relay->config->log, strerror(-err));
	else
		say_on_consoles(relay, relay->config->log, "is written again");
	relay->log_err_said = err;
}

static void console_tell(struct bootrelay *relay, int which)
{
	const struct outlet *console = &relay->console[which];
	bool is_stuck = console->state == OUTLET_STALLED || (console->state == OUTLET_RESTS && console->err);

	if (relay->stall_said[which] ? !is_stuck && !outlet_waiting(console) : is_stuck) {
		relay->stall_said[which] = is_stuck;
		say_in_log(relay, console->name, !is_stuck ? "takes output again" :
			console->state == OUTLET_STALLED ? "takes no output" : strerror(-console->err));
	}
}

/* --- the start --- */

static void log_put(void *context, const char *bytes, size_t len_bytes)
{
	struct bootrelay *relay = context;

	outlet_put(&relay->log, bytes, len_bytes);
}

static int signals_take(struct bootrelay *relay)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		sigaddset(&mask, ends[i]);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		sys_sigaction(ignored[i], &ignore);
	sys_sigmask(SIG_BLOCK, &mask, NULL);
	relay->signals = sys_signalfd(&mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return relay->signals < 0 ? relay->signals : 0;
}

static void console_add(struct bootrelay *relay, const char *path)
{
	struct outlet *outlet = &relay->console[relay->consoles];
	int err;

	memset(outlet, 0, sizeof *outlet);
	strcpy(relay->path[relay->consoles], path);
	outlet->name = relay->path[relay->consoles];
	outlet->child = console_child;
	outlet->context = relay->path[relay->consoles];
	outlet->packet_bytes = CONSOLE_PACKET_BYTES;
	outlet->wants_open = true;
	err = outlet_begin(outlet, RELAY_CONSOLE_BYTES);
	if (err)
		bootrelay_note(relay, path, err);
	else
		relay->consoles++;
}

static bool is_any_opening(const struct bootrelay *relay)
{
	for (int i = 0; i < relay->consoles; i++)
		if (outlet_is_busy(&relay->console[i]))
			return true;
	return false;
}

static void consoles_wait(struct bootrelay *relay)
{
	struct mono deadline = mono_after_ms(mono_now(), RELAY_OPEN_MS);
	struct pollfd fds[BOOTCONS_MAX];

	while (is_any_opening(relay) && !mono_is_due(deadline, mono_now())) {
		for (int i = 0; i < relay->consoles; i++)
			fds[i] = (struct pollfd){ .fd = relay->console[i].fd, .events = POLLIN };
		if (sys_poll(fds, (nfds_t)relay->consoles, mono_left_ms(deadline, mono_now())) <= 0)
			continue;
		for (int i = 0; i < relay->consoles; i++)
			if (fds[i].revents)
				outlet_hear(&relay->console[i], mono_now());
	}
}

static bool is_double(const struct bootrelay *relay, int which)
{
	for (int i = 0; i < which; i++)
		if (relay->console[i].is_open && relay->console[which].is_open &&
			relay->console[i].device == relay->console[which].device)
			return true;
	return false;
}

/* One that is still opening stays: it may come. The outlets' places are their children's, so none is moved. */
static int consoles_sort(struct bootrelay *relay)
{
	int usable = 0;

	for (int i = 0; i < relay->consoles; i++) {
		struct outlet *console = &relay->console[i];

		if (console->state == OUTLET_RESTS || is_double(relay, i)) {
			if (console->state == OUTLET_RESTS)
				bootrelay_note(relay, console->name, console->err);
			outlet_end(console);
		} else {
			usable++;
			relay->east_s = console->east_s;
			console->wants_open = false;    /* again, it is enough when there is something to write */
		}
	}
	return usable;
}

/* Without /proc there is no command line; it is mounted for the look, as stock does. */
static bool proc_mount(struct bootrelay *relay)
{
	struct stat st;
	int err = 0;

	if (sys_stat("/proc/self", &st) == -ENOENT) {
		err = sys_mount("proc", PROC_PATH, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
		if (err)
			bootrelay_note(relay, "mount /proc", err);
		return !err;
	}
	return false;
}

static int consoles_find(struct bootrelay *relay)
{
	bool is_mounted = proc_mount(relay);
	int usable = 0;

	for (enum bootcons_source source = BOOTCONS_CMDLINE; !usable && source < BOOTCONS_SOURCES; source++) {
		size_t notes_len = relay->notes_len;
		struct bootcons found;

		bootcons_find(source, relay->config->places, &found);
		relay->consoles = 0;
		for (int i = 0; i < found.count; i++)
			console_add(relay, found.path[i]);
		consoles_wait(relay);
		usable = consoles_sort(relay);
		if (source == BOOTCONS_CUSTOM)          /* guesses are no errors */
			relay->notes[relay->notes_len = notes_len] = '\0';
	}
	if (is_mounted)
		sys_unmount(PROC_PATH, 0);
	return usable ? 0 : -ENODEV;
}

static void dismantle(struct bootrelay *relay)
{
	outlet_end(&relay->log);
	for (int i = 0; i < relay->consoles; i++)
		outlet_end(&relay->console[i]);
	if (relay->has_redirect)
		redirect_close(&relay->redirect);
	relay->has_redirect = false;
	if (relay->signals >= 0)
		sys_close(relay->signals);
	relay->signals = -1;
}

static int redirect_start(struct bootrelay *relay)
{
	char call[REDIRECT_NAME_SIZE + 32];
	int err = redirect_begin(&relay->redirect);

	if (err) {
		(void)snprintf(call, sizeof call, "ioctl(%s, TIOCCONS)", relay->redirect.name);
		bootrelay_note(relay, call, err);
	}
	return err;
}

static int parts_begin(struct bootrelay *relay)
{
	int err = signals_take(relay);

	if (err) {
		bootrelay_note(relay, "signals", err);
		return err;
	}
	err = redirect_open(&relay->redirect);
	relay->has_redirect = !err;
	if (err) {
		bootrelay_note(relay, "cannot allocate pseudo tty", err);
		return err;
	}
	err = consoles_find(relay);
	if (err) {
		bootrelay_note(relay, "cannot deduce real console device", err);
		return err;
	}
	memset(&relay->log, 0, sizeof relay->log);
	relay->log.name = relay->config->log;
	relay->log.stamp = relay->lines.stamp;
	relay->log.child = log_child;
	relay->log.context = relay;
	relay->log.packet_bytes = WRITER_BYTES_MAX;
	relay->log.wants_open = true;
	err = outlet_begin(&relay->log, RELAY_LOG_BYTES);
	if (err) {
		bootrelay_note(relay, relay->config->log, err);
		return err;
	}
	return redirect_start(relay);
}

int bootrelay_begin(struct bootrelay *relay, const struct bootrelay_config *config)
{
	int err;

	memset(relay, 0, sizeof *relay);
	relay->config = config;
	relay->signals = -1;
	bootlines_begin(&relay->lines, config->keep_escapes, log_put, relay);
	err = parts_begin(relay);
	if (err)
		dismantle(relay);
	return err;
}

/* --- the loop --- */

/* What has been written to the console, into memory. 0, or the error that it ends with, -EAGAIN for now. */
static int drain(struct bootrelay *relay, int reads)
{
	char bytes[READ_BYTES];
	ssize_t got = 0;

	bootlines_set_time(&relay->lines, wall_now().s, relay->east_s);
	for (int i = 0; i < reads; i++) {
		got = sys_read(relay->redirect.master, bytes, sizeof bytes);
		if (got <= 0)
			return got ? (int)got : -EIO;
		bootlines_take(&relay->lines, bytes, (size_t)got);
		for (int console = 0; console < relay->consoles; console++)
			outlet_put(&relay->console[console], bytes, (size_t)got);
	}
	return 0;
}

/* True: it is to end. */
static bool signals_read(struct bootrelay *relay)
{
	struct signalfd_siginfo info;
	bool is_end = false;

	while (sys_read(relay->signals, &info, sizeof info) == sizeof info) {
		int signal = (int)info.ssi_signo;

		for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
			is_end = is_end || signal == ends[i];
		if (signal == SIGHUP) {
			relay->log.wanted = WRITER_REOPEN;
			outlet_hurry(&relay->log);
		}
		if (signal == SIGCHLD)
			children_reap();
	}
	return is_end;
}

static struct outlet *outlet_at(struct bootrelay *relay, int which)
{
	return which < relay->consoles ? &relay->console[which] : &relay->log;
}

/* One turn: sleeps until something comes or the limit is there. True: a signal to end came, or the terminal is gone. */
static bool turn(struct bootrelay *relay, struct mono limit)
{
	struct pollfd fds[BOOTCONS_MAX + 3];
	struct mono now = mono_now();
	int outlets = relay->consoles + 1;
	bool is_end = false;

	for (int i = 0; i < outlets; i++) {
		struct outlet *outlet = outlet_at(relay, i);

		outlet_tend(outlet, now);
		limit = mono_first(limit, outlet_due(outlet));
		fds[i] = (struct pollfd){ .fd = outlet->fd, .events = POLLIN };
	}
	for (int i = 0; i < relay->consoles; i++)
		console_tell(relay, i);
	log_tell(relay);
	fds[outlets] = (struct pollfd){ .fd = relay->signals, .events = POLLIN };
	fds[outlets + 1] = (struct pollfd){ .fd = relay->redirect.master, .events = POLLIN };
	if (sys_poll(fds, (nfds_t)outlets + 2, mono_left_ms(limit, mono_now())) <= 0)
		return false;
	if (fds[outlets + 1].revents) {
		int err = drain(relay, READS_A_TURN);

		is_end = err && err != -EAGAIN && err != -EINTR;
	}
	for (int i = 0; i < outlets; i++)
		if (fds[i].revents)
			outlet_hear(outlet_at(relay, i), mono_now());
	return (fds[outlets].revents && signals_read(relay)) || is_end;
}

void bootrelay_run(struct bootrelay *relay)
{
	while (!turn(relay, MONO_NEVER))
		;
}

/* --- the end --- */

/* Output goes to the console itself from now on, so that none is lost between the last look and the close. */
static void redirect_give_back(struct bootrelay *relay)
{
	struct mono limit = mono_after_ms(mono_now(), RELAY_CANCEL_MS);
	pid_t pid = sys_fork();
	siginfo_t info;

	if (!pid) {
		sys_close_range(3, UINT_MAX);   /* should it hang, it must not keep the redirection alive */
		sys_exit(redirect_cancel() != 0);
	}
	while (pid > 0 && !mono_is_due(limit, mono_now()) && sys_wait(pid, &info) == 0)
		(void)turn(relay, mono_first(limit, mono_after_ms(mono_now(), 10)));
	(void)drain(relay, DRAIN_READS_MAX);    /* until there is none, or enough */
}

static bool is_all_out(struct bootrelay *relay)
{
	for (int i = 0; i <= relay->consoles; i++) {
		struct outlet *outlet = outlet_at(relay, i);

		/* One that refuses has had its last try. */
		if (outlet->state != OUTLET_GONE && outlet->state != OUTLET_RESTS &&
			(outlet_waiting(outlet) || outlet_is_busy(outlet) || outlet->wanted))
			return false;
	}
	return true;
}

static void writers_wait(struct mono limit)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	siginfo_t info;

	/* Until there is none left: -ECHILD. */
	while (sys_wait(-1, &info) >= 0 && !mono_is_due(limit, mono_now()))
		sys_sleep(&nap);
}

void bootrelay_end(struct bootrelay *relay)
{
	struct mono limit;
	size_t left;

	redirect_give_back(relay);
	bootlines_end(&relay->lines);
	outlet_hurry(&relay->log);
	relay->log.wanted = WRITER_SYNC;
	limit = mono_after_ms(mono_now(), RELAY_FLUSH_MS);
	do
		(void)turn(relay, limit);
	while (!is_all_out(relay) && !mono_is_due(limit, mono_now()));
	left = outlet_waiting(&relay->log);
	if (left) {
		char text[64];

		(void)snprintf(text, sizeof text, "%zu bytes of the log are lost", left);
		say_on_consoles(relay, relay->config->log, text);
		limit = mono_first(mono_after_ms(mono_now(), RELAY_LAST_MS), limit);
		while (!mono_is_due(limit, mono_now()) && !is_all_out(relay))
			(void)turn(relay, limit);
	}
	dismantle(relay);
	writers_wait(mono_after_ms(mono_now(), RELAY_LAST_MS));
}
