/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/scout.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/io.h"

enum { LOOKS = 4 };                     /* how often progress is looked at within the patience */
enum { TOLD_MAX = 512, GROW = 256 };
enum { HAZARD_OURS = 64 };              /* beside enum subject_part: a child of ours, which is nobody's pidof */

/* What a child is at, in memory that both see. */
struct scout_progress {
	_Atomic uint32_t beats;
	_Atomic int target;             /* being resolved; -1: done with those */
	_Atomic int pid;
	_Atomic int doing;
};

/* What a child tells. Whole batches arrive or none, as a pipe keeps them together up to PIPE_BUF. */
struct told {
	int32_t target;                 /* or one of the words below */
	int32_t pid;
};
enum { TOLD_THROUGH = -1, TOLD_END = -2 };      /* all up to this pid is told; and that is all */
_Static_assert(TOLD_MAX * sizeof(struct told) <= PIPE_BUF, "batches are not torn");

/* --- the child --- */

struct errand {
	struct scout *scout;
	enum match_pass pass;
	int out, count;
	struct told told[TOLD_MAX];
	struct subject subject;
	char list[PROCFS_LIST_SIZE];
};

static void send_batch(struct errand *errand, int word, pid_t pid)
{
	errand->told[errand->count++] = (struct told){ word, pid };
	if (io_write_all(errand->out, errand->told, (size_t)errand->count * sizeof *errand->told))
		sys_exit(1);            /* nobody listens any more */
	errand->count = 0;
}

static void resolve_all(struct scout *scout)
{
	struct mountinfo mounts = { 0 };

	if (scout->avoid_network && mountinfo_read(scout->mounts, &mounts))
		mounts = (struct mountinfo){ 0 };       /* without a table nothing is known to be remote */
	for (size_t i = 0; i < scout->targets; i++) {
		scout->progress->target = (int)i;
		scout->progress->beats++;
		if (!scout->is_given_up[i] && !target_is_on_network(&scout->target[i], &mounts))
			target_resolve(&scout->target[i]);
	}
	scout->progress->target = -1;
	mountinfo_drop(&mounts);
}

static int hazards_of(const struct scout *scout, pid_t pid)
{
	int parts = 0;

	for (size_t i = 0; i < scout->hazards; i++)
		parts |= scout->hazard[i].pid == pid ? scout->hazard[i].parts : 0;
	return parts;
}

static void look_at(struct errand *errand, pid_t pid)
{
	struct scout *scout = errand->scout;

	int hazards = hazards_of(scout, pid);

	if (hazards & HAZARD_OURS)
		return;
	scout->progress->pid = pid;
	scout->progress->beats++;
	subject_begin(&errand->subject, scout->proc, pid, hazards, &scout->progress->doing);
	for (size_t i = 0; i < scout->targets; i++) {
		if (!scout->is_wanted[i] || !match_is(&errand->subject, &scout->target[i], scout->rules, errand->pass))
			continue;
		errand->told[errand->count++] = (struct told){ (int32_t)i, pid };
		if (errand->count == TOLD_MAX - 1)
			send_batch(errand, TOLD_THROUGH, pid - 1);
	}
}

_Noreturn static void look_at_all(struct errand *errand, pid_t after)
{
	struct procfs_list list;
	pid_t pid, self = sys_getpid();
	int err;

	resolve_all(errand->scout);
	err = procfs_list_begin(&list, errand->scout->proc, errand->list, sizeof errand->list);
	while (!err && !(err = procfs_list_next(&list, &pid)))
		if (pid > after && pid != self)
			look_at(errand, pid);
	if (err == -ENOENT)
		send_batch(errand, TOLD_END, 0);
	sys_exit(err != -ENOENT);
}

/* --- the parent --- */

static int add_hazard(struct scout *scout, pid_t pid, int parts)
{
	struct scout_hazard *grown = realloc(scout->hazard, (scout->hazards + 1) * sizeof *grown);

	if (!grown)
		return -ENOMEM;
	scout->hazard = grown;
	scout->hazard[scout->hazards++] = (struct scout_hazard){ pid, parts };
	return 0;
}

