/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as stat, status and cmdline of a process, and as the name that pidof is asked about: a stat that is taken says
 * the same when it is written anew, each question has one answer, and somebody who is not trusted passes for no path
 * that is not his program's. A wrong answer aborts. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "fake/proc.h"
#include "fuzz/input.h"
#include "process/match.h"

enum { PID = 77, END = 0xff };

static void check_stat(const char *text, size_t len)
{
	struct procfs_stat stat, again;
	char written[512];
	int err = procfs_parse_stat(text, len, &stat);

	FUZZ_CHECK(!err || err == -EINVAL);
	if (err)
		return;
	FUZZ_CHECK(stat.pid > 0 && memchr(stat.comm, '\0', PROCFS_COMM_SIZE));
	FUZZ_CHECK(!procfs_is_zombie(&stat) || strchr("ZXx", stat.state));
	len = (size_t)snprintf(written, sizeof written, "%d (%s) %c 1 1 %d 0 -1 %u 0 0 0 0 0 0 0 0 20 0 %ld 0 %llu 0 0\n", stat.pid,
		stat.comm, stat.state, stat.session, stat.flags, stat.threads, (unsigned long long)stat.start_ticks);
	if (!stat.state)
		return;
	FUZZ_CHECK(!procfs_parse_stat(written, len, &again));
	FUZZ_CHECK(again.pid == stat.pid && !strcmp(again.comm, stat.comm) && again.state == stat.state);
	FUZZ_CHECK(again.session == stat.session && again.flags == stat.flags && again.threads == stat.threads &&
		again.start_ticks == stat.start_ticks);
}

static bool ask(int proc, const char *name, const struct match_rules *rules, enum match_pass pass, struct subject *subject)
{
	struct target target;

	subject_begin(subject, proc, PID, 0, NULL);
	target_set(&target, name);
	target.is_program = target.exists = *name == '/';
	return match_is(subject, &target, rules, pass);
}

static void check_words(struct subject *subject)
{
	const char *argv0 = subject_argv0(subject), *argv1 = subject_argv1(subject);
	const char *begin = subject->cmdline, *end = begin + SUBJECT_CMDLINE_SIZE;

	FUZZ_CHECK(!argv0 || argv0 == begin);
	FUZZ_CHECK(!argv1 || (argv0 && argv1 > argv0 && argv1 < end && *argv1 && *argv1 != '-'));
	FUZZ_CHECK(!argv1 || !argv1[-1]);
}

static void check_name(int proc, const char *name, const char *exe, uint8_t how)
{
	struct match_rules rules = { .with_scripts = how & 1, .with_zombies = how & 2, .home = { .uid = 0 } };
	static struct subject subject, again;
	bool by_file = ask(proc, name, &rules, MATCH_BY_FILE, &subject), by_name;

	FUZZ_CHECK(by_file == ask(proc, name, &rules, MATCH_BY_FILE, &again));
	check_words(&subject);
	by_name = ask(proc, name, &rules, MATCH_BY_NAME, &subject);
	check_words(&subject);
	FUZZ_CHECK(*name || !(by_file || by_name));
	FUZZ_CHECK(*name == '/' || !by_name);
	if (by_name && !rules.with_scripts)
		FUZZ_CHECK(subject_is_trusted(&subject, &rules.home));
	if (by_file && *name == '/')
		FUZZ_CHECK(!strncmp(exe, name, strlen(name)));
}

static void file_put(const char *name, const char *text, size_t len)
{
	char path[32];

	(void)snprintf(path, sizeof path, "%d/%s", PID, name);
	fake_proc_write(path, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char exe[] = "/usr/bin/sh";
	static int proc = -1;
	struct input input = { data, size };
	uint8_t how = input_byte(&input);
	char *name = input_line(&input, END), *stat = input_line(&input, END), *status = input_line(&input, END);

	if (proc < 0) {
		FUZZ_CHECK(!procfs_open(fake_proc_begin(), &proc) && !atexit(fake_proc_end));
		fake_proc_put(&(struct fake_process){ .pid = PID, .exe = exe });
	}
	check_stat(stat, strlen(stat));
	check_stat((const char *)data, size);
	file_put("stat", stat, strlen(stat));
	file_put("status", status, strlen(status));
	file_put("cmdline", (const char *)input.at, input.left);
	check_name(proc, name, exe, how);
	check_name(proc, "sh", exe, how);
	check_name(proc, exe, exe, how);
	free(name);
	free(stat);
	free(status);
	return 0;
}
