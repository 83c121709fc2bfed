/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootlogd - keeps what is written to the console during boot. The relay (bootrelay.h) does it; here are the options, the
 * daemon and its pid file. Exit 0: the daemon runs and its pid file is there (with -d: it has ended as it was told);
 * 1: anything else, and nothing was left behind. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "terminal/bootrelay.h"

enum { START_MS = 10000 };      /* for a start that hangs in a device must not hang the boot */

#define USAGE "Usage: bootlogd [-v] [-r] [-d] [-e] [-s] [-c] [-p pidfile] [-l logfile]\n"

struct options {
	struct bootrelay_config relay;
	bool is_foreground;
	const char *log, *pid_file;
	char log_path[PATH_MAX], pid_path[PATH_MAX];
};

static struct bootlogd {
	struct options options;
	struct bootrelay relay;
} self;

static int usage(void)
{
	fputs(USAGE, stderr);
	return TOOL_ERROR;
}

/* -1: go on; else the status to exit with. */
static int option_take(struct options *options, int letter)
{
	switch (letter) {
	case 'c':
		options->relay.create = true;
		return -1;
	case 'd':
		options->is_foreground = true;
		return -1;
	case 'e':
		options->relay.keep_escapes = true;
		return -1;
	case 'l':
		options->log = optarg;
		return -1;
	case 'p':
		options->pid_file = optarg;
		return -1;
	case 'r':
		options->relay.rotate = true;
		return -1;
	case 's':
		options->relay.sync = true;
		return -1;
	case 'v':
		printf("bootlogd - %s\n", VERSION);
		return tool_finish("bootlogd", stdout, TOOL_OK);
	case 'H':
		fputs(USAGE, stdout);
		return tool_finish("bootlogd", stdout, TOOL_OK);
	case 'V':
		return tool_version("bootlogd");
	default:
		return usage();
	}
}

static int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'H' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int letter;

	options->log = BOOT_LOG_PATH;
	options->relay.places = &bootcons_system;
	while ((letter = getopt_long(argc, argv, "cdesp:l:rv", longs, NULL)) >= 0) {
		int status = option_take(options, letter);

		if (status >= 0)
			return status;
	}
	return optind < argc ? usage() : -1;
}

/* The daemon lets go of the folder that it was started in. */
static int make_absolute(const char *path, char *out)
{
	size_t len = 0;

	if (path[0] != '/') {
		int err = sys_getcwd(out, PATH_MAX - 1);

		if (err)
			return err;
		len = strlen(out);
		out[len++] = '/';
	}
	if (strlen(path) >= PATH_MAX - len)
		return -ENAMETOOLONG;
	strcpy(out + len, path);
	return 0;
}

static int paths_make(struct options *options)
{
	int err = make_absolute(options->log, options->log_path);

	if (!err && options->pid_file)
		err = make_absolute(options->pid_file, options->pid_path);
	if (err)
		tool_complain("bootlogd", err == -ENAMETOOLONG ? "file name" : "current folder", err);
	options->relay.log = options->log_path;
	return err;
}

/* So that nothing that is opened becomes somebody's standard input or output. */
static int standard_streams_open(void)
{
	int fd;

	do
		fd = sys_open(NULL_PATH, O_RDWR | O_NOCTTY, 0);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		sys_close(fd);
	return fd < 0 ? fd : 0;
}

static void standard_streams_leave(void)
{
	int null = sys_open(NULL_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);

	/* Without /dev/null they stay where they are: what could be said of it would go there. */
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)(sys_dup2(null, fd) < 0);
	if (null >= 0)
		sys_close(null);
	sys_chdir("/");
}

/* --- pid file --- */

static int pid_write(const char *path)
{
	char text[16];
	int fd, err, len = snprintf(text, sizeof text, "%d\n", (int)sys_getpid());

	/* A stale one, and never through somebody's link. */
	sys_unlink(path);
	fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return fd;
	err = io_write_all(fd, text, (size_t)len);
	sys_close(fd);
	return err;
}

static void pid_remove(const char *path)
{
	char text[16];
	int64_t pid;
	ssize_t got = io_read_file(path, text, sizeof text);

	if (got <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (!num_parse(text, 1, INT_MAX, &pid) && pid == sys_getpid())
		sys_unlink(path);
}

/* --- the daemon, and who waits for its start --- */

/* What the start said, and a NUL when it went well: to the one who waits, or to standard error. */
static void notes_tell(const struct bootrelay *relay, int to, bool is_good)
{
	(void)!io_write_all(to, relay->notes, relay->notes_len);
	if (to != STDERR_FILENO)
		(void)!io_write_all(to, "", is_good ? 1 : 0);
}

static int serve(struct bootlogd *bootlogd, int tell)
{
	struct bootrelay *relay = &bootlogd->relay;
	const char *pid_path = bootlogd->options.pid_file ? bootlogd->options.pid_path : NULL;
	int err = bootrelay_begin(relay, &bootlogd->options.relay), pid_err;

	if (!err && pid_path) {
		pid_err = pid_write(pid_path);
		if (pid_err)
			bootrelay_note(relay, pid_path, pid_err);
	}
	notes_tell(relay, tell, !err);
	if (tell != STDERR_FILENO)
		sys_close(tell);
	if (err)
		return TOOL_ERROR;
	standard_streams_leave();
	bootrelay_run(relay);
	bootrelay_end(relay);
	if (pid_path)
		pid_remove(pid_path);
	return TOOL_OK;
}

/* Passes on what comes over the pipe. 0: the daemon runs; -ETIMEDOUT; -EPIPE: it does not. */
static int start_hear(int from)
{
	struct mono limit = mono_after_ms(mono_now(), START_MS);
	struct pollfd poll = { .fd = from, .events = POLLIN };
	char text[RELAY_NOTES_SIZE + 1];
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < sizeof text && !memchr(text, '\0', len)) {
		int left = mono_left_ms(limit, mono_now()), count = left ? sys_poll(&poll, 1, left) : 0;

		if (!count)
			break;
		got = count < 0 ? count : sys_read(from, text + len, sizeof text - len);
		if (got == -EINTR)
			got = 1;
		else if (got > 0)
			len += (size_t)got;
	}
	fwrite(text, 1, strnlen(text, len), stderr);
	if (memchr(text, '\0', len))
		return 0;
	return got > 0 ? -ETIMEDOUT : -EPIPE;
}

static int daemon_start(struct bootlogd *bootlogd)
{
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);
	pid_t pid = err ? err : sys_fork();

	if (pid < 0) {
		tool_complain("bootlogd", "fork failed", pid);
		return TOOL_ERROR;
	}
	if (!pid) {
		sys_close(fds[0]);
		sys_setsid();
		sys_exit(serve(bootlogd, fds[1]));
	}
	sys_close(fds[1]);
	err = start_hear(fds[0]);
	if (err == -ETIMEDOUT) {
		sys_kill(pid, SIGKILL);
		tool_complain("bootlogd", "start", err);
	}
	return err ? TOOL_ERROR : TOOL_OK;
}

int main(int argc, char **argv)
{
	int status = options_parse(&self.options, argc, argv);

	if (status >= 0)
		return status;
	if (standard_streams_open() || paths_make(&self.options))
		return TOOL_ERROR;
	return self.options.is_foreground ? serve(&self, STDERR_FILENO) : daemon_start(&self);
}
