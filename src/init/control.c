/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/control.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "init/job.h"
#include "init/loop.h"
#include "init/power.h"
#include "init/report.h"
#include "lib/io.h"
#include "lib/sys.h"

static_assert(sizeof(struct init_request) == 384 && offsetof(struct init_request, i) == 16,
	"initctl wire format");

#define FIFO_FOLDER "/run"
#define FIFO_NAME "initctl"
#define MOUNTS_PATH "/proc/self/mountinfo"
#define CHILDREN_PATH "/proc/1/task/1/children"
static_assert(sizeof INIT_FIFO == sizeof FIFO_FOLDER "/" FIFO_NAME, "the folder and the name of INIT_FIFO");

enum { CHECK_EVERY_MS = 1000, POLL_S = 5 };

void control_init(struct init *in)
{
	in->control = (struct control){ .fd = -1, .folder_fd = -1, .mounts_fd = -1 };
}

/* At the number where another init looks for it; where that cannot be had, as it is. */
static int move_to_number(int fd)
{
	if (fd == CONTROL_FD || sys_dup2(fd, CONTROL_FD) != CONTROL_FD || sys_set_cloexec(CONTROL_FD, 1))
		return fd;
	sys_close(fd);
	return CONTROL_FD;
}

void control_open(struct init *in)
{
	if (in->control.fd >= 0)
		loop_watch(in, in->control.fd, SOURCE_CONTROL);
	in->control.folder_fd = sys_inotify(IN_NONBLOCK | IN_CLOEXEC);
	if (in->control.folder_fd >= 0)
		loop_watch(in, in->control.folder_fd, SOURCE_FOLDER);
	if (!in->control.is_closed)
		job_want(in, JOB_DOOR);
}

void control_take_over(struct init *in, int fd, bool is_closed)
{
	struct control *control = &in->control;
	struct stat st;

	control->is_closed = is_closed;
	if (fd <= STDERR_FILENO || sys_fstat(fd, &st) || !S_ISFIFO(st.st_mode) || sys_set_cloexec(fd, 1))
		return;
	control->fd = move_to_number(fd);
	control->dev = st.st_dev;
	control->ino = st.st_ino;
	control->has_more = true;
}

/* --- the doorkeeper --- */

/* The FIFO, made if it is absent. A descriptor or a negative errno. */
static int open_fifo(void)
{
	struct stat st;
	int fd, err = sys_mkfifo(INIT_FIFO, 0600);

	if (err && err != -EEXIST)
		return err;
	/* Read-write: there is always a writer, so reading never says end of file. */
	fd = sys_open(INIT_FIFO, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &st);
	if (!err && !S_ISFIFO(st.st_mode))
		err = -ENOTUNIQ;
	if (err) {
		sys_close(fd);
		return err;
	}
	return fd;
}

/* Into pid 1's own inotify instance, which we share. 0 or a negative errno. */
static int watch_folder(const struct control *control)
{
	int watch = sys_inotify_add(control->folder_fd, FIFO_FOLDER, IN_CREATE | IN_DELETE | IN_MOVED_FROM |
		IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);

	return watch < 0 ? watch : 0;
}

void control_door_in_child(struct init *in)
{
	/* Watched first: what changes while the FIFO is opened makes pid 1 look again. */
	int mounts = sys_open(MOUNTS_PATH, O_RDONLY | O_CLOEXEC, 0);
	int folder_err = watch_folder(&in->control);
	int fifo = open_fifo();
	int fds[2] = { fifo, mounts };
	int children = sys_open(CHILDREN_PATH, O_RDONLY | O_CLOEXEC, 0);
	const char *watched = folder_err ? "" : CONTROL_FOLDER_WATCHED;

	report_in_child(in, REPORT_CHILDREN, power_is_nested_in_child() ? POWER_NESTED : "", &children, 1);
	if (fifo < 0) {
		/* Something may be mounted where it can be made. */
		report_in_child(in, REPORT_MOUNTS, watched, &mounts, 1);
		sys_exit(-fifo);
	}
	report_in_child(in, REPORT_DOOR, watched, fds, 2);
}

/* --- pid 1's side --- */

