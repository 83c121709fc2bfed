/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/init.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/control.h"
#include "init/job.h"
#include "init/reap.h"
#include "init/table.h"
#include "init/takeover.h"

enum { MEMFD = 1 | 2 };         /* MFD_CLOEXEC | MFD_ALLOW_SEALING */

static char dir[64];
static char command_line[TITLE_MAX], title_text[TITLE_MAX];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void open_log(struct init *in)
{
	static const struct initlog_config config = { .ident = "init", .title = "init" };

	assert_int_equal(initlog_open(&in->log, &config, &in->title, -1), 0);
}

struct init *fake_init_begin(void)
{
	struct init *in = calloc(1, sizeof *in);

	assert_non_null(in);
	strcpy(dir, "/tmp/init_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	fake_root(dir);
	fake_processes(FAKE_FIRST_PID);
	fake_clock_set(FAKE_MONO_NS, FAKE_WALL_NS);
	fault_clear();
	in->title = (struct title){ .area = command_line, .size_bytes = sizeof command_line,
		.argv_bytes = sizeof command_line, .text = title_text };
	open_log(in);
	family_init(&in->family);
	control_init(in);
	takeover_init(in);
	in->load_fd = in->kept_fd = in->children_fd = -1;
	in->epoll_fd = in->signal_fd = in->timer_fd = in->report_fd = in->report_child_fd = -1;
	in->reap_at = MONO_NEVER;
	strcpy(in->console, "/dev/console");
	in->level = (struct level){ .phase = PHASE_STEADY, .now = '2', .previous = 'N', .wanted = '2',
		.did_boot = true, .stop_s = LEVEL_STOP_DEFAULT_S, .deadline = MONO_NEVER,
		.reread_at = MONO_NEVER };
	return in;
}

static void drop_family(struct family *family)
{
	if (family->image)
		munmap(family->image, family->size_bytes);
	if (family->pid_bucket)
		munmap(family->pid_bucket, family->index_bytes);
	if (family->fd >= 0)
		close(family->fd);
}

void fake_init_end(struct init *in)
{
	fault_clear();
	fake_processes(0);
	fake_clock_set(-1, -1);
	fake_root(NULL);
	queue_free(in->log.queue);
	drop_family(&in->family);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	free(in);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void add_line(struct table_builder *b, const char *text, size_t len, uint32_t number)
{
	char line[TAB_LINE_MAX + 1], why[128];
	struct tab_line entry;
	enum tab_verdict verdict;

	assert_true(len < sizeof line);
	memcpy(line, text, len);
	line[len] = '\0';
	verdict = inittab_parse_line(line, &entry, why, sizeof why);
	assert_int_not_equal(verdict, TAB_BAD);
	if (verdict == TAB_ENTRY)
		assert_int_equal(table_build_add(b, &entry, number), 0);
}

static void write_table(const char *lines, int fd)
{
	struct table_builder *b = table_build_begin();
	uint32_t number = 0;

	assert_non_null(b);
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		add_line(b, lines, len, ++number);
		lines += len + (lines[len] == '\n');
	}
	assert_int_equal(table_build_end(b, fd), 0);
}

void fake_table(const char *lines, struct table *out)
{
	int fd = (int)syscall(SYS_memfd_create, "table", MEMFD);

	assert_true(fd >= 0);
	write_table(lines, fd);
	assert_int_equal(table_open(fd, out), 0);
	close(fd);
}

void fake_adopt(struct init *in, const char *lines)
{
	struct table table;

	fake_table(lines, &table);
	assert_int_equal(family_adopt(&in->family, &table), 0);
	table_close(&table);
}

struct mono fake_turns(struct init *in)
{
	struct mono next;

	for (int turn = 0; turn < 1000; turn++) {
		bool has_more = chld_handler(in);
		struct mono now = mono_now();

		next = level_tend(in, now);
		next = mono_first(next, job_tend(in, now));
		if (!has_more && !mono_is_due(next, now))
			return next;
	}
	fail_msg("a thousand turns, and still something is due at once");
	return next;
}

void fake_entry_ends(struct init *in, const char *id, int status)
{
	assert_true(fake_entry(in, id)->pid);
	fake_end(fake_entry(in, id)->pid, CLD_EXITED, status);
}

void fake_job_ends(struct init *in, enum job_kind kind, int status)
{
	assert_true(in->job[kind].pid);
	fake_end(in->job[kind].pid, CLD_EXITED, status);
}

void fake_loader_ends(struct init *in, const char *lines, int status)
{
	write_table(lines, in->load_fd);
	fake_job_ends(in, JOB_LOADER, status);
}

const char *fake_running(struct init *in)
{
	static char text[512];
	size_t used = 0;

	text[0] = '\0';
	for (pid_t pid = FAKE_FIRST_PID; pid < FAKE_FIRST_PID + fake_forks(); pid++) {
		const struct entry *entry = family_find_pid(&in->family, pid);

		if (entry && used < sizeof text)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%.4s", used ? " " : "", entry->id);
	}
	return text;
}

struct entry *fake_entry(struct init *in, const char *id)
{
	for (int32_t i = 0; i < in->family.count; i++)
		if (!strncmp(in->family.entry[i].id, id, TAB_ID_MAX))
			return &in->family.entry[i];
	return NULL;
}

const char *fake_said(struct init *in, enum sink sink)
{
	static struct record record;

	if (queue_take(in->log.queue, sink, &record))
		return NULL;
	assert_int_equal(record.lost, 0);
	queue_done(in->log.queue, sink, &record);
	return record.text;
}

bool fake_has_said(struct init *in, enum sink sink, const char *text)
{
	const char *line;
	bool found = false;

	while ((line = fake_said(in, sink)))
		found |= strstr(line, text) != NULL;
	return found;
}

void fake_forget_said(struct init *in)
{
	for (unsigned sink = 0; in->log.queue && sink < SINK_COUNT; sink++) {
		struct record record;

		while (!queue_take(in->log.queue, sink, &record))
			queue_done(in->log.queue, sink, &record);
	}
}

void fake_pass_ms(int64_t ms)
{
	fake_clock_advance_ms(ms);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);        /* often there already: the file's own open tells */
		*slash = '/';
	}
}

void fake_file(const char *path, const char *text, mode_t mode)
{
	char full[256];
	FILE *file;

	assert_true((size_t)snprintf(full, sizeof full, "%s%s", dir, path) < sizeof full);
	make_folders(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(full, mode), 0);
}

const char *fake_root_dir(void)
{
	return dir;
}
