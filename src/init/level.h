/* SPDX-License-Identifier: GPL-2.0-or-later */
/* level.h - which level the machine is in, and how it gets to the next: a table of (phase, event).
 * A change is load, terminate, kill, start; each step ends by an event or its deadline. Requests are taken in
 * PHASE_STEADY and PHASE_ASK only, so that what comes meanwhile waits in order. Nothing here blocks. */
#ifndef INIT_LEVEL_H
#define INIT_LEVEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"

struct init;
struct entry;

#define PHASES(X)                                                                                  \
	X(NONE, "none") X(BOOT, "boot") X(EMERGENCY, "emergency") X(STEADY, "steady") X(LOAD, "load")  \
	X(TERM, "terminate") X(KILL, "kill") X(ASK, "ask") X(TAKE, "take over")      \
	X(POLICY, "policy") X(HALT, "halt")

#define EVENTS(X)                                                                                  \
	X(CONSOLE_READY, "console ready") X(EMERGENCY, "emergency shell wanted")                     \
	X(SHELL_ENDED, "shell ended") X(ASKED, "level asked for") X(LOADED, "inittab read")            \
	X(STOPPED, "all stopped") X(DEADLINE, "deadline") X(ADVANCE, "next level")                    \
	X(UNDECIDED, "no level known") X(SETTLED, "policy settled") X(REFUSED, "policy refused")

enum phase {
#define PHASE_ENUM(name, text) PHASE_##name,
	PHASES(PHASE_ENUM)
#undef PHASE_ENUM
	PHASE_COUNT
};

enum event {
#define EVENT_ENUM(name, text) EV_##name,
	EVENTS(EVENT_ENUM)
#undef EVENT_ENUM
	EV_COUNT
};

enum { LEVEL_STOP_DEFAULT_S = 3, LEVEL_KILL_MS = 2000 };

/* '#': sysinit, '*': boot and bootwait, else the letter or digit. */
enum { LEVEL_SYSINIT = '#', LEVEL_BOOT = '*', LEVEL_SINGLE = 'S' };

/* What /sbin/init was found to be: of our making, or another sysvinit, which knows nothing of what is not in the text. */
enum image { IMAGE_NONE, IMAGE_OURS, IMAGE_FOREIGN };

struct level {
	enum phase phase;
	char now, previous;             /* previous: 'N' until there is one */
	char wanted;                    /* the level after this change; now, for a re-reading */
	char demand;                    /* 'A' 'B' 'C': entries to mark after the re-reading; 0 */
	char answered;                  /* the asker's, not yet used; 0 */
	char boot_level;                /* decided when the sysinit entries had ended, entered after '*'; 0 */
	int64_t stop_s;                 /* between TERM and KILL */
	bool did_boot;                  /* the '*' entries have run */
	bool is_halted;                 /* SIGTSTP: nothing is started */
	bool is_fresh;                  /* entered or read again, and not yet walked through */
	bool said_empty;                /* "no more processes left": once after the boot or level S */
	bool keeps_guards;              /* the next re-reading is a new image's: nobody has asked for it */
	bool is_torn;                   /* the state of the init before was: what it did not tell counts as executed */
	enum image image;               /* a new image is to be executed as soon as nothing is under way */
	int32_t walk;                   /* the next entry to look at */
	struct mono deadline;           /* of this phase */
	struct mono fork_retry;         /* no start before: fork was refused */
	struct mono reread_at;          /* the table in use is not what was asked for; MONO_NEVER: it is */
	struct mono single_again;       /* not before: level S that ends at once must not spin */
	uint32_t events;                /* signals to serve when steady: LEVEL_SIGNAL_... */
};

enum level_signal {
	LEVEL_SIGNAL_HUP = 1 << 0,
	LEVEL_SIGNAL_INT = 1 << 1,
	LEVEL_SIGNAL_WINCH = 1 << 2,
	LEVEL_SIGNAL_POWER_FAIL = 1 << 3,
	LEVEL_SIGNAL_POWER_LOW = 1 << 4,
	LEVEL_SIGNAL_POWER_OK = 1 << 5,
};

const char *phase_name(enum phase phase);

/* Not the boot's '#' or '*'. */
static inline bool level_is_real(char level)
{
	return level != LEVEL_SYSINIT && level != LEVEL_BOOT;
}

/* Begins the boot: the SELinux policy, then the console, then all goes by events. */
void level_boot(struct init *in);

/* A new image that waits for the state of the one before: nothing is started, no request taken, until level_resume(). */
void level_take_over(struct init *in);

/* After an exec: in->level is the image before's. Goes on where it was; a change that was under way begins again. */
void level_resume(struct init *in);

/* The only writer of in->level.phase. An event that the phase has no line for is logged and changes nothing. */
void level_step(struct init *in, enum event event);

bool level_takes_requests(const struct init *in);

/* telinit's letter; stop_s < 0 leaves the stop time as it is. Call only when level_takes_requests(). */
void level_request(struct init *in, char letter, int64_t stop_s);

/* A signal or power event: served at once when steady, else afterwards. */
void level_signal(struct init *in, enum level_signal signal);
void level_halt(struct init *in, bool halt);              /* SIGTSTP, SIGCONT */

void level_loaded(struct init *in);                        /* the family is as good as it gets (load.h) */
/* The loader cannot be forked now. True: the level goes on with the table in use and reads again later. */
bool level_load_refused(struct init *in);
void level_answered(struct init *in, char letter);        /* the asker's report */

/* Ends of jobs. */
void level_console_ready(struct init *in, int err);
void level_asker_ended(struct init *in, int err);

/* Called by reaping after the entry's marks are set. */
void level_entry_ended(struct init *in, struct entry *entry);

/* What is due this turn: starts in bounded batches, deadlines, the end of a level. Returns when to come back: now when
 * there is more to do, MONO_NEVER when only an event can change anything. */
struct mono level_tend(struct init *in, struct mono now);

#endif