/* A process that is told a second time, by the child after one that was given up, is there already. */
static int add_found(struct scout_list *list, pid_t pid)
{
	pid_t *grown;

	if (list->count && list->pid[list->count - 1] >= pid)
		return 0;
	if (list->count % GROW == 0) {
		grown = realloc(list->pid, (list->count + GROW) * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		list->pid = grown;
	}
	list->pid[list->count++] = pid;
	return 0;
}

enum news { NEWS_MORE, NEWS_END, NEWS_STUCK };

static int take_told(struct scout *scout, const struct told *told, size_t count, pid_t *through)
{
	for (; count; told++, count--) {
		int err = 0;

		if (told->target == TOLD_END)
			return NEWS_END;
		if (told->target == TOLD_THROUGH)
			*through = told->pid;
		else if (told->target >= 0 && (size_t)told->target < scout->targets)
			err = add_found(&scout->found[told->target], told->pid);
		if (err)
			return err;
	}
	return NEWS_MORE;
}

static int read_told(struct scout *scout, int in, pid_t *through)
{
	struct told told[TOLD_MAX];
	ssize_t len = sys_read(in, told, sizeof told);

	if (len == -EINTR)
		return NEWS_MORE;
	if (len <= 0)
		return len ? (int)len : -EPIPE;         /* it ended before it was done */
	return take_told(scout, told, (size_t)len / sizeof *told, through);
}

/* One that is ready to run and does not get a processor has not hung. */
static bool is_ready_to_run(const struct scout *scout, pid_t child)
{
	struct procfs_stat stat;

	return !procfs_read_stat(scout->proc, child, &stat) && stat.state == 'R';
}

/* NEWS_END, NEWS_STUCK or a negative errno. */
static int listen_to(struct scout *scout, int in, pid_t child, pid_t *through)
{
	uint32_t beats = scout->progress->beats;
	int silent = 0;

	while (silent < LOOKS) {
		struct pollfd wait = { .fd = in, .events = POLLIN };
		int ready = sys_poll(&wait, 1, scout->patience_ms / LOOKS), news = NEWS_MORE;

		if (ready < 0 && ready != -EINTR)
			return ready;
		if (ready > 0)
			news = read_told(scout, in, through);
		if (news != NEWS_MORE)
			return news;
		if (ready || beats != scout->progress->beats)
			silent = 0;
		else
			silent += !is_ready_to_run(scout, child);
		beats = scout->progress->beats;
	}
	return NEWS_STUCK;
}

/* Where it hung, and where the next one is to begin. */
static int note_hazard(struct scout *scout)
{
	int target = scout->progress->target;

	if (scout->patience_ms / 2 >= SCOUT_PATIENCE_MIN_MS)
		scout->patience_ms /= 2;
	if (target < 0)
		return add_hazard(scout, scout->progress->pid, scout->progress->doing);
	if ((size_t)target < scout->targets)
		scout->is_given_up[target] = true;
	return 0;
}

static pid_t send_out(struct scout *scout, enum match_pass pass, pid_t after, int *in)
{
	struct errand *errand;
	int fds[2], err = sys_pipe(fds, O_CLOEXEC);
	pid_t child;

	if (err)
		return err;
	child = sys_fork();
	if (!child) {
		errand = malloc(sizeof *errand);
		if (!errand)
			sys_exit(1);
		errand->scout = scout;
		errand->pass = pass;
		errand->out = fds[1];
		errand->count = 0;
		look_at_all(errand, after);
	}
	(void)sys_close(fds[1]);
	if (child < 0)
		(void)sys_close(fds[0]);
	else
		*in = fds[0];
	return child;
}

/* NEWS_END, NEWS_STUCK or a negative errno. */
static int run_child(struct scout *scout, enum match_pass pass, pid_t *through)
{
	siginfo_t end;
	int in = -1, news;
	pid_t child = send_out(scout, pass, *through, &in);

	if (child < 0)
		return child;
	news = listen_to(scout, in, child, through);
	(void)sys_close(in);
	if (news == NEWS_END)
		(void)io_wait_child(child, &end);       /* it has nothing left to do */
	else
		(void)sys_kill(child, SIGKILL); /* and not waited for: it may never hear of it */
	return news == NEWS_STUCK && add_hazard(scout, child, HAZARD_OURS) ? -ENOMEM : news;
}

static int run_pass(struct scout *scout, enum match_pass pass)
{
	pid_t through = 0;
	int news;

	do {
		scout->progress->target = 0;
		scout->progress->pid = 0;
		scout->progress->doing = 0;
		news = run_child(scout, pass, &through);
		if (news == NEWS_STUCK && note_hazard(scout))
			return -ENOMEM;
	} while (news == NEWS_STUCK);
	return news == NEWS_END ? 0 : news;
}

int scout_run(struct scout *scout)
{
	size_t left = 0;
	int err;

	for (size_t i = 0; i < scout->targets; i++)
		scout->is_wanted[i] = true;
	err = run_pass(scout, MATCH_BY_FILE);
	if (err)
		return err;
	for (size_t i = 0; i < scout->targets; i++) {
		scout->is_wanted[i] = scout->target[i].is_path && !scout->found[i].count;
		left += scout->is_wanted[i];
	}
	return left ? run_pass(scout, MATCH_BY_NAME) : 0;
}

int scout_begin(struct scout *scout, int proc, const struct match_rules *rules, char *const texts[], size_t count)
{
	void *shared;

	*scout = (struct scout){ .proc = proc, .rules = rules, .targets = count, .patience_ms = SCOUT_PATIENCE_MS };
	scout->target = calloc(count, sizeof *scout->target);
	scout->found = calloc(count, sizeof *scout->found);
	scout->is_wanted = calloc(count, sizeof *scout->is_wanted);
	scout->is_given_up = calloc(count, sizeof *scout->is_given_up);
	if (!scout->target || !scout->found || !scout->is_wanted || !scout->is_given_up)
		return -ENOMEM;
	if (sys_map(-1, sizeof *scout->progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, &shared))
		return -ENOMEM;
	scout->progress = shared;
	for (size_t i = 0; i < count; i++)
		target_set(&scout->target[i], texts[i]);
	return 0;
}

void scout_drop(struct scout *scout)
{
	for (size_t i = 0; scout->found && i < scout->targets; i++)
		free(scout->found[i].pid);
	free(scout->target);
	free(scout->found);
	free(scout->is_wanted);
	free(scout->is_given_up);
	free(scout->hazard);
	if (scout->progress)
		(void)sys_unmap(scout->progress, sizeof *scout->progress);
	*scout = (struct scout){ .proc = -1 };
}
