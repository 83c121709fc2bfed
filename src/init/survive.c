/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/survive.h"

#include <errno.h>
#include <string.h>
#include <sys/reboot.h>

#include "include/paths.h"
#include "init/args.h"
#include "init/child.h"
#include "init/console.h"
#include "init/job.h"
#include "init/kept.h"
#include "init/level.h"
#include "init/stream.h"
#include "lib/io.h"
#include "lib/sys.h"

enum { LAST_RESORT_PAUSE_S = 5 };

const int survive_fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, 0 };

int survive_install(void (*handler)(int, siginfo_t *, void *))
{
	static char stack[32768];                    /* struct kept alone is 6 KiB */
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	int err = sys_sigaltstack(&alternate);

	sigfillset(&action.sa_mask);
	for (int i = 0; survive_fatal[i]; i++)
		sigdelset(&action.sa_mask, survive_fatal[i]);
	for (int i = 0; survive_fatal[i] && !err; i++)
		err = sys_sigaction(survive_fatal[i], &action);
	return err;
}

/* --- a new image --- */

/* The environment that init got, and what was set by request: stock hands its variables over in this way, and takes
 * them so. */
static void execute_with(struct init *in, const char *path, char **argv)
{
	char *envp[INHERITED_MAX + ENVIRON_VARS + 1];
	int count = 0;

	for (char **variable = in->inherited; *variable; variable++)
		envp[count++] = *variable;
	for (int i = 0; i < ENVIRON_VARS; i++)
		if (*in->vars.var[i] && memchr(in->vars.var[i], '\0', ENVIRON_VAR_BYTES))
			envp[count++] = in->vars.var[i];
	envp[count] = NULL;
	(void)sys_exec(path, argv, envp);            /* returning is its failure */
}

static void execute(struct init *in, const char *path)
{
	char name[] = INIT_PATH, flag[] = "--init";  /* stock executes what its own argv[0] says the next time */
	char *argv[] = { name, flag, NULL };

	execute_with(in, path, argv);
}

/* Helpers and disposable children do not pass: a new image has its own. A shutdown is no child of this image's any more
 * as soon as it runs. */
static void dismiss_children(struct init *in)
{
	initlog_stop_helpers(&in->log);
	for (enum job_kind kind = 0; kind < JOB_COUNT; kind++)
		if (kind != JOB_SHUTDOWN)
			job_cancel(in, kind);
}

static _Noreturn void write_stream(struct init *in, int fd)
{
	child_shed(in, fd);
	sys_exit(stream_write_in_child(in, fd) ? 1 : 0);
}

/* The state as text, at the number where the next image looks for it. The child that writes it ends when it is read, or
 * when nobody reads it; 0 or a negative errno. */
static int send_stream(struct init *in, pid_t *writer)
{
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);

	if (err)
		return err;
	/* An empty pipe takes the signature at once. */
	err = sys_write(fds[1], STREAM_SIGNATURE, STREAM_SIGNATURE_BYTES) == STREAM_SIGNATURE_BYTES ? 0 : -EIO;
	if (!err) {
		*writer = sys_fork();
		if (!*writer)
			write_stream(in, fds[1]);
		err = *writer < 0 ? *writer : 0;
	}
	if (!err && fds[0] != STREAM_FD) {
		int moved = sys_dup2(fds[0], STREAM_FD);

		err = moved < 0 ? moved : 0;
	} else if (!err) {
		err = sys_set_cloexec(STREAM_FD, 0);
	}
	if (fds[0] != STREAM_FD)
		sys_close(fds[0]);
	sys_close(fds[1]);
	return err;
}

static int reexec(struct init *in, enum image image)
{
	pid_t writer = 0;
	int err = image == IMAGE_OURS ? kept_save(in) : kept_pass_channel(in);

	if (!err)
		err = send_stream(in, &writer);
	if (!err) {
		dismiss_children(in);
		execute(in, INIT_PATH);
		err = -ENOEXEC;
	}
	if (writer > 0)
		(void)sys_kill(writer, SIGKILL);     /* reaped as anybody's child */
	io_reserve(STREAM_FD);
	kept_withhold(in);
	return err;
}

void survive_reexec(struct init *in)
{
	enum image image = in->level.image;
	bool has_power = job_is_busy(in, JOB_POWER), has_console = job_is_busy(in, JOB_CONSOLE);

	in->level.image = IMAGE_NONE;
	if (!strchr("S0123456", in->level.now))
		return;
	if (!reexec(in, image))
		return;
	initlog(&in->log, LOG_TO_CONSOLE, "Attempt to re-exec failed");
	job_want(in, JOB_DOOR);
	if (has_power)
		job_want(in, JOB_POWER);
	if (has_console)
		job_want(in, JOB_CONSOLE);
}

/* What args_parse() made of the words that the kernel passed; AUTOBOOT is in the environment. */
static void execute_as_kernel_did(struct init *in, const char *path)
{
	char name[] = INIT_PATH, emergency[] = "emergency", level[] = { in->boot.level, '\0' };
	char *argv[4] = { name };
	int count = 1;

	if (in->boot.emergency)
		argv[count++] = emergency;
	if (in->boot.level)
		argv[count++] = level;
	argv[count] = NULL;
	execute_with(in, path, argv);
}

