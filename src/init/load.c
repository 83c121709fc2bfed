/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/load.h"

#include <errno.h>
#include <string.h>

#include "init/job.h"
#include "init/level.h"
#include "init/loader.h"
#include "init/report.h"
#include "init/start.h"
#include "init/table.h"
#include "lib/sys.h"
#include "include/paths.h"

enum { LOAD_MEMFD = 1 | 2 };            /* MFD_CLOEXEC | MFD_ALLOW_SEALING */

static void drop_memfd(struct init *in)
{
	if (in->load_fd >= 0)
		sys_close(in->load_fd);
	in->load_fd = -1;
}

int load_prepare(struct init *in)
{
	int fd;

	drop_memfd(in);
	fd = sys_memfd("init inittab", LOAD_MEMFD);
	if (fd < 0)
		return fd;
	in->load_fd = fd;
	return 0;
}

static void say(void *context, const char *text)
{
	report_log_in_child(context, LOG_TO_BOTH, "%s", text);
}

void load_in_child(struct init *in)
{
	struct loader_config config = { .tab = INIT_TAB_PATH, .tab_dir = INIT_TAB_DIR,
		.cmdline = CMDLINE_PATH, .say = say, .context = in };

	sys_exit(-loader_run(&config, in->load_fd));
}

static int adopt(struct init *in, int fd)
{
	struct table table;
	int err = table_open(fd, &table);

	if (err)
		return err;
	err = family_adopt(&in->family, &table);
	table_close(&table);
	return err;
}

static const char *reason(int err)
{
	if (err == -ETIMEDOUT)
		return "reading it takes too long";
	if (err == -EINTR)
		return "its reader died";
	return strerror(err < 0 ? -err : err);
}

/* What runs once ran once: it must not run again because an init before could not tell. */
static void mark_executed(struct init *in)
{
	in->level.is_torn = false;
	for (int32_t i = 0; i < in->family.count; i++) {
		struct entry *entry = &in->family.entry[i];

		if (entry->pid || start_is_respawned(entry) || !start_is_of_level(entry, in->level.now))
			continue;
		entry->flags |= ENTRY_EXECUTED;
		family_seal(entry);
	}
}

/* Where no table is in use and the file is not to blame: true a few times. */
static bool try_again(struct init *in, int err)
{
	if (in->family.count || err >= 0 || err == -ETIMEDOUT || err == -EPROTO || err == -EFBIG ||
		in->load_retries >= LOAD_RETRIES)
		return false;
	in->load_retries++;
	initlog(&in->log, LOG_TO_BOTH, "%s: %s, trying again", INIT_TAB_PATH, reason(err));
	drop_memfd(in);
	job_want_at(in, JOB_LOADER, mono_after_s(mono_now(), LOAD_RETRY_S));
	return true;
}

void load_ended(struct init *in, int err)
{
	/* A table that is refused is better than none, but worse than the one in use. */
	if (err <= 0 || !in->family.count) {
		int adopted = err < 0 ? err : adopt(in, in->load_fd);

		err = adopted ? adopted : 0;
	}
	if (try_again(in, err))
		return;
	in->load_retries = 0;
	if (err && in->family.count)
		initlog(&in->log, LOG_TO_BOTH, "%s: %s; the table in use stays", INIT_TAB_PATH, reason(err));
	if (err && !in->family.count) {
		initlog(&in->log, LOG_TO_BOTH, "%s: %s", INIT_TAB_PATH, reason(err));
		load_fallback(in);
	}
	drop_memfd(in);
	if (in->level.is_torn)
		mark_executed(in);
	level_loaded(in);
}

void load_fallback(struct init *in)
{
	struct table table;
	int err;

	table_fallback(&table);
	err = family_adopt(&in->family, &table);
	if (err)
		initlog(&in->log, LOG_TO_BOTH, "no table at all: %s", strerror(-err));
}
