/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - one binary, two faces: pid 1, and telinit. Reading order: here, loop.c, level.c, initlog/queue.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "include/paths.h"
#include "init/args.h"
#include "init/control.h"
#include "init/init.h"
#include "init/kept.h"
#include "init/level.h"
#include "init/loop.h"
#include "init/policy.h"
#include "init/report.h"
#include "init/stream.h"
#include "init/survive.h"
#include "init/takeover.h"
#include "init/telinit.h"
#include "initlog/sink_records.h"
#include "lib/devlog.h"
#include "lib/io.h"
#include "lib/sys.h"

static struct init self;

static void on_fatal_signal(int signal, siginfo_t *why, void *context)
{
	(void)signal;
	(void)context;
	survive_crashed(&self, why);
}

/* 0, 1 and 2 are never a terminal in pid 1, and never free for something else to land on. */
static void take_stdio(void)
{
	int fd = sys_open(NULL_PATH, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		fd = sys_memfd("null", 1);
	for (int std = STDIN_FILENO; std <= STDERR_FILENO && fd >= 0; std++)
		if (sys_dup2(fd, std) < 0)
			break;
	if (fd > STDERR_FILENO)
		sys_close(fd);
}

/* In a helper: what pid 1 would execute is none of its business. */
static void shed_shared(void *owner)
{
	struct init *in = owner;

	family_free(&in->family);
	report_shed(in);
}

/* Before anything is opened that may come to lie there: somebody may have left descriptors open. */
static void reserve_numbers(const struct init *in)
{
	if (in->control.fd != CONTROL_FD)
		io_reserve(CONTROL_FD);
	if (in->takeover.stream_fd < 0)
		io_reserve(STREAM_FD);                       /* who writes there is told that nobody reads */
	if (in->kept_fd < 0)
		io_reserve(KEPT_FD);
}

static int open_log(struct init *in, int queue_fd)
{
	static const struct sockaddr_un dev_log = DEVLOG_ADDRESS;
	const struct initlog_config config = { .ident = "init", .title = "init",
		.console = { in->console, CONSOLE_PATH, CONSOLE_VT_PATH }, .dev_log = &dev_log, .dev_log_folder = DEV_PATH,
		.utmp = UTMP_PATH, .wtmp = WTMP_PATH, .runlevel = RUNLEVEL_PATH,
		.shed = shed_shared, .owner = in };
	int err = initlog_open(&in->log, &config, &in->title, queue_fd);

	if (err != -EPROTO || queue_fd < 0)
		return err;
	sys_close(queue_fd);                                 /* damaged: that costs what was in it */
	return initlog_open(&in->log, &config, &in->title, -1);
}

static void remember_console(struct init *in)
{
	const char *name = args_getenv(in, "CONSOLE");

	if (!name)
		name = CONSOLE_PATH;
	if (strlen(name) < sizeof in->console)
		strcpy(in->console, name);
}

/* Descriptors, signals, memory: what the loop stands on. Nothing of it fails on a machine that can run at all. */
static void open_all(struct init *in, int queue_fd)
{
	int loop_err = loop_open(in), log_err;

	control_open(in);
	log_err = open_log(in, queue_fd);
	if (loop_err || log_err)
		initlog(&in->log, LOG_TO_BOTH, "cannot set up: %s", strerror(-(loop_err ? loop_err : log_err)));
	/* A second time, since there is no third. */
	if (in->kept_fd < 0 && kept_open(in) && kept_open(in))
		initlog(&in->log, LOG_TO_BOTH, "no state will be kept over a crash");
}

static void begin_boot(struct init *in, int old_family_fd)
{
	if (old_family_fd >= 0)
		sys_close(old_family_fd);                    /* an empty one */
	(void)sys_reboot(RB_DISABLE_CAD);                    /* a container has none */
	(void)sys_setsid();                                  /* fails for a leader, which is as good */
	(void)sys_chdir("/");                                /* the kernel starts us there */
	level_boot(in);
}

static void go_on(struct init *in, bool has_state, int family_fd)
{
	initlog(&in->log, LOG_TO_CONSOLE, "version %s reloading", VERSION);
	if (has_state)
		takeover_go_on(in, family_fd, &(struct record_flags){ 0 });
	else
		level_take_over(in);
}

static _Noreturn void run_init(struct init *in, int argc, char **argv, char **envp)
{
	bool is_reexec = args_is_reexec(argc, argv), has_state;
	char title[TITLE_MAX];
	const char *left_out;
	int queue_fd = -1, family_fd = -1, survive_err, err;

	in->load_fd = in->kept_fd = in->children_fd = -1;
	family_init(&in->family);
	survive_err = survive_install(on_fatal_signal);      /* from here on a fault is no death */
	args_parse(argc, argv, &in->boot);
	left_out = args_keep_environment(in, envp);
	title_init(&in->title, argv, envp, title);
	(void)sys_prctl(PR_SET_NAME, (unsigned long)"init"); /* /proc/self/exe may have been executed; cannot fail */
	environ = in->inherited;                             /* libc's: the title overwrites the old one */
	remember_console(in);
	take_stdio();
	control_init(in);
	takeover_init(in);
	/* After a policy was loaded the queue alone counts; under it, nothing of this may be open to us. */
	has_state = (is_reexec || policy_is_settled(in)) && kept_take(in, &queue_fd, &family_fd);
	if (has_state)
		args_settle_variables(in, false);
	else if (is_reexec)
		kept_close_rest();
	is_reexec = is_reexec && (has_state || takeover_is_due(in));
	reserve_numbers(in);
	open_all(in, queue_fd);
	if (survive_err)
		initlog(&in->log, LOG_TO_BOTH, "cannot survive a fault: %s", strerror(-survive_err));
	if (left_out)
		initlog(&in->log, LOG_TO_BOTH, "environment too large, left out: %.40s ...", left_out);
	if (is_reexec)
		go_on(in, has_state, family_fd);
	else
		begin_boot(in, family_fd);
	in->is_up = true;
	err = sys_lock_memory(MCL_CURRENT | MCL_FUTURE);
	if (err)
		initlog(&in->log, LOG_TO_SYSLOG, "cannot lock memory: %s", strerror(-err));
	loop_run(in);
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int complain(const char *name, const char *what)
{
	const char *const part[] = { name, ": ", what, "\n" };

	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
		if (io_write_all(STDERR_FILENO, part[i], strlen(part[i])))
			break;
	return 1;
}

int main(int argc, char **argv, char **envp)
{
	static const char version[] = "SysV init version: " VERSION "\n";
	const char *name = argc > 0 ? last_component(argv[0]) : "init";

	if (argc == 2 && !strcmp(argv[1], "--version"))
		return io_write_all(STDOUT_FILENO, version, sizeof version - 1) ? 1 : 0;
	sys_umask(sys_umask(077) | 022);
	if (sys_geteuid() != 0)
		return complain(name, "must be superuser.");
	if (sys_getpid() == 1)
		run_init(&self, argc, argv, envp);
	if (args_is_reexec(argc, argv))
		return complain(name, "only process 1 can be init");
	return telinit_main(name, argc, argv);
}
