/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter is run here by a small interpreter, over all numbers of calls; and by the kernel, on
 * children that really enter the jail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/jail.h"
#include "initlog/sink.h"

enum { CALLS = 1024, KILLED = -1000 };

static char folder[64], utmp[96], wtmp[96], runlevel[96], console[96], other[96];
static struct sockaddr_un dev_log;
static struct initlog_config config;
static const struct jail_names *names;
static pid_t test_pid;                  /* its own: the one that a signal may reach if the jail has a hole */

/* --- a machine for the program: loads, comparisons, returns --- */

struct input {
	int32_t call;
	uint32_t arch;
	uint64_t address, argument[6];
};

static uint32_t own_arch(void)
{
	struct filter_step step[JAIL_STEPS_MAX];

	assert_true(jail_program(SINK_CONSOLE, names, step) > 3);
	assert_int_equal(step[1].op, 0x15);
	return step[1].k;
}

static uint32_t run(const struct filter_step *step, int count, const struct input *input)
{
	uint32_t value = 0;

	for (int at = 0; at < count; at++) {
		switch (step[at].op) {
		case 0x20:
			assert_true(step[at].k % 4 == 0 && step[at].k < sizeof *input);
			memcpy(&value, (const char *)input + step[at].k, sizeof value);
			break;
		case 0x54:
			value &= step[at].k;
			break;
		case 0x15:
			at += value == step[at].k ? step[at].if_so : step[at].if_not;
			break;
		case 0x06:
			return step[at].k;
		default:
			fail_msg("an operation that is none: %#x", step[at].op);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

/* 0: let through; a negative errno; KILLED. */
static int answer(enum sink sink, const struct input *input)
{
	struct filter_step step[JAIL_STEPS_MAX];
	int count = jail_program(sink, names, step);
	uint32_t value;

	assert_in_range(count, 4, JAIL_STEPS_MAX);
	value = run(step, count, input);
	if (value == 0x7fff0000)
		return 0;
	if (value == 0x80000000)
		return KILLED;
	assert_int_equal(value >> 16, 5);
	return -(int)(value & 0xffff);
}

static struct input call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	return (struct input){ .call = (int32_t)number, .arch = own_arch(), .argument = { a, b, c, d, e } };
}

#define asked(sink, ...) answer(sink, &(struct input[]){ call(__VA_ARGS__) }[0])

/* What no helper may do with whatever arguments. */
static const long forbidden[] = {
	SYS_execve, SYS_execveat, SYS_clone, SYS_ptrace, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
	SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_brk, SYS_prctl, SYS_seccomp, SYS_capset,
	SYS_setuid, SYS_setresuid, SYS_setgroups, SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root,
	SYS_reboot, SYS_init_module, SYS_finit_module, SYS_bpf, SYS_unshare, SYS_setns,
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_memfd_create, SYS_accept4, SYS_bind,
	SYS_listen, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_unlinkat, SYS_renameat2,
	SYS_mkdirat, SYS_mknodat, SYS_linkat, SYS_symlinkat, SYS_fchmodat, SYS_fchownat, SYS_fchmod,
	SYS_dup, SYS_dup3, SYS_keyctl, SYS_perf_event_open, SYS_io_submit, SYS_sethostname,
	SYS_settimeofday, SYS_clock_settime, SYS_swapon, SYS_kexec_load, SYS_rt_sigaction,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_userfaultfd, SYS_acct, SYS_quotactl,
#ifdef SYS_pidfd_send_signal
	SYS_pidfd_send_signal, SYS_pidfd_open, SYS_io_uring_setup, SYS_clone3, SYS_openat2,
#endif
};

static void what_is_not_on_the_list_is_as_if_the_kernel_had_it_not(void **state)
{
	static const uint64_t values[] = { 0, 1, UINT64_MAX, 0x1000 };

	(void)state;
	for (int sink = 0; sink < SINK_COUNT; sink++)
		for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
			for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
				assert_int_equal(asked((enum sink)sink, forbidden[i], values[v], values[v],
					values[v], values[v], values[v]), -ENOSYS);
}

/* Over all numbers: what passes whatever it is given is little, and changes with the sink. */
static void few_calls_pass_for_each_sink(void **state)
{
	(void)state;
	for (int sink = 0; sink < SINK_COUNT; sink++) {
		int passed = 0, refused = 0;

		for (int number = -1; number < CALLS; number++) {
			int err = asked((enum sink)sink, number, UINT64_MAX, UINT64_MAX, UINT64_MAX,
				UINT64_MAX, UINT64_MAX);

			assert_true(err == 0 || err == -ENOSYS || err == -EPERM);
			passed += !err;
			refused += err == -EPERM;
		}
		print_message("# sink %d: %d calls pass, %d pass with their arguments only\n", sink, passed, refused);
		assert_in_range(passed, 10, 25);
		assert_in_range(refused, 2, 10);
	}
}

static void another_architecture_is_killed(void **state)
{
	struct input input = call(SYS_close, 0, 0, 0, 0, 0);

	(void)state;
	assert_int_equal(answer(SINK_CONSOLE, &input), 0);
	for (int bit = 0; bit < 32; bit++) {
		input.arch = own_arch() ^ 1u << bit;
		assert_int_equal(answer(SINK_CONSOLE, &input), KILLED);
	}
	/* x32, the other face of x86-64, has other numbers. */
	input.arch = own_arch();
	input.call |= 0x40000000;
	assert_int_equal(answer(SINK_CONSOLE, &input), -ENOSYS);
}

/* (path, flags) as open(2) has them. */
static int opened(enum sink sink, const char *path, int flags)
{
	uint64_t at = (uintptr_t)path;
	int err = asked(sink, SYS_openat, (uint64_t)AT_FDCWD, at, (uint64_t)flags, 0600, 0);

#ifdef SYS_open
	assert_int_equal(asked(sink, SYS_open, at, (uint64_t)flags, 0600, 0, 0), err);
#endif
	return err;
}

static void names_are_opened_by_their_sink_and_its_flags_only(void **state)
{
	enum { OURS = O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
	const struct {
		enum sink sink;
		const char *name;
		int flags;
	} good[] = {
		{ SINK_CONSOLE, names->console[0], O_WRONLY | OURS },
		{ SINK_CONSOLE, names->console[3], O_WRONLY | OURS },
		{ SINK_SYSLOG, names->zone, O_RDONLY | OURS },
		{ SINK_RECORDS, names->utmp, O_RDWR | O_NOFOLLOW | OURS },
		{ SINK_RECORDS, names->utmp, O_WRONLY | O_CREAT | O_NOFOLLOW | OURS },
		{ SINK_RECORDS, names->runlevel, O_WRONLY | O_CREAT | O_NOFOLLOW | OURS },
		{ SINK_WTMP, names->wtmp, O_WRONLY | O_APPEND | O_NOFOLLOW | OURS },
		{ SINK_WTMP, names->utmp, O_RDONLY | OURS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char copy[JAIL_NAME_BYTES];

		strcpy(copy, good[i].name);
		assert_int_equal(opened(good[i].sink, good[i].name, good[i].flags), 0);
		assert_int_equal(opened(good[i].sink, good[i].name, good[i].flags | O_LARGEFILE), 0);
		assert_int_equal(opened(good[i].sink, copy, good[i].flags), -EPERM);
		assert_int_equal(opened(good[i].sink, good[i].name + 1, good[i].flags), -EPERM);
		assert_int_equal(opened(good[i].sink, good[i].name - 1, good[i].flags), -EPERM);
		for (int bit = 0; bit < 31; bit++)
			if (1 << bit != O_LARGEFILE)
				assert_int_equal(opened(good[i].sink, good[i].name,
					good[i].flags ^ 1 << bit), -EPERM);
		for (int sink = 0; sink < SINK_COUNT; sink++)
			if ((enum sink)sink != good[i].sink)
				assert_int_equal(opened((enum sink)sink, good[i].name, good[i].flags), -EPERM);
	}
}

/* The same low half is another address. */
static void all_of_an_address_counts(void **state)
{
	uint64_t at = (uintptr_t)&names->dev_log, bit = UINT64_C(1) << 32;

	(void)state;
	assert_int_equal(asked(SINK_SYSLOG, SYS_connect, 5, at, sizeof names->dev_log, 0, 0), 0);
	assert_int_equal(asked(SINK_SYSLOG, SYS_connect, 5, at ^ bit, sizeof names->dev_log, 0, 0), -EPERM);
	assert_int_equal(asked(SINK_SYSLOG, SYS_connect, 5, at, sizeof names->dev_log + 1, 0, 0), -EPERM);
	assert_int_equal(asked(SINK_SYSLOG, SYS_sendto, 5, at, 1, 0, 0), 0);
	assert_int_equal(asked(SINK_SYSLOG, SYS_sendto, 5, at, 1, 0, bit), -EPERM);
	assert_int_equal(asked(SINK_SYSLOG, SYS_sendto, 5, at, 1, 0, at), -EPERM);
}

static void a_signal_may_only_ask(void **state)
{
	(void)state;
	assert_int_equal(asked(SINK_RECORDS, SYS_kill, 1, 0, 0, 0, 0), 0);
	for (int signal = 1; signal < 65; signal++)
		assert_int_equal(asked(SINK_RECORDS, SYS_kill, 1, (uint64_t)signal, 0, 0, 0), -EPERM);
	assert_int_equal(asked(SINK_CONSOLE, SYS_kill, 1, 0, 0, 0, 0), -ENOSYS);
}

/* --- in the kernel --- */

/* What the child returns, in a helper's place with everything but its loop. */
static int in_jail(enum sink sink, int (*work)(const struct initlog_config *own))
{
	int status, pid = fork();

	if (!pid) {
		struct initlog_config own = config;
		const struct jail_names *sealed;

		fake_real_filters(true);
		if (jail_seal(&own, &sealed))
			_exit(100);
		jail_enter(sink, sealed);
		syscall(SYS_exit_group, work(&own));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define REFUSES(made, why)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		if ((made) >= 0 || errno != (why))                                                 \
			return __LINE__ % 256 ? __LINE__ % 256 : 1;                                \
	} while (0)

static int tries_everything(const struct initlog_config *own)
{
	(void)own;
	REFUSES(syscall(SYS_kill, test_pid, SIGCONT), ENOSYS);
	REFUSES(syscall(SYS_tgkill, test_pid, test_pid, SIGCONT), ENOSYS);
	REFUSES(syscall(SYS_execve, "/bin/false", NULL, NULL), ENOSYS);
	REFUSES(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), ENOSYS);
	REFUSES(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0), ENOSYS);
	REFUSES(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), ENOSYS);
	REFUSES(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY), EPERM);
	REFUSES(syscall(SYS_openat, AT_FDCWD, other, O_WRONLY | O_CREAT, 0600), EPERM);
	REFUSES(syscall(SYS_unlinkat, AT_FDCWD, utmp, 0), ENOSYS);
	REFUSES(syscall(SYS_mprotect, own->console[0], 4096, PROT_READ | PROT_WRITE), ENOSYS);
	return 0;
}

static void a_jailed_process_gets_nowhere(void **state)
{
	(void)state;
	assert_int_equal(in_jail(SINK_CONSOLE, tries_everything), 0);
	assert_int_equal(access(other, F_OK), -1);
}

static int writes_a_name(const struct initlog_config *own)
{
	*(volatile char *)(uintptr_t)own->utmp = 'x';
	return 0;
}

static void names_cannot_be_written(void **state)
{
	const struct jail_names *sealed;
	int status, pid = fork();

	(void)state;
	if (!pid) {
		struct initlog_config own = config;

		signal(SIGSEGV, SIG_DFL);
		if (!jail_seal(&own, &sealed))
			writes_a_name(&own);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static int signals_others(const struct initlog_config *own)
{
	(void)own;
	REFUSES(syscall(SYS_kill, test_pid, SIGCONT), EPERM);
	return kill(test_pid, 0) ? 2 : 0;
}

static void the_utmp_helper_asks_who_lives_and_signals_nobody(void **state)
{
	(void)state;
	assert_int_equal(in_jail(SINK_RECORDS, signals_others), 0);
}

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 16) : UINT64_MAX;
}

static char status_text[4096];

static void read_status(void)
{
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t len = read(fd, status_text, sizeof status_text - 1);

	status_text[len > 0 ? len : 0] = '\0';
	close(fd);
}

static void capabilities_go_and_do_not_come_back(void **state)
{
	int status, pid;

	(void)state;
	pid = fork();
	if (!pid) {
		uint64_t had;

		read_status();
		had = field(status_text, "CapPrm:");
		jail_enter(SINK_WTMP, NULL);
		read_status();
		_exit(field(status_text, "CapPrm:") != (had & JAIL_CAPABILITIES) ? 1 :
			field(status_text, "CapEff:") != (had & JAIL_CAPABILITIES) ? 2 :
			field(status_text, "CapInh:") ? 3 :
			field(status_text, "CapAmb:") ? 4 :
			had & 1 << 8 && field(status_text, "CapBnd:") ? 5 :    /* CAP_SETPCAP */
			field(status_text, "NoNewPrivs:") != 1 ? 6 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- real sinks, in their jail --- */

static const struct sink_ops *const ops_of[] = {
	[SINK_CONSOLE] = &sink_console_ops, [SINK_SYSLOG] = &sink_syslog_ops,
	[SINK_RECORDS] = &sink_records_ops, [SINK_WTMP] = &sink_wtmp_ops,
};

static struct queue *queue;
static struct record record = { .seq = 1, .ordinal = 1, .len_bytes = 5, .text = "hello" };

static int delivers(enum sink sink)
{
	struct initlog_config own = config;
	const struct jail_names *sealed;
	int err, status, pid = fork();

	if (!pid) {
		void *state;

		fake_real_filters(true);
		if (jail_seal(&own, &sealed))
			_exit(100);
		state = ops_of[sink]->open(&own, queue);
		jail_enter(sink, sealed);
		err = ops_of[sink]->deliver(state, &record, mono_after_ms(mono_now(), 20000));
		syscall(SYS_exit_group, -err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void sinks_deliver_in_their_jails(void **state)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY), at;
	char text[256];
	ssize_t len;

	(void)state;
	assert_true(fd >= 0 && !grantpt(fd) && !unlockpt(fd));
	assert_int_equal(symlink(ptsname(fd), console), 0);
	assert_int_equal(delivers(SINK_CONSOLE), 0);
	len = read(fd, text, sizeof text - 1);
	assert_true(len > 0);
	text[len] = '\0';
	assert_non_null(strstr(text, "hello"));
	close(fd);

	at = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(at, (struct sockaddr *)&dev_log, sizeof dev_log), 0);
	assert_int_equal(delivers(SINK_SYSLOG), 0);
	len = recv(at, text, sizeof text - 1, MSG_DONTWAIT);
	assert_true(len > 0);
	text[len] = '\0';
	assert_non_null(strstr(text, "init: hello"));
	close(at);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void files_are_written_in_their_jails(void **state)
{
	struct initlog log = { .config = config, .queue = queue };

	(void)state;
	close(open(utmp, O_WRONLY | O_CREAT, 0600));
	close(open(wtmp, O_WRONLY | O_CREAT, 0600));
	record_level(&log, '2', 'N');
	assert_int_equal(queue_take(queue, SINK_RECORDS, &record), 0);
	assert_int_equal(delivers(SINK_RECORDS), 0);
	assert_true(size_of(utmp) > 0);
	assert_int_equal(size_of(runlevel), 1);
	assert_int_equal(delivers(SINK_WTMP), 0);
	assert_true(size_of(wtmp) > 0);
	record_end(&log, "1\0\0", 12345);
	queue_done(queue, SINK_RECORDS, &record);
	assert_int_equal(queue_take(queue, SINK_RECORDS, &record), 0);
	assert_int_equal(delivers(SINK_WTMP), 0);       /* looks for the line in utmp */
	assert_int_equal(delivers(SINK_RECORDS), 0);
	record_truncate_utmp(&log);
	queue_done(queue, SINK_RECORDS, &record);
	assert_int_equal(queue_take(queue, SINK_RECORDS, &record), 0);
	assert_int_equal(delivers(SINK_RECORDS), 0);
	assert_int_equal(size_of(utmp), 0);
}

/* --- what fails --- */

static void a_failed_seal_leaves_the_configuration_alone(void **state)
{
	struct initlog_config own;
	char longer[JAIL_NAME_BYTES + 1];
	const struct jail_names *sealed = NULL;
	int nth = 0;

	(void)state;
	do {
		own = config;
		fault_arm(++nth, -ENOMEM);
		if (!jail_seal(&own, &sealed))
			break;
		assert_memory_equal(&own, &config, sizeof own);
		assert_null(sealed);
	} while (fault_fired());
	assert_int_equal(nth, 3);
	fault_clear();

	memset(longer, 'x', JAIL_NAME_BYTES);
	longer[JAIL_NAME_BYTES] = '\0';
	own = config;
	own.wtmp = longer;
	assert_int_equal(jail_seal(&own, &sealed), -ENAMETOOLONG);
	assert_ptr_equal(own.wtmp, longer);
}

/* The kernel has none of it: then there is no jail, and still a helper. */
static void what_the_kernel_refuses_is_gone_without(void **state)
{
	(void)state;
	for (int nth = 1; nth < 8; nth++) {
		int status, pid = fork();

		if (!pid) {
			fault_arm(nth, -ENOSYS);
			jail_enter(SINK_CONSOLE, names);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static int set_up(void **state)
{
	struct initlog_config own;

	(void)state;
	strcpy(folder, "/tmp/jail_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(utmp, sizeof utmp, "%s/utmp", folder);
	snprintf(wtmp, sizeof wtmp, "%s/wtmp", folder);
	snprintf(runlevel, sizeof runlevel, "%s/runlevel", folder);
	snprintf(console, sizeof console, "%s/console", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	dev_log = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(dev_log.sun_path, sizeof dev_log.sun_path, "%s/log", folder);
	config = (struct initlog_config){ .ident = "init", .title = "init", .console = { console },
		.dev_log = &dev_log, .dev_log_folder = folder, .utmp = utmp, .wtmp = wtmp,
		.runlevel = runlevel };
	own = config;
	assert_int_equal(jail_seal(&own, &names), 0);
	assert_int_equal(queue_create(&queue), 0);
	test_pid = getpid();
	return 0;
}

static int tear_down(void **state)
{
	const char *const made[] = { utmp, wtmp, runlevel, console, other, dev_log.sun_path };

	(void)state;
	fault_clear();
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
		unlink(made[i]);
	rmdir(folder);
	queue_free(queue);
	munmap((void *)(uintptr_t)names, sizeof *names);
	return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_is_not_on_the_list_is_as_if_the_kernel_had_it_not),
		CASE(few_calls_pass_for_each_sink),
		CASE(another_architecture_is_killed),
		CASE(names_are_opened_by_their_sink_and_its_flags_only),
		CASE(all_of_an_address_counts),
		CASE(a_signal_may_only_ask),
		CASE(a_jailed_process_gets_nowhere),
		CASE(names_cannot_be_written),
		CASE(the_utmp_helper_asks_who_lives_and_signals_nobody),
		CASE(capabilities_go_and_do_not_come_back),
		CASE(sinks_deliver_in_their_jails),
		CASE(files_are_written_in_their_jails),
		CASE(a_failed_seal_leaves_the_configuration_alone),
		CASE(what_the_kernel_refuses_is_gone_without),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