void survive_enter_domain(struct init *in, const char *variable)
{
	args_add_variable(in, variable);
	(void)!kept_save(in);                        /* without it, what is not out yet is lost, no more */
	dismiss_children(in);
	execute_as_kernel_did(in, SELF_PATH);        /* which may lie elsewhere than /sbin/init */
	execute_as_kernel_did(in, INIT_PATH);
	kept_withhold(in);
	initlog(&in->log, LOG_TO_BOTH, "the SELinux policy is loaded, but init cannot be executed again in its domain");
	job_want(in, JOB_DOOR);
}

/* --- crashes --- */

static const char *name_of(int signal)
{
	switch (signal) {
	case SIGSEGV:
		return "segmentation violation";
	case SIGBUS:
		return "bus error";
	case SIGILL:
		return "illegal instruction";
	case SIGFPE:
		return "arithmetic error";
	}
	return "abort";
}

static void say_panic(struct init *in, int signal, const char *what_now)
{
	char text[128] = "PANIC: ";

	strcat(text, name_of(signal));
	strcat(text, "! ");
	strcat(text, what_now);
	if (in->log.queue)
		queue_put(in->log.queue, LOG_TO_BOTH, wall_now(), text, strlen(text));
}

/* A forked copy dies of the same signal, in the root directory, where core(5) puts the file by default. */
static void leave_core(int signal)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	pid_t pid = sys_fork();

	if (pid)
		return;
	(void)sys_chdir("/");
	(void)sys_set_core_limit(&unlimited);
	(void)sys_sigaction(signal, &action);
	sigemptyset(&none);
	(void)sys_sigmask(SIG_SETMASK, &none, NULL);
	(void)sys_kill(sys_getpid(), signal);
	sys_exit(128 + signal);
}

static void note_crash(int64_t crash_ns[CRASHES_KEPT])
{
	memmove(crash_ns, crash_ns + 1, (CRASHES_KEPT - 1) * sizeof crash_ns[0]);
	crash_ns[CRASHES_KEPT - 1] = mono_now().ns;
}

/* Too many in too short a time. */
static bool is_once_too_often(const struct init *in)
{
	struct mono oldest = { in->crash_ns[0] }, newest = { in->crash_ns[CRASHES_KEPT - 1] };

	return oldest.ns && !mono_is_due(mono_after_s(oldest, SURVIVE_WINDOW_S), newest);
}

/* An image that is not up yet leaves what it found. 0 or a negative errno: only the last resort is left, so it is tried twice. */
static int save(struct init *in)
{
	if (!in->is_up)
		return kept_save_again(in, note_crash);
	note_crash(in->crash_ns);
	return kept_save(in) ? kept_save(in) : 0;
}

static _Noreturn void last_shell(struct init *in)
{
	char name[] = "sulogin";
	char *argv[] = { name, NULL };
	int fd;

	(void)sys_setsid();
	child_shed(in, -1);
	if (!console_open_in_child(in, &fd))
		console_as_stdio_in_child(fd);
	(void)sys_set_ctty(0, 1);
	(void)sys_exec(SULOGIN_PATH, argv, in->inherited);
	sys_exit(1);
}

static _Noreturn void last_resort(struct init *in)
{
	const struct timespec pause = { LAST_RESORT_PAUSE_S, 0 };
	struct sigaction reap = { .sa_handler = SIG_IGN };   /* the kernel reaps: sigaction(2) */
	siginfo_t ended;
	pid_t shell = 0;

	(void)sys_sigaction(SIGCHLD, &reap);
	(void)sys_reboot((int)RB_ENABLE_CAD);
	for (;;) {
		while (sys_wait(-1, &ended) > 0)     /* who died before that */
			;
		if (!shell || sys_kill(shell, 0) == -ESRCH)
			shell = sys_fork();
		if (!shell)
			last_shell(in);
		if (shell < 0)
			shell = 0;
		(void)sys_sleep(&pause);
	}
}

/* The disk that holds /sbin/init may be what is wrong. Where there is no /proc there is no other way to ours; what stands
 * there by now may be another sysvinit, or another version of ours, which knows the text alone. */
static void execute_again(struct init *in)
{
	pid_t writer;

	dismiss_children(in);
	execute(in, SELF_PATH);
	if (in->is_up)
		(void)!send_stream(in, &writer);     /* ours may do without */
	execute(in, INIT_PATH);
	sys_close(STREAM_FD);                        /* ends who writes */
}

void survive_crashed(struct init *in, const siginfo_t *why)
{
	int signal = why->si_signo;
	bool was_crashing = in->is_crashing, is_last;
	int err;

	if (sys_getpid() != 1)
		sys_exit(128 + signal);              /* a child that has not come as far as its own handlers */
	in->is_crashing = true;                      /* a fault in here must not come back here */
	/* A process sent it (sigaction(2)): nothing is wrong with what was being written. */
	if (why->si_code <= 0 && !was_crashing)
		family_seal_all(&in->family);
	err = was_crashing ? -EBUSY : save(in);
	is_last = was_crashing || is_once_too_often(in);
	if (!is_last) {
		say_panic(in, signal, "Executing init again.");
		leave_core(signal);
		if (!err)
			execute_again(in);
	} else if (!was_crashing) {
		say_panic(in, signal, "Once too often: a shell for root is all that is left.");
	}
	last_resort(in);
}