static void replace_fd(struct init *in, int *held, int fd, enum source source)
{
	if (*held >= 0) {
		loop_unwatch(in, *held);
		sys_close(*held);
	}
	*held = fd;
	if (fd >= 0)
		loop_watch(in, fd, source);
}

static void drop_oldest(struct control *control)
{
	sys_close(control->old_fd[0]);
	control->old_count--;
	control->have_bytes = 0;
	memmove(control->old_fd, control->old_fd + 1, (size_t)control->old_count * sizeof control->old_fd[0]);
}

/* What was written to the FIFO before is read first; then it is closed. Only a name that changes over and over while
 * no request can be taken, or a lack of descriptors, costs requests. */
static void keep_old(struct init *in)
{
	struct control *control = &in->control;
	int fd = control->fd;

	if (fd < 0)
		return;
	loop_unwatch(in, fd);
	if (fd == CONTROL_FD)
		fd = sys_dup_from(fd, CONTROL_FD + 1);
	control->fd = -1;
	control->has_more = true;
	io_reserve(CONTROL_FD);
	if (fd < 0 || control->old_count == CONTROL_OLD_MAX)
		initlog(&in->log, LOG_TO_BOTH, "%s was changed too often, requests lost", INIT_FIFO);
	if (fd < 0)
		return;
	if (control->old_count == CONTROL_OLD_MAX)
		drop_oldest(control);
	control->old_fd[control->old_count++] = fd;
}

static void take_fifo(struct init *in, int fd)
{
	struct control *control = &in->control;
	struct stat st;

	/* fstat(2) of an open FIFO asks no disk. */
	if (sys_fstat(fd, &st) ||
		(control->fd >= 0 && st.st_dev == control->dev && st.st_ino == control->ino)) {
		sys_close(fd);
		return;
	}
	keep_old(in);
	control->dev = st.st_dev;
	control->ino = st.st_ino;
	control->fd = move_to_number(fd);
	loop_watch(in, control->fd, SOURCE_CONTROL);
}

void control_take_mounts(struct init *in, const char *text, int fd)
{
	struct control *control = &in->control;

	control->has_watch = !strcmp(text, CONTROL_FOLDER_WATCHED);
	if (!control->is_closed)
		replace_fd(in, &control->mounts_fd, fd, SOURCE_MOUNTS);
	else if (fd >= 0)
		sys_close(fd);
}

void control_take(struct init *in, const char *text, int fds[2])
{
	if (!in->control.is_closed)
		take_fifo(in, fds[0]);
	else if (fds[0] >= 0)
		sys_close(fds[0]);
	control_take_mounts(in, text, fds[1]);
}

/* Once, as long as it lasts. */
static void say_trouble(struct init *in, int err)
{
	if (err == in->control.trouble)
		return;
	in->control.trouble = err;
	if (err == ENOTUNIQ || err == ENXIO || err == ELOOP)
		initlog(&in->log, LOG_TO_BOTH, "%s is not a fifo", INIT_FIFO);
	else if (err > 0)
		initlog(&in->log, LOG_TO_BOTH, "%s: %s", INIT_FIFO, strerror(err));
}

/* Without the watches (no /proc yet, no inotify) the name is looked at every few seconds, as long as it lasts. */
void control_door_ended(struct init *in, int err)
{
	struct control *control = &in->control;

	say_trouble(in, err);
	if (control->is_closed || job_is_busy(in, JOB_DOOR))
		return;
	if (err || control->fd < 0 || !control->has_watch || control->mounts_fd < 0)
		job_want_at(in, JOB_DOOR, mono_after_s(mono_now(), POLL_S));
}

void control_check(struct init *in)
{
	if (!in->control.is_closed)
		job_want_at(in, JOB_DOOR, mono_after_ms(mono_now(), CHECK_EVERY_MS));
}

void control_reopen(struct init *in)
{
	in->control.is_closed = false;
	in->control.ino = 0;                         /* the same FIFO is opened anew, too */
	job_want(in, JOB_DOOR);
}

void control_close(struct init *in)
{
	struct control *control = &in->control;

	control->is_closed = true;
	job_cancel(in, JOB_DOOR);
	keep_old(in);
	replace_fd(in, &control->mounts_fd, -1, SOURCE_MOUNTS);
}

