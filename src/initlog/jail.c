/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initlog/jail.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lib/zone.h"

/* --- the table --- */

/* What an architecture or an older kernel's headers lack. */
enum { ABSENT = -1 };
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 ABSENT
#endif
#ifndef SYS_clock_nanosleep_time64
#define SYS_clock_nanosleep_time64 ABSENT
#endif
#ifndef SYS_fcntl64
#define SYS_fcntl64 ABSENT
#endif
#ifndef SYS_fstat
#define SYS_fstat ABSENT
#endif
#ifndef SYS_fstat64
#define SYS_fstat64 ABSENT
#endif
#ifndef SYS_fstatat64
#define SYS_fstatat64 ABSENT
#endif
#ifndef SYS_ftruncate64
#define SYS_ftruncate64 ABSENT
#endif
#ifndef SYS_futex
#define SYS_futex ABSENT
#endif
#ifndef SYS_futex_time64
#define SYS_futex_time64 ABSENT
#endif
#ifndef SYS_nanosleep
#define SYS_nanosleep ABSENT
#endif
#ifndef SYS_newfstatat
#define SYS_newfstatat ABSENT
#endif
#ifndef SYS_open
#define SYS_open ABSENT
#endif
#ifndef SYS_poll
#define SYS_poll ABSENT
#endif
#ifndef SYS_ppoll
#define SYS_ppoll ABSENT
#endif
#ifndef SYS_ppoll_time64
#define SYS_ppoll_time64 ABSENT
#endif
#ifndef SYS_send
#define SYS_send ABSENT
#endif
#ifndef SYS_sigreturn
#define SYS_sigreturn ABSENT
#endif
#ifndef SYS_statx
#define SYS_statx ABSENT
#endif

enum {
	ABI_EMPTY_PATH = 0x1000,        /* AT_EMPTY_PATH: the descriptor itself */
	ABI_TCGETS2 = 0x802c542a,       /* what a newer isatty() may use */
	ABI_KIND_OF_SOCKET = 0xf,       /* of socket(2)'s type: the rest is flags */
};

enum {
	CONSOLE = SINK_BIT(SINK_CONSOLE),
	SYSLOG = SINK_BIT(SINK_SYSLOG),
	UTMP = SINK_BIT(SINK_RECORDS),
	WTMP = SINK_BIT(SINK_WTMP),
	FILES = UTMP | WTMP,
	ALL = CONSOLE | SYSLOG | FILES,
};

/* What an argument must be: a number in the bits of mask (of its low 32), the address of one of the
 * names, or NULL. */
enum demand_kind { ANYTHING, NUMBER, NAME, NOTHING };
struct demand {
	enum demand_kind kind;
	unsigned argument;
	uint32_t mask, value;           /* NAME: value is its place in struct jail_names */
};

enum { DEMANDS_MAX = 2 };
struct rule {
	unsigned sinks;
	long call;
	struct demand demand[DEMANDS_MAX];
};

#define IS(argument, number) { NUMBER, argument, ~0u, (uint32_t)(number) }
#define HAS(argument, bits, number) { NUMBER, argument, (uint32_t)(bits), (uint32_t)(number) }
#define NAMES(argument, name) { NAME, argument, 0, offsetof(struct jail_names, name) }
#define IS_NULL(argument) { NOTHING, argument, 0, 0 }

