/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/level.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>

#include "include/paths.h"
#include "init/init.h"
#include "init/job.h"
#include "init/load.h"
#include "init/policy.h"
#include "init/power.h"
#include "init/start.h"
#include "init/stopping.h"
#include "init/survive.h"
#include "init/takeover.h"
#include "init/walk.h"
#include "lib/sys.h"

enum { SINGLE_PAUSE_S = 5 };

/* --- the machine --- */

static void boot_begin(struct init *in);
static void halt_begin(struct init *in);
static void boot_load(struct init *in);
static void emergency_begin(struct init *in);
static void load_begin(struct init *in);
static void term_begin(struct init *in);
static void kill_begin(struct init *in);
static void steady_begin(struct init *in);
static void ask_begin(struct init *in);
static void asker_dismiss(struct init *in);
static void say_boot(struct init *in);
static void say_level(struct init *in);

static const struct rule {
	enum phase next;
	void (*enter)(struct init *in);
} rules[PHASE_COUNT][EV_COUNT] = {
	[PHASE_POLICY][EV_SETTLED] = { PHASE_BOOT, boot_begin },
	[PHASE_POLICY][EV_REFUSED] = { PHASE_HALT, halt_begin },
	[PHASE_BOOT][EV_CONSOLE_READY] = { PHASE_LOAD, boot_load },
	[PHASE_BOOT][EV_EMERGENCY] = { PHASE_EMERGENCY, emergency_begin },
	[PHASE_EMERGENCY][EV_SHELL_ENDED] = { PHASE_LOAD, boot_load },
	[PHASE_LOAD][EV_LOADED] = { PHASE_TERM, term_begin },
	[PHASE_TERM][EV_STOPPED] = { PHASE_STEADY, steady_begin },
	[PHASE_TERM][EV_DEADLINE] = { PHASE_KILL, kill_begin },
	[PHASE_KILL][EV_STOPPED] = { PHASE_STEADY, steady_begin },
	[PHASE_KILL][EV_DEADLINE] = { PHASE_STEADY, steady_begin },
	[PHASE_STEADY][EV_ASKED] = { PHASE_LOAD, load_begin },
	[PHASE_STEADY][EV_ADVANCE] = { PHASE_STEADY, steady_begin },
	[PHASE_STEADY][EV_UNDECIDED] = { PHASE_ASK, ask_begin },
	[PHASE_ASK][EV_ASKED] = { PHASE_LOAD, asker_dismiss },
	[PHASE_ASK][EV_ADVANCE] = { PHASE_STEADY, steady_begin },
};

static const char *const phase_names[] = {
#define PHASE_NAME(name, text) [PHASE_##name] = text,
	PHASES(PHASE_NAME)
#undef PHASE_NAME
};