void control_folder_changed(struct init *in)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	ssize_t got = sys_read(in->control.folder_fd, &buffer, sizeof buffer);
	const struct inotify_event *event;

	for (ssize_t at = 0; at + (ssize_t)sizeof *event <= got; at += (ssize_t)(sizeof *event + event->len)) {
		event = (const struct inotify_event *)(buffer.bytes + at);
		if (!event->len || !strcmp(event->name, FIFO_NAME))
			control_check(in);
	}
}

/* --- requests --- */

static void run_request(struct init *in, const struct init_request *request)
{
	switch (request->cmd) {
	case INIT_CMD_RUNLVL:
		level_request(in, (char)request->runlevel, request->sleeptime);
		break;
	case INIT_CMD_POWERFAIL:
		level_signal(in, LEVEL_SIGNAL_POWER_FAIL);
		break;
	case INIT_CMD_POWERFAILNOW:
		level_signal(in, LEVEL_SIGNAL_POWER_LOW);
		break;
	case INIT_CMD_POWEROK:
		level_signal(in, LEVEL_SIGNAL_POWER_OK);
		break;
	case INIT_CMD_SETENV:
		if (environ_set_all(&in->vars, request->i.data, sizeof request->i.data))
			initlog(&in->log, LOG_TO_BOTH, "initctl: not all variables could be set");
		break;
	default:
		initlog(&in->log, LOG_TO_BOTH, "got unimplemented initrequest.");
	}
}

/* Where the next request may begin in a buffer that does not begin with one: at its magic number. */
static uint32_t next_magic(const char *bytes, uint32_t len)
{
	const int magic = INIT_MAGIC;

	for (uint32_t at = 1; at < len; at++) {
		uint32_t left = len - at < sizeof magic ? len - at : (uint32_t)sizeof magic;

		if (!memcmp(bytes + at, &magic, left))
			return at;
	}
	return len;
}

/* A whole request: its number of bytes is taken off the buffer. Garbage is skipped, said once a batch. */
static void buffer_step(struct init *in, bool *said)
{
	struct control *control = &in->control;
	struct init_request request = control->buffer.request;
	uint32_t used = sizeof request;

	if (request.magic != INIT_MAGIC) {
		if (!*said)
			initlog(&in->log, LOG_TO_BOTH, "got bogus initrequest");
		*said = true;
		used = next_magic(control->buffer.bytes, sizeof request);
	}
	control->have_bytes -= used;
	memmove(control->buffer.bytes, control->buffer.bytes + used, control->have_bytes);
	if (request.magic == INIT_MAGIC)
		run_request(in, &request);
}

/* Fills the buffer from fd. True when a whole request's worth of bytes is there. */
static bool buffer_fill(struct init *in, int fd, bool *said)
{
	struct control *control = &in->control;
	ssize_t got = sys_read(fd, control->buffer.bytes + control->have_bytes,
		sizeof control->buffer - control->have_bytes);

	if (got > 0)
		control->have_bytes += (uint32_t)got;
	if (control->have_bytes == sizeof control->buffer)
		return true;
	if (got <= 0 && control->have_bytes) {
		/* A request is written at once (pipe(7), PIPE_BUF): the rest will not come. */
		if (!*said)
			initlog(&in->log, LOG_TO_BOTH, "got bogus initrequest");
		*said = true;
		control->have_bytes = 0;
	}
	if (got == -EAGAIN || got > 0)
		return false;
	if (got < 0 && fd == control->fd)
		control_reopen(in);
	return false;
}

/* Reads one FIFO until it is empty, the batch is full, or a request has begun something. True: it is empty. */
static bool read_fifo(struct init *in, int fd, int *budget)
{
	bool said = false;

	while (level_takes_requests(in) && (*budget)-- > 0) {
		uint32_t before = in->control.have_bytes;

		if (buffer_fill(in, fd, &said))
			buffer_step(in, &said);
		else if (in->control.have_bytes <= before)
			return true;
	}
	return false;
}

void control_read(struct init *in)
{
	struct control *control = &in->control;
	int budget = CONTROL_REQUESTS_A_TURN;

	while (control->old_count) {
		if (!read_fifo(in, control->old_fd[0], &budget))
			return;
		drop_oldest(control);
	}
	if (control->fd < 0 || read_fifo(in, control->fd, &budget))
		control->has_more = false;
}