/* A call that is made seldom stands as low as one that is made often: there are few of either. */
static const struct rule rules[] = {
	/* the queue, the clock, the deadline */
	{ ALL, SYS_futex, { { 0 } } },
	{ ALL, SYS_futex_time64, { { 0 } } },
	{ ALL, SYS_clock_gettime, { { 0 } } },
	{ ALL, SYS_clock_gettime64, { { 0 } } },
	{ ALL, SYS_setitimer, { { 0 } } },
	{ ALL, SYS_rt_sigreturn, { { 0 } } },
	{ ALL, SYS_sigreturn, { { 0 } } },
	{ ALL, SYS_restart_syscall, { { 0 } } },        /* a sleep goes on after SIGSTOP and SIGCONT */
	{ ALL, SYS_nanosleep, { { 0 } } },
	{ ALL, SYS_clock_nanosleep, { { 0 } } },
	{ ALL, SYS_clock_nanosleep_time64, { { 0 } } },
	{ ALL, SYS_close, { { 0 } } },
	{ ALL, SYS_exit, { { 0 } } },
	{ ALL, SYS_exit_group, { { 0 } } },
	{ ALL, SYS_getpid, { { 0 } } },                 /* the build that tests crash asks */
	{ ALL, SYS_getppid, { { 0 } } },                /* one that outlives its writer */
	{ ALL, SYS_rt_sigprocmask, { { 0 } } },

	{ CONSOLE | SYSLOG, SYS_poll, { { 0 } } },
	{ CONSOLE | SYSLOG, SYS_ppoll, { { 0 } } },
	{ CONSOLE | SYSLOG, SYS_ppoll_time64, { { 0 } } },
	{ SYSLOG, SYS_read, { { 0 } } },
	{ CONSOLE | WTMP, SYS_write, { { 0 } } },
	{ FILES, SYS_pread64, { { 0 } } },
	{ UTMP, SYS_pwrite64, { { 0 } } },
	{ FILES, SYS_ftruncate, { { 0 } } },
	{ FILES, SYS_ftruncate64, { { 0 } } },

	/* of a descriptor only; by the last three a name can be asked for, but not what it holds */
	{ CONSOLE | FILES, SYS_fstat, { { 0 } } },
	{ CONSOLE | FILES, SYS_fstat64, { { 0 } } },
	{ CONSOLE | FILES, SYS_newfstatat, { HAS(3, ABI_EMPTY_PATH, ABI_EMPTY_PATH) } },
	{ CONSOLE | FILES, SYS_fstatat64, { HAS(3, ABI_EMPTY_PATH, ABI_EMPTY_PATH) } },
	{ CONSOLE | FILES, SYS_statx, { HAS(2, ABI_EMPTY_PATH, ABI_EMPTY_PATH) } },

	{ CONSOLE, SYS_ioctl, { IS(1, TCGETS) } },
	{ CONSOLE, SYS_ioctl, { IS(1, ABI_TCGETS2) } },
	{ CONSOLE, SYS_ioctl, { IS(1, TIOCGWINSZ) } },
	{ CONSOLE, SYS_ioctl, { IS(1, TCFLSH) } },

	{ SYSLOG, SYS_socket, { IS(0, AF_UNIX), HAS(1, ABI_KIND_OF_SOCKET, SOCK_DGRAM) } },
	{ SYSLOG, SYS_socket, { IS(0, AF_UNIX), HAS(1, ABI_KIND_OF_SOCKET, SOCK_STREAM) } },
	{ SYSLOG, SYS_connect, { NAMES(1, dev_log), IS(2, sizeof(struct sockaddr_un)) } },
	{ SYSLOG, SYS_send, { { 0 } } },
	{ SYSLOG, SYS_sendto, { IS_NULL(4) } },         /* to whom it is connected */
	{ SYSLOG, SYS_inotify_init1, { { 0 } } },
	{ SYSLOG, SYS_inotify_add_watch, { NAMES(1, dev_log_folder) } },

	{ ALL, SYS_fcntl, { IS(1, F_SETFD) } },         /* musl's open() makes sure of O_CLOEXEC */
	{ ALL, SYS_fcntl64, { IS(1, F_SETFD) } },
	{ FILES, SYS_fcntl, { IS(1, F_SETLK) } },
	{ FILES, SYS_fcntl, { IS(1, F_GETLK) } },
	{ FILES, SYS_fcntl64, { IS(1, F_SETLK) } },
	{ FILES, SYS_fcntl64, { IS(1, F_GETLK) } },
	{ UTMP, SYS_kill, { IS(1, 0) } },               /* does it live? */
};

/* By open(2) and openat(2). */
struct opening {
	unsigned sinks;
	size_t name;
	int flags;
};