static const char *const event_names[] = {
#define EVENT_NAME(name, text) [EV_##name] = text,
	EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

void level_step(struct init *in, enum event event)
{
	const struct rule *rule = &rules[in->level.phase][event];

	if (rule->next == PHASE_NONE) {
		initlog(&in->log, LOG_TO_SYSLOG, "nothing to do for '%s' in phase '%s'", event_names[event],
			phase_names[in->level.phase]);
		return;
	}
	in->level.phase = rule->next;
	in->level.deadline = MONO_NEVER;
	rule->enter(in);
}

/* --- boot --- */

void level_boot(struct init *in)
{
	in->level = (struct level){ .phase = PHASE_POLICY, .now = LEVEL_SYSINIT, .previous = 'N',
		.wanted = LEVEL_SYSINIT, .stop_s = LEVEL_STOP_DEFAULT_S, .deadline = MONO_NEVER,
		.reread_at = MONO_NEVER };
	say_boot(in);
	policy_want(in);
}

/* Nothing is said of the boot before: init may have been executed again for its domain, and says it once. */
static void boot_begin(struct init *in)
{
	record_truncate_utmp(&in->log);
	initlog(&in->log, LOG_TO_CONSOLE, "version %s booting", VERSION);
	job_want(in, JOB_CONSOLE);
}

/* The machine must not run. Who stands before it may still use the keys. */
static void halt_begin(struct init *in)
{
	(void)sys_reboot((int)RB_ENABLE_CAD);
	job_want(in, JOB_HALT);
}

void level_take_over(struct init *in)
{
	in->level = (struct level){ .phase = PHASE_TAKE, .now = LEVEL_SYSINIT, .previous = 'N',
		.wanted = LEVEL_SYSINIT, .stop_s = LEVEL_STOP_DEFAULT_S, .deadline = MONO_NEVER,
		.reread_at = MONO_NEVER };
	takeover_begin(in);
}

void level_resume(struct init *in)
{
	if (in->level.phase == PHASE_TAKE) {
		level_take_over(in);                 /* a crash meanwhile */
		return;
	}
	if (level_is_real(in->level.now))
		say_level(in);
	else
		say_boot(in);
	switch (in->level.phase) {
	case PHASE_POLICY:
		policy_want(in);
		break;
	case PHASE_HALT:
		halt_begin(in);
		break;
	case PHASE_BOOT:
		job_want(in, JOB_CONSOLE);
		break;
	case PHASE_EMERGENCY:
		walk_again(in);
		break;
	case PHASE_ASK:
		ask_begin(in);
		break;
	default:
		in->level.keeps_guards = in->level.phase == PHASE_STEADY;
		in->level.phase = PHASE_LOAD;
		load_begin(in);
	}
}

void level_console_ready(struct init *in, int err)
{
	(void)err;                              /* without settings it goes on all the same */
	if (in->level.phase != PHASE_BOOT)
		return;
	level_step(in, in->boot.emergency ? EV_EMERGENCY : EV_CONSOLE_READY);
}

static void emergency_begin(struct init *in)
{
	load_fallback(in);
	in->level.now = LEVEL_SINGLE;
	walk_again(in);
}

static void boot_load(struct init *in)
{
	in->level.now = in->level.wanted = LEVEL_SYSINIT;
	load_begin(in);
}

/* --- a change of level: load, terminate, kill, start --- */

static void load_begin(struct init *in)
{
	in->level.reread_at = MONO_NEVER;
	stopping_mark(in);
	job_want(in, JOB_LOADER);
}

bool level_load_refused(struct init *in)
{
	if (!in->family.count)
		return false;
	in->level.reread_at = mono_after_s(mono_now(), FORK_RETRY_S);
	level_step(in, EV_LOADED);
	return true;
}

void level_loaded(struct init *in)
{
	level_step(in, EV_LOADED);
}

/* For a demand stock reads the table twice: the second time the new one decides, as it stands with what was demanded. */
static void term_begin(struct init *in)
{
	if (in->level.demand && in->level.now != LEVEL_SINGLE) {
		start_demand(in);
		stopping_mark(in);
	}
	if (stopping_begin(in))
		in->level.deadline = mono_after_s(mono_now(), in->level.stop_s);
	else
		level_step(in, EV_STOPPED);
}

static void kill_begin(struct init *in)
{
	stopping_kill(in);
	in->level.deadline = mono_after_ms(mono_now(), LEVEL_KILL_MS);
}

static void say_boot(struct init *in)
{
	title_set(&in->title, "init boot");
}

static void say_level(struct init *in)
{
	char title[] = "init [L]";

	title[sizeof title - 3] = in->level.now;
	title_set(&in->title, title);
}

/* What will be the previous level when the wanted one is reached: none after the entries of the boot, even if
 * these ran late, after S; they themselves still have the one of S. */
static char next_previous(const struct level *level)
{
	if (level->wanted == LEVEL_BOOT)
		return level->previous;
	return level_is_real(level->now) ? level->now : 'N';
}

/* The records bear the time at which a change began, and stand before the ends of what it stops. Level S of the boot, unless somebody
 * asks for it, is a stop on the way, as the level of bootwait entries always is: shown, and no record. */
static void record_change(struct init *in, bool is_asked)
{
	const struct level *level = &in->level;
	bool is_boot = level->now == LEVEL_SYSINIT;

	if (is_boot)
		record_boot(&in->log);
	if (level->wanted == LEVEL_BOOT || (is_boot && level->wanted == LEVEL_SINGLE && !is_asked))
		record_show_level(&in->log, level->wanted);
	else if (level_is_real(level->wanted))
		record_level(&in->log, level->wanted, next_previous(level));
}

/* The level is now in->level.wanted. */
static void change_level(struct init *in)
{
	struct level *level = &in->level;

	level->previous = next_previous(level);
	level->now = level->wanted;
	if (level->now != LEVEL_BOOT)                /* a stop on the way, under the title of before, as in stock */
		say_level(in);
}

/* By a re-reading that was asked for, and by a change of level. */
static void clear_guards(struct init *in)
{
	family_lists_clear(&in->family);
	for (int32_t i = 0; i < in->family.count; i++) {
		in->family.entry[i].guard_count = 0;
		in->family.entry[i].held_until_ns = 0;
		family_seal(&in->family.entry[i]);
	}
}

static void steady_begin(struct init *in)
{
	stopping_give_up(in);
	if (in->level.keeps_guards && in->level.wanted == in->level.now)
		walk_hold_again(in);
	else
		clear_guards(in);
	in->level.keeps_guards = false;
	if (in->level.wanted != in->level.now)
		change_level(in);
	start_demand(in);
	walk_again(in);
	in->level.is_fresh = true;
	if (in->level.now == LEVEL_SINGLE)
		in->level.single_again = mono_after_s(mono_now(), SINGLE_PAUSE_S);
}

/* --- requests --- */

static bool is_settled(const struct level *level)
{
	return (level->phase == PHASE_STEADY || level->phase == PHASE_ASK) && !level->is_fresh;
}

/* What a request or a signal has caused is started before the next request undoes it. */
bool level_takes_requests(const struct init *in)
{
	return is_settled(&in->level) && !in->level.events && !in->level.image && !job_is_busy(in, JOB_IMAGE);
}

static void reread(struct init *in)
{
	in->level.wanted = in->level.now;
	say_level(in);
	record_show_level(&in->log, in->level.now);
	level_step(in, EV_ASKED);
}

static void ask_demand(struct init *in, char letter)
{
	initlog(&in->log, LOG_TO_SYSLOG, "Activating demand-procedures for '%c'", letter);
	in->level.demand = letter;
	reread(in);
}

static void ask_level(struct init *in, char letter)
{
	bool is_new = letter != in->level.now;

	in->level.wanted = letter;                   /* first: what is said is done, also over a crash */
	if (letter == LEVEL_SINGLE)
		initlog(&in->log, LOG_TO_BOTH, "Going single user");
	else
		initlog(&in->log, LOG_TO_BOTH, "Switching to runlevel: %c", letter);
	if (is_new && strchr("S016", letter))
		job_want(in, JOB_CONSOLE);           /* its line as the scripts expect it */
	record_change(in, true);
	if (!is_new)
		in->level.previous = letter;
	level_step(in, EV_ASKED);
}

/* As in stock, a letter that is no level has the table read, and 's' in level S is a change from S to S. */
void level_request(struct init *in, char letter, int64_t stop_s)
{
	if (stop_s >= 0)
		in->level.stop_s = stop_s;
	if (letter == in->level.now)
		return;
	letter = letter ? (char)toupper((unsigned char)letter) : 'X';
	if (strchr("0123456789S", letter)) {
		ask_level(in, letter);
	} else if (strchr("ABC", letter)) {
		ask_demand(in, letter);
	} else if (letter == 'U') {
		takeover_ask(in);
	} else {
		if (letter == 'Q')
			initlog(&in->log, LOG_TO_SYSLOG, "Re-reading inittab");
		else
			initlog(&in->log, LOG_TO_BOTH, "bad runlevel: %c", letter);
		reread(in);
	}
}

/* --- signals and power --- */

void level_signal(struct init *in, enum level_signal signal)
{
	in->level.events |= (uint32_t)signal;
}

void level_halt(struct init *in, bool halt)
{
	in->level.is_halted = halt;
}

static const struct {
	uint32_t signal;
	enum action clears[2];
} clearing[] = {
	{ LEVEL_SIGNAL_INT, { ACTION_CTRLALTDEL } },
	{ LEVEL_SIGNAL_WINCH, { ACTION_KBREQUEST } },
	{ LEVEL_SIGNAL_POWER_FAIL, { ACTION_POWERFAIL, ACTION_POWERWAIT } },
	{ LEVEL_SIGNAL_POWER_LOW, { ACTION_POWERFAILNOW } },
	{ LEVEL_SIGNAL_POWER_OK, { ACTION_POWEROKWAIT } },
};

static bool is_cleared(uint32_t events, uint32_t action)
{
	for (size_t i = 0; i < sizeof clearing / sizeof clearing[0]; i++)
		if (events & clearing[i].signal &&
			(action == clearing[i].clears[0] || action == clearing[i].clears[1]))
			return true;
	return false;
}

static void serve_signals(struct init *in)
{
	uint32_t events = in->level.events;

	in->level.events = 0;
	if (!events)
		return;
	for (int32_t i = 0; i < in->family.count; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!is_cleared(events, entry->action))
			continue;
		entry->flags &= ~(uint32_t)ENTRY_EXECUTED;
		family_seal(entry);
	}
	walk_again(in);
	if (events & LEVEL_SIGNAL_HUP)
		reread(in);
}

