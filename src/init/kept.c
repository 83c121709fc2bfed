/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/kept.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "init/control.h"
#include "init/job.h"
#include "lib/sys.h"

enum { KEPT_MAGIC = 0x494e4b50, KEPT_VERSION = 1, KEPT_MEMFD = 1 };

/* The wire format between two images. */
struct kept {
	uint32_t magic, version, size_bytes;
	uint32_t checksum;                           /* of all behind it */
	int32_t queue_fd, family_fd, control_fd;
	uint32_t phase;
	uint32_t events;
	uint8_t now, previous, wanted, demand;
	uint8_t boot_level, boot_arg, did_boot, is_halted;
	uint8_t said_empty, is_channel_closed, is_console_missing, more;
	int64_t stop_s;
	int64_t crash_ns[CRASHES_KEPT];
	char console[CONSOLE_NAME_MAX];
	struct environ_vars vars;
};
/* In `more`. Two jobs that were not through with their work, and what is out of another init's records. */
enum { MORE_TORN = 1 << 0, MORE_POWER = 1 << 1, MORE_CONSOLE = 1 << 2, MORE_BOOT_IN_WTMP = 1 << 4,
	MORE_BOOT_IN_UTMP = 1 << 5, MORE_LEVEL_IN_WTMP = 1 << 6, MORE_LEVEL_IN_UTMP = 1 << 7 };
static_assert(offsetof(struct kept, stop_s) == 48, "layout between images");
static_assert(sizeof(struct kept) == 48 + 8 + 8 * CRASHES_KEPT + CONSOLE_NAME_MAX +
	sizeof(struct environ_vars), "no padding that the checksum would read");

static uint32_t checksum_of(const struct kept *kept)
{
	size_t from = offsetof(struct kept, queue_fd);

	return num_hash((const char *)kept + from, sizeof *kept - from);
}

int kept_open(struct init *in)
{
	int err, fd = sys_memfd("init state", KEPT_MEMFD);

	in->kept_fd = -1;
	if (fd < 0)
		return fd;
	in->kept_fd = sys_dup2(fd, KEPT_FD);
	err = in->kept_fd < 0 ? in->kept_fd : sys_set_cloexec(KEPT_FD, 1);
	if (fd != KEPT_FD)
		sys_close(fd);
	return err;
}

static uint8_t more_of(const struct init *in)
{
	int more = in->level.is_torn ? MORE_TORN : 0;

	if (job_is_busy(in, JOB_POWER))
		more |= MORE_POWER;
	if (job_is_busy(in, JOB_CONSOLE))
		more |= MORE_CONSOLE;
	return (uint8_t)more;
}

static void fill(const struct init *in, struct kept *out)
{
	const struct level *level = &in->level;

	memset(out, 0, sizeof *out);
	out->magic = KEPT_MAGIC;
	out->version = KEPT_VERSION;
	out->size_bytes = sizeof *out;
	out->queue_fd = in->log.queue ? queue_fd(in->log.queue) : -1;
	out->family_fd = in->family.fd;
	out->control_fd = in->control.fd;
	out->is_channel_closed = in->control.is_closed;
	out->is_console_missing = in->is_console_missing;
	out->phase = level->phase;
	out->events = level->events;
	out->now = (uint8_t)level->now;
	out->previous = (uint8_t)level->previous;
	out->wanted = (uint8_t)level->wanted;
	out->demand = (uint8_t)level->demand;
	out->boot_level = (uint8_t)level->boot_level;
	out->boot_arg = (uint8_t)in->boot.level;
	out->did_boot = level->did_boot;
	out->is_halted = level->is_halted;
	out->said_empty = level->said_empty;
	out->more = more_of(in);
	out->stop_s = level->stop_s;
	memcpy(out->crash_ns, in->crash_ns, sizeof out->crash_ns);
	memcpy(out->console, in->console, sizeof out->console);
	out->vars = in->vars;
}

static int write_sealed(struct kept *kept, int fd)
{
	ssize_t put;

	kept->checksum = checksum_of(kept);
	put = sys_pwrite(fd, kept, sizeof *kept, 0);
	if (put == (ssize_t)sizeof *kept)
		return 0;
	return put < 0 ? (int)put : -ENOSPC;
}

static int pass(int fd, int on)
{
	return fd < 0 ? 0 : sys_set_cloexec(fd, !on);
}

static int pass_all(struct init *in, int on)
{
	int err = pass(in->kept_fd, on);

	if (!err)
		err = pass(in->family.fd, on);
	if (!err && in->log.queue)
		err = pass(queue_fd(in->log.queue), on);
	return err ? err : pass(in->control.fd, on);
}

int kept_save(struct init *in)
{
	struct kept kept;
	int err;

	if (in->kept_fd < 0)
		return -EBADF;
	fill(in, &kept);
	err = write_sealed(&kept, in->kept_fd);
	return err ? err : pass_all(in, 1);
}

int kept_pass_channel(struct init *in)
{
	return pass(in->control.fd, 1);
}