#define OPENS(sinks, name, flags) { sinks, offsetof(struct jail_names, name), flags }
enum { OURS = O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

static const struct opening openings[] = {
	OPENS(CONSOLE, console[0], O_WRONLY | OURS),
	OPENS(CONSOLE, console[1], O_WRONLY | OURS),
	OPENS(CONSOLE, console[2], O_WRONLY | OURS),
	OPENS(CONSOLE, console[3], O_WRONLY | OURS),
	OPENS(SYSLOG, zone, O_RDONLY | OURS),
	OPENS(UTMP, utmp, O_RDWR | O_NOFOLLOW | OURS),
	OPENS(UTMP, utmp, O_WRONLY | O_CREAT | O_NOFOLLOW | OURS),
	OPENS(UTMP, runlevel, O_WRONLY | O_CREAT | O_NOFOLLOW | OURS),
	OPENS(WTMP, wtmp, O_WRONLY | O_APPEND | O_NOFOLLOW | OURS),
	OPENS(WTMP, utmp, O_RDONLY | OURS),
};
static_assert(INITLOG_CONSOLES == 4, "open each console");

/* --- the program --- */

/* <linux/filter.h>, <linux/seccomp.h>, <linux/audit.h>: kernel ABI. */
enum {
	OP_LOAD = 0x20,                 /* the 32 bits at k */
	OP_AND = 0x54,
	OP_IF_EQUAL = 0x15,
	OP_RETURN = 0x06,
};
#define ANSWER_KILL 0x80000000u
#define ANSWER_ALLOW 0x7fff0000u
#define ANSWER_ERRNO 0x00050000u
#define ARCH_64 0x80000000u
#define ARCH_LITTLE 0x40000000u

struct filter_input {
	int32_t call;
	uint32_t arch;
	uint64_t address;
	uint64_t argument[6];
};

#if defined(__x86_64__) && !defined(__ILP32__)
enum { MACHINE = EM_X86_64 };
#elif defined(__i386__)
enum { MACHINE = EM_386 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#elif defined(__arm__)
enum { MACHINE = EM_ARM };
#elif defined(__riscv)
enum { MACHINE = EM_RISCV };
#elif defined(__powerpc__)
enum { MACHINE = sizeof(void *) == 8 ? EM_PPC64 : EM_PPC };
#elif defined(__s390x__)
enum { MACHINE = EM_S390 };
#elif defined(__loongarch64)
enum { MACHINE = 258 };
#else
enum { MACHINE = EM_NONE };             /* no filter */
#endif

static bool is_little(void)
{
	const uint16_t one = 1;

	return *(const uint8_t *)&one;
}

static uint32_t arch(void)
{
	return MACHINE | (sizeof(void *) == 8 ? ARCH_64 : 0) | (is_little() ? ARCH_LITTLE : 0);
}

struct program {
	struct filter_step *step;
	int count;
};

static void emit(struct program *program, uint16_t op, uint32_t k)
{
	program->step[program->count++] = (struct filter_step){ .op = op, .k = k };
}

static void load_call(struct program *program)
{
	emit(program, OP_LOAD, offsetof(struct filter_input, call));
}

static void load_half(struct program *program, unsigned argument, bool is_high)
{
	size_t at = offsetof(struct filter_input, argument) + argument * sizeof(uint64_t);

	emit(program, OP_LOAD, (uint32_t)at + (is_high == is_little() ? 4 : 0));
}

static void demand_address(struct program *program, unsigned argument, uint64_t address)
{
	load_half(program, argument, false);
	emit(program, OP_IF_EQUAL, (uint32_t)address);
	load_half(program, argument, true);
	emit(program, OP_IF_EQUAL, (uint32_t)(address >> 32));
}

static void demand_that(struct program *program, const struct demand *demand,
	const struct jail_names *names)
{
	switch (demand->kind) {
	case ANYTHING:
		break;
	case NUMBER:
		load_half(program, demand->argument, false);
		emit(program, OP_AND, demand->mask);
		emit(program, OP_IF_EQUAL, demand->value & demand->mask);
		break;
	case NAME:
		demand_address(program, demand->argument, (uintptr_t)names + demand->value);
		break;
	case NOTHING:
		demand_address(program, demand->argument, 0);
		break;
	}
}

/* Each comparison that fails leads to the end of the rule. */
static void rule_add(struct program *program, const struct rule *rule, const struct jail_names *names)
{
	int begin = program->count;

	if (rule->call == ABSENT)
		return;
	load_call(program);
	emit(program, OP_IF_EQUAL, (uint32_t)rule->call);
	for (int i = 0; i < DEMANDS_MAX; i++)
		demand_that(program, &rule->demand[i], names);
	emit(program, OP_RETURN, ANSWER_ALLOW);
	for (int i = begin; i < program->count; i++)
		if (program->step[i].op == OP_IF_EQUAL)
			program->step[i].if_not = (uint8_t)(program->count - i - 1);
}

static void refusal_add(struct program *program, long call)
{
	if (call == ABSENT)
		return;
	emit(program, OP_IF_EQUAL, (uint32_t)call);
	program->step[program->count - 1].if_not = 1;
	emit(program, OP_RETURN, ANSWER_ERRNO | EPERM);
}

static void opening_add(struct program *program, const struct opening *opening,
	const struct jail_names *names)
{
	/* libc may add O_LARGEFILE. */
	uint32_t mask = ~(uint32_t)O_LARGEFILE;
	struct rule rule = { .call = SYS_open, .demand = {
		{ NAME, 0, 0, (uint32_t)opening->name },
		{ NUMBER, 1, mask, (uint32_t)opening->flags },
	} };

	rule_add(program, &rule, names);
	rule.call = SYS_openat;
	rule.demand[0].argument++;
	rule.demand[1].argument++;
	rule_add(program, &rule, names);
}

int jail_program(enum sink sink, const struct jail_names *names, struct filter_step step[JAIL_STEPS_MAX])
{
	struct program program = { .step = step };
	size_t rule_count = sizeof rules / sizeof rules[0];

	if (MACHINE == EM_NONE)
		return -ENOTSUP;
	emit(&program, OP_LOAD, offsetof(struct filter_input, arch));
	emit(&program, OP_IF_EQUAL, arch());
	program.step[program.count - 1].if_so = 1;
	emit(&program, OP_RETURN, ANSWER_KILL);
	for (size_t i = 0; i < rule_count; i++)
		if (rules[i].sinks & SINK_BIT(sink))
			rule_add(&program, &rules[i], names);
	for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++)
		if (openings[i].sinks & SINK_BIT(sink))
			opening_add(&program, &openings[i], names);