void level_entry_ended(struct init *in, struct entry *entry)
{
	enum phase phase = in->level.phase;

	if ((phase == PHASE_TERM || phase == PHASE_KILL) && !in->family.stopping)
		level_step(in, EV_STOPPED);
	else if (phase == PHASE_STEADY)
		walk_entry_ended(in, entry);
}

/* --- the end of a level --- */

static bool is_level_letter(char letter)
{
	return letter && strchr("0123456789S", letter);
}

/* 0: not known. */
static char default_level(struct init *in)
{
	char level = family_initdefault(&in->family);

	if (is_level_letter(level))
		return level;
	if (level)
		initlog(&in->log, LOG_TO_BOTH, "Initdefault level '%c' is invalid", level);
	return 0;
}

/* What follows S may be S, at once. */
static bool may_spin(const struct init *in)
{
	char next = family_initdefault(&in->family);

	return in->level.now == LEVEL_SINGLE && (!is_level_letter(next) || next == LEVEL_SINGLE);
}

static void advance(struct init *in, char level)
{
	in->level.wanted = level;
	in->level.said_empty = false;
	if (level != in->level.now) {
		if (level_is_real(level) && level != LEVEL_SINGLE)
			initlog(&in->log, LOG_TO_BOTH, "Entering runlevel: %c", level);
		record_change(in, false);
	}
	level_step(in, EV_ADVANCE);
}

