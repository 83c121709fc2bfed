/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initlog/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "include/paths.h"
#include "initlog/jail.h"
#include "lib/sys.h"

enum {
	BACKOFF_FIRST_S = 1,
	BACKOFF_MAX_S = 30,
	BREATH_MS = 100,        /* between two tries, whatever a sink believes to have seen */
	NUDGE_MS = 100,         /* between two signals to a delivery that overran its deadline */
	WRITER_LOOK_MS = 100,   /* between two looks whether the writer is there, by one that outlives it */
};

static const struct sink_ops *const ops_of[] = {
	[SINK_CONSOLE] = &sink_console_ops,
	[SINK_SYSLOG] = &sink_syslog_ops,
	[SINK_RECORDS] = &sink_records_ops,
	[SINK_WTMP] = &sink_wtmp_ops,
};
_Static_assert(sizeof ops_of / sizeof ops_of[0] == SINK_COUNT, "a sink without a helper");

struct job {
	struct queue *queue;
	const struct sink_ops *ops;
	void *state;
	enum sink sink;
	/* Of a helper that outlives its writer; 0: of pid 1, whose helpers work for ever. */
	pid_t writer;
	int stay_s;
	bool is_orphan;                 /* the writer has ended: what is there is all */
	struct mono until;
};

static void ignore_alarm(int signal)
{
	(void)signal;
}

/* Signals for init or for everybody (killall5 -15, ^C on the console) must not end a helper; what
 * the kernel raises for a fault in it does. The alarm has no SA_RESTART: it ends a sleep that can
 * be ended. */
static void signals_shed(void)
{
	static const int open[] = { SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP,
		SIGSYS };
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t mask;

	for (int signal = 1; signal < NSIG; signal++)
		sys_sigaction(signal, &action);
	action.sa_handler = ignore_alarm;
	sys_sigaction(SIGALRM, &action);
	sigfillset(&mask);
	for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
		sigdelset(&mask, open[i]);
	sys_sigmask(SIG_SETMASK, &mask, NULL);
}

/* What ends one that outlives its writer: sent to everybody on the way down, who then waits for all to be gone. Only
 * where it sleeps with nothing in hand, or after a try that failed. */
static void term_allow(const struct job *job, bool on)
{
	sigset_t term;

	if (!job->writer)
		return;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sys_sigmask(on ? SIG_UNBLOCK : SIG_BLOCK, &term, NULL);
}

static void descriptors_shed(int kept)
{
	if (kept > 0)
		sys_close_range(0, (unsigned)kept - 1);
	sys_close_range((unsigned)(kept + 1), ~0u);
}

static void inheritance_shed(struct initlog *log, const char *name)
{
	char title[TITLE_MAX];

	signals_shed();
	sys_setsid();
	if (log->config.shed)
		log->config.shed(log->config.owner);
	descriptors_shed(queue_fd(log->queue));
	sys_chdir("/");
	snprintf(title, sizeof title, "%s [log: %s]", log->config.title, name);
	title_set(log->command_line, title);
	(void)sys_prctl(PR_SET_NAME, (unsigned long)HELPER_COMM);       /* killall5 leaves out who is called that */
}

static void nudge_set(int first_ms)
{
	struct itimerval timer = {
		.it_value = { first_ms / 1000, first_ms % 1000 * 1000 },
		.it_interval = { 0, first_ms ? NUDGE_MS * 1000 : 0 },
	};

	sys_setitimer(&timer);
}

static int try_once(const struct job *job, const struct record *record)
{
	int err;

	queue_set_state(job->queue, job->sink, SINK_DELIVERING);
	nudge_set(job->ops->deadline_ms);
	err = job->ops->deliver(
		job->state, record, mono_after_ms(mono_now(), job->ops->deadline_ms));
	nudge_set(0);
	return err;
}

static void writer_look(struct job *job)
{
	if (!job->writer || job->is_orphan || sys_getppid() == job->writer)
		return;
	job->is_orphan = true;
	job->until = mono_after_s(mono_now(), job->stay_s);
}

static void deliver(struct job *job, const struct record *record)
{
	static const struct timespec breath = { 0, BREATH_MS * 1000000 };
	int64_t backoff_s = BACKOFF_FIRST_S;

	while (try_once(job, record)) {
		writer_look(job);
		if (mono_is_due(job->until, mono_now()))
			sys_exit(1);
		queue_set_state(job->queue, job->sink, SINK_BACKING_OFF);
		term_allow(job, true);
		sys_sleep(&breath);
		job->ops->wait(job->state, mono_first(mono_after_s(mono_now(), backoff_s), job->until));
		term_allow(job, false);
		backoff_s = backoff_s * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S : backoff_s * 2;
	}
}

/* A record of its own and a step of its own: neither the loss nor what follows is said twice. */
static void deliver_loss(struct job *job, struct record *record)
{
	static struct record loss;

	loss = (struct record){
		.seq = record->seq - 1, .ordinal = record->ordinal - 1, .when = record->when
	};
	loss.len_bytes = (size_t)snprintf(
		loss.text, sizeof loss.text, "%" PRIu64 " messages lost", record->lost);
	deliver(job, &loss);
	queue_done_lost(job->queue, job->sink, record);
}

/* No wake-up until something is put, but a line seldom comes alone: after one, a sink that can be
 * late by a moment is up for that moment. A kernel that refuses to wait must not make it a busy
 * loop. */
static void idle(const struct job *job, bool is_fresh)
{
	static const struct timespec second = { 1, 0 };
	int err;

	queue_set_state(job->queue, job->sink, SINK_IDLE);
	term_allow(job, true);
	if (is_fresh && job->ops->linger_ms)
		err = queue_linger(job->queue, job->sink, job->ops->linger_ms);
	else
		err = queue_wait(job->queue, job->sink, job->writer ? WRITER_LOOK_MS : -1);
	term_allow(job, false);
	if (err && err != -EINTR && err != -ETIMEDOUT)
		sys_sleep(&second);
}

static _Noreturn void work(struct initlog *log, struct job *job)
{
	static struct record record;
	const struct jail_names *names = NULL;
	bool is_fresh = false;

	inheritance_shed(log, job->ops->name);
	if (jail_seal(&log->config, &names))
		names = NULL;
	job->state = job->ops->open(&log->config, job->queue);
	jail_enter(job->sink, names);
	for (;;) {
		writer_look(job);               /* before the queue: its last word may have come since */
		if (queue_take(job->queue, job->sink, &record)) {
			if (job->is_orphan)
				sys_exit(0);
			idle(job, is_fresh);
			is_fresh = false;
			continue;
		}
		is_fresh = true;
		if (record.lost && job->ops->says_lost)
			deliver_loss(job, &record);
		deliver(job, &record);
		queue_done(job->queue, job->sink, &record);
	}
}

_Noreturn void helper_main(struct initlog *log, enum sink sink)
{
	struct job job = { .queue = log->queue, .ops = ops_of[sink], .sink = sink, .until = MONO_NEVER };

	work(log, &job);
}

_Noreturn void helper_outlive(struct initlog *log, enum sink sink, pid_t writer, int stay_s)
{
	struct job job = { .queue = log->queue, .ops = ops_of[sink], .sink = sink, .until = MONO_NEVER,
		.writer = writer, .stay_s = stay_s };

	work(log, &job);
}