	load_call(&program);
	refusal_add(&program, SYS_open);
	refusal_add(&program, SYS_openat);
	for (size_t i = 0; i < rule_count; i++)
		if (rules[i].sinks & SINK_BIT(sink) && rules[i].demand[0].kind)
			refusal_add(&program, rules[i].call);
	emit(&program, OP_RETURN, ANSWER_ERRNO | ENOSYS);
	return program.count;
}

/* --- the names --- */

static int name_fill(char *to, const char *from)
{
	size_t len = from ? strlen(from) : 0;

	if (len >= JAIL_NAME_BYTES)
		return -ENAMETOOLONG;
	memcpy(to, from ? from : "", len + 1);
	return 0;
}

static int names_fill(struct jail_names *names, const struct initlog_config *config)
{
	char room[ZONE_FILE_MAX];
	const char *zone = zone_file(config->zone, room);
	const struct {
		char *to;
		const char *from;
	} name[] = {
		{ names->console[0], config->console[0] },
		{ names->console[1], config->console[1] },
		{ names->console[2], config->console[2] },
		{ names->console[3], config->console[3] },
		{ names->dev_log_folder, config->dev_log_folder },
		{ names->zone, zone ? zone : config->zone },
		{ names->utmp, config->utmp },
		{ names->wtmp, config->wtmp },
		{ names->runlevel, config->runlevel },
	};

	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		int err = name_fill(name[i].to, name[i].from);

		if (err)
			return err;
	}
	if (config->dev_log)
		names->dev_log = *config->dev_log;
	return 0;
}

static const char *name_or_none(const char *name, const char *from)
{
	return from ? name : NULL;
}

static void config_point(struct initlog_config *config, const struct jail_names *names)
{
	for (int i = 0; i < INITLOG_CONSOLES; i++)
		config->console[i] = name_or_none(names->console[i], config->console[i]);
	config->dev_log = config->dev_log ? &names->dev_log : NULL;
	config->dev_log_folder = name_or_none(names->dev_log_folder, config->dev_log_folder);
	config->zone = names->zone;
	config->utmp = name_or_none(names->utmp, config->utmp);
	config->wtmp = name_or_none(names->wtmp, config->wtmp);
	config->runlevel = name_or_none(names->runlevel, config->runlevel);
}

int jail_seal(struct initlog_config *config, const struct jail_names **out)
{
	struct jail_names *names;
	void *at;
	int err = sys_map(-1, sizeof *names, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, &at);

	if (err)
		return err;
	names = at;
	err = names_fill(names, config);
	if (!err)
		err = sys_protect(names, sizeof *names, PROT_READ);
	if (err) {
		sys_unmap(names, sizeof *names);
		return err;
	}
	config_point(config, names);
	*out = names;
	return 0;
}

/* --- the door --- */

void jail_enter(enum sink sink, const struct jail_names *names)
{
	struct filter_step step[JAIL_STEPS_MAX];
	int count;

	(void)sys_keep_capabilities(JAIL_CAPABILITIES); /* a container may not let go of them */
	if (sys_no_new_privileges() || !names)
		return;
	count = jail_program(sink, names, step);
	if (count > 0)
		(void)sys_filter(step, (unsigned)count);        /* a kernel without it */
}
