/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sulogin - root's password, asked for on the consoles of a machine that does not boot, and a shell for it.
 * Exit status: that of the shell; 0: Control-D, time-out, several consoles; 1: not root, no console, no terminal, no entry for
 * root or a locked one, hang-up, no shell to execute. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "include/paths.h"
#include "lib/sys.h"
#include "lib/tool.h"
#include "terminal/su_consoles.h"
#include "terminal/su_door.h"
#include "terminal/su_root.h"
#include "terminal/su_shell.h"
#include "terminal/su_watch.h"

#define END_LINE "\n\r"
enum { NAME_SERVICE_S = 10, TIMEOUT_MAX_S = 1 << 30 };

static const char usage[] = "Usage: sulogin [-e] [-p] [-t timeout] [tty device]";

static const struct option long_options[] = {
	{ "force", no_argument, NULL, 'e' },
	{ "login-shell", no_argument, NULL, 'p' },
	{ "timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

struct options {
	bool is_forced, is_login, wants_help, wants_version;
	int64_t timeout_s;
	const char *device;             /* NULL: none */
	bool is_hint;                   /* it is $CONSOLE's */
};

/* A wrong option is told and no reason to keep root out. */
static void take_timeout(struct options *options, const char *text)
{
	options->timeout_s = 0;
	if (num_parse(text, 0, TIMEOUT_MAX_S, &options->timeout_s))
		fprintf(stderr, "sulogin: -t: %s: not a number of seconds, there is no time-out" END_LINE, text);
}

/* No standard input is no wish for another terminal than the system's. */
static void parse(struct options *options, int argc, char **argv, bool has_stdin)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "ept:hV", long_options, NULL)) != -1)
		switch (option) {
		case 'e': options->is_forced = true; break;
		case 'p': options->is_login = true; break;
		case 't': take_timeout(options, optarg); break;
		case 'h': options->wants_help = true; break;
		case 'V': options->wants_version = true; break;
		default: fprintf(stderr, "%s" END_LINE, usage); break;
		}
	if (optind < argc && *argv[optind]) {
		options->device = argv[optind];
		return;
	}
	options->device = getenv("CONSOLE");
	options->is_hint = true;
	if (!has_stdin && !(options->device && *options->device))
		options->device = CONSOLE_PATH;
}

static int help(void)
{
	printf("%s\n\n"
		"  -e, --force         no password where root has none that can be used\n"
		"  -p, --login-shell   the shell is a login shell\n"
		"  -t, --timeout N     go on when nobody has answered for N seconds\n"
		"  -h, --help          this text\n"
		"  -V, --version       the version\n", usage);
	return tool_finish("sulogin", stdout, TOOL_OK);
}

/* As process 1 of an initramfs without /dev/console there may be no 0, 1 and 2; what is opened next must not become them.
 * Whether there was a standard input. */
static bool fill_streams(void)
{
	bool has_stdin = true;
	int fd;

	do {
		fd = sys_open("/", O_PATH, 0);
		if (fd == STDIN_FILENO)
			has_stdin = false;
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		sys_close(fd);
	return has_stdin;
}

/* No core with a password in it (execution undoes it); as process 1, a session to own the console in. */
static void set_process(void)
{
	(void)sys_prctl(PR_SET_DUMPABLE, 0);
	if (sys_getpid() != 1)
		return;
	(void)sys_setsid();
	(void)sys_set_ctty(STDIN_FILENO, 1);
}

static struct mono earlier_of(struct mono now, int64_t seconds, struct mono deadline)
{
	return mono_first(mono_after_s(now, seconds), deadline);
}

/* 0, or what root is not let in for. */
static int open_house(struct su_house *house, const struct options *options, struct mono start)
{
	int err = su_consoles_open(&house->consoles, options->device, options->is_hint);

	if (err == -ENOTTY) {
		fprintf(stderr, "sulogin: %s: not a terminal" END_LINE,
			options->device && *options->device ? options->device : "standard input");
		return err;
	}
	if (err) {
		fprintf(stderr, "sulogin: cannot open console: %s" END_LINE, strerror(-err));
		return err;
	}
	house->is_forced = options->is_forced;
	house->is_login = options->is_login;
	house->timeout_s = options->timeout_s;
	house->first_deadline = options->timeout_s ? mono_after_s(start, options->timeout_s) : MONO_NEVER;
	house->signal_fd = su_signals_take(&house->mask);
	if (house->signal_fd < 0)
		return house->signal_fd;
	su_account_read(&house->account, earlier_of(start, NAME_SERVICE_S, house->first_deadline));
	return 0;
}

/* No entry, and nobody has said that one may do without. */
static bool is_without_root(const struct su_house *house)
{
	return house->account.secret == SU_SECRET_UNREADABLE ||
		(!house->account.is_known && !su_door_is_open(house));
}

static void tell_without_root(struct su_house *house)
{
	const struct timespec pause = { 2, 0 };
	char said[SU_WHY_BYTES + 80];

	(void)snprintf(said, sizeof said, "sulogin: cannot open password database!" END_LINE "sulogin: %s" END_LINE,
		house->account.why);
	su_door_say_everywhere(house, said);
	(void)sys_sleep(&pause);
}

static _Noreturn void die_of(int signal)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	(void)sys_sigaction(signal, &normal);
	(void)sys_sigmask(SIG_SETMASK, &none, NULL);
	(void)sys_kill(sys_getpid(), signal);
	sys_exit(128 + signal);                              /* process 1 does not die of it */
}

static int status_of(enum su_end end)
{
	return end == SU_LEFT || end == SU_TIMED_OUT ? TOOL_OK : TOOL_ERROR;
}

/* With one console and nothing to clean up afterwards this process becomes the shell. */
static int tend(struct su_house *house, const struct su_root *root)
{
	bool is_one = house->consoles.count == 1, has_mounted = root->has_proc || root->has_dev;
	struct su_watched watched = { .end = SU_LEFT };

	if (is_one && (!has_mounted || sys_getpid() == 1) && !su_shell_needs_child(house->consoles.at[0].fd))
		watched.end = su_door_tend(house, &house->consoles.at[0], -1, &watched.signal);
	else
		su_watch(house, &watched);
	su_root_undo(root);
	if (watched.end == SU_SIGNALLED && watched.signal)
		die_of(watched.signal);
	return is_one && watched.has_shell ? watched.status : status_of(watched.end);
}

int main(int argc, char **argv)
{
	struct mono start = mono_now();
	struct options options = { 0 };
	struct su_house house = { 0 };
	struct su_root root;
	int status = TOOL_ERROR;

	parse(&options, argc, argv, fill_streams());
	if (options.wants_help)
		return help();
	if (options.wants_version)
		return tool_version("sulogin");
	if (sys_geteuid()) {
		fprintf(stderr, "sulogin: only root can run sulogin." END_LINE);
		return TOOL_ERROR;
	}
	su_root_prepare(&root);
	set_process();
	if (!open_house(&house, &options, start)) {
		if (!is_without_root(&house))
			return tend(&house, &root);
		tell_without_root(&house);
	}
	su_root_undo(&root);
	return status;
}