/* Level S again: its entries have had their turn and get another. */
static void single_again(struct init *in)
{
	for (int32_t i = 0; i < in->family.count; i++) {
		struct entry *entry = &in->family.entry[i];

		if (!start_is_of_level(entry, LEVEL_SINGLE) || action_is_first((enum action)entry->action))
			continue;
		entry->flags &= ~(uint32_t)ENTRY_EXECUTED;
		family_seal(entry);
	}
}

/* Where to go after the sysinit entries, or after level S. */
static void advance_to_chosen(struct init *in, char chosen)
{
	struct level *level = &in->level;

	level->boot_level = chosen;
	if (chosen == LEVEL_SINGLE && level->now == LEVEL_SINGLE)
		single_again(in);
	if (chosen != LEVEL_SINGLE && !level->did_boot)
		chosen = LEVEL_BOOT;
	advance(in, chosen);
}

static void choose_level(struct init *in)
{
	char chosen = in->boot.level;

	in->boot.level = 0;                          /* it counts once */
	if (!chosen)
		chosen = default_level(in);
	if (chosen)
		advance_to_chosen(in, chosen);
	else
		level_step(in, EV_UNDECIDED);
}

/* Nothing of the level is left. When to look again. */
static struct mono level_ended(struct init *in, struct mono now)
{
	struct level *level = &in->level;

	if (may_spin(in) && !mono_is_due(level->single_again, now))
		return level->single_again;
	if (level->now == LEVEL_SYSINIT || level->now == LEVEL_SINGLE) {
		choose_level(in);
		return now;
	}
	if (level->now == LEVEL_BOOT) {
		level->did_boot = true;
		advance(in, level->boot_level);
		return now;
	}
	if (strchr("06", level->now))
		power_leave(in);
	if (!level->said_empty)
		initlog(&in->log, LOG_TO_BOTH, "no more processes left in this runlevel");
	level->said_empty = true;
	return MONO_NEVER;
}

/* --- asking --- */

static void ask_begin(struct init *in)
{
	job_want(in, JOB_ASKER);
}

static void asker_dismiss(struct init *in)
{
	job_cancel(in, JOB_ASKER);
	load_begin(in);
}

void level_answered(struct init *in, char letter)
{
	in->level.answered = is_level_letter(letter) ? letter : 0;
}

void level_asker_ended(struct init *in, int err)
{
	char letter = in->level.answered;

	in->level.answered = 0;
	if (in->level.phase != PHASE_ASK)
		return;
	if (err || !letter) {
		/* Nobody can be asked: a shell for root, if the console takes one. */
		initlog(&in->log, LOG_TO_BOTH, "nobody answers which runlevel to enter");
		letter = LEVEL_SINGLE;
	}
	advance_to_chosen(in, letter);
}

/* --- each turn --- */

static void emergency_tend(struct init *in)
{
	const struct entry *shell = in->family.entry;

	if (!in->family.count || (shell->flags & ENTRY_EXECUTED && !shell->pid))
		level_step(in, EV_SHELL_ENDED);
}

struct mono level_tend(struct init *in, struct mono now)
{
	struct level *level = &in->level;
	struct mono next;

	if (mono_is_due(level->deadline, now))
		level_step(in, EV_DEADLINE);
	if (is_settled(level) && level->image)
		survive_reexec(in);
	if (is_settled(level))
		serve_signals(in);
	if (level->phase == PHASE_STEADY && mono_is_due(level->reread_at, now)) {
		level->wanted = level->now;
		level_step(in, EV_ASKED);
	}
	if (level->phase == PHASE_EMERGENCY)
		emergency_tend(in);
	if (level->phase != PHASE_STEADY && level->phase != PHASE_EMERGENCY)
		return level->deadline;
	next = walk_tend(in, now);
	if (level->phase == PHASE_STEADY && walk_is_over(in))
		next = mono_first(next, level_ended(in, now));
	if (level->events && is_settled(level))
		return now;
	return mono_first(next, level->reread_at);
}