int kept_write_in_child(const struct init *in, const struct record_flags *out, int fd)
{
	struct kept kept;

	fill(in, &kept);
	kept.more = (uint8_t)((in->level.is_torn ? MORE_TORN : 0) | (out->boot_in_wtmp ? MORE_BOOT_IN_WTMP : 0) |
		(out->boot_in_utmp ? MORE_BOOT_IN_UTMP : 0) | (out->level_in_wtmp ? MORE_LEVEL_IN_WTMP : 0) |
		(out->level_in_utmp ? MORE_LEVEL_IN_UTMP : 0));
	return write_sealed(&kept, fd);
}

void kept_withhold(struct init *in)
{
	(void)pass_all(in, 0);                       /* fails for closed descriptors alone */
}

static bool is_one_of(uint8_t c, const char *letters)
{
	return c && strchr(letters, c);
}

static bool letters_are_valid(const struct kept *kept)
{
	static const char real[] = "S0123456789", any[] = "#*S0123456789", previous[] = "NS0123456789";

	return is_one_of(kept->now, any) && is_one_of(kept->wanted, any) &&
		is_one_of(kept->previous, previous) && (!kept->demand || is_one_of(kept->demand, "ABC")) &&
		(!kept->boot_level || is_one_of(kept->boot_level, real)) &&
		(!kept->boot_arg || is_one_of(kept->boot_arg, real));
}

static bool is_valid(const struct kept *kept)
{
	return kept->magic == KEPT_MAGIC && kept->version == KEPT_VERSION &&
		kept->size_bytes == sizeof *kept && kept->checksum == checksum_of(kept) &&
		kept->phase > PHASE_NONE && kept->phase < PHASE_COUNT && letters_are_valid(kept) &&
		kept->stop_s >= 0 && kept->console[CONSOLE_NAME_MAX - 1] == '\0';
}

static void restore_level(struct init *in, const struct kept *kept)
{
	in->level = (struct level){
		.phase = (enum phase)kept->phase, .events = kept->events,
		.now = (char)kept->now, .previous = (char)kept->previous, .wanted = (char)kept->wanted,
		.demand = (char)kept->demand, .boot_level = (char)kept->boot_level,
		.did_boot = kept->did_boot, .is_halted = kept->is_halted,
		.said_empty = kept->said_empty, .is_torn = kept->more & MORE_TORN, .stop_s = kept->stop_s, .deadline = MONO_NEVER, .reread_at = MONO_NEVER,
	};
	in->boot.level = (char)kept->boot_arg;
}

/* fd, or -1 if it is none that can be used. */
static int take_fd(int fd)
{
	if (fd < 0)
		return -1;
	for (int tries = 0; tries < 2; tries++)
		if (!sys_set_cloexec(fd, 1))
			return fd;
	sys_close(fd);
	return -1;
}

static bool read_valid(int fd, struct kept *out)
{
	ssize_t got = sys_pread(fd, out, sizeof *out, 0);

	if (got < 0)
		got = sys_pread(fd, out, sizeof *out, 0);    /* without it the entries are lost */
	return got == (ssize_t)sizeof *out && is_valid(out);
}

bool kept_read_level(struct init *in, int fd, struct record_flags *out)
{
	struct kept kept;

	if (fd < 0 || !read_valid(fd, &kept))
		return false;
	restore_level(in, &kept);
	*out = (struct record_flags){ kept.more & MORE_BOOT_IN_WTMP, kept.more & MORE_BOOT_IN_UTMP,
		kept.more & MORE_LEVEL_IN_WTMP, kept.more & MORE_LEVEL_IN_UTMP };
	return true;
}

int kept_save_again(struct init *in, void (*note)(int64_t crash_ns[CRASHES_KEPT]))
{
	struct kept kept;
	int err;

	if (!read_valid(KEPT_FD, &kept))
		return -ENODATA;
	note(kept.crash_ns);
	memcpy(in->crash_ns, kept.crash_ns, sizeof in->crash_ns);
	err = write_sealed(&kept, KEPT_FD);
	if (!err)
		err = pass(KEPT_FD, 1);
	if (!err)
		err = pass(kept.family_fd, 1);
	if (!err)
		err = pass(kept.queue_fd, 1);
	return err ? err : pass(kept.control_fd, 1);
}

static void restore_jobs(struct init *in, const struct kept *kept)
{
	if (kept->more & MORE_POWER)
		job_want(in, JOB_POWER);
	if (kept->more & MORE_CONSOLE)
		job_want(in, JOB_CONSOLE);
}

bool kept_take(struct init *in, int *queue_fd, int *family_fd)
{
	struct kept kept;

	*queue_fd = *family_fd = -1;
	if (!read_valid(KEPT_FD, &kept))
		return false;
	restore_level(in, &kept);
	restore_jobs(in, &kept);
	memcpy(in->console, kept.console, sizeof in->console);
	memcpy(in->crash_ns, kept.crash_ns, sizeof in->crash_ns);
	in->is_console_missing = kept.is_console_missing;
	in->vars = kept.vars;
	*queue_fd = take_fd(kept.queue_fd);
	*family_fd = take_fd(kept.family_fd);
	in->kept_fd = take_fd(KEPT_FD);
	control_take_over(in, kept.control_fd, kept.is_channel_closed);
	return true;
}

void kept_close_rest(void)
{
	(void)sys_close_range(STDERR_FILENO + 1, CONTROL_FD - 1);       /* cannot fail */
	(void)sys_close_range(KEPT_FD + 1, UINT_MAX);
}
