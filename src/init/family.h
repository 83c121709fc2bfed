/* SPDX-License-Identifier: GPL-2.0-or-later */
/* family.h - the entries that pid 1 looks after, and which process belongs to which.
 * The records live in a memfd: plain, fixed width, a checksum each, so that a crash of pid 1 or a new image
 * of it loses none. Memory is taken by family_adopt() alone; finding a pid and marking an end allocate nothing.
 * Nothing here blocks. Positions are indexes into the table's order; the first family_count() are the table's
 * entries, those behind them (gone from the table, still running) are only waited for. */
#ifndef INIT_FAMILY_H
#define INIT_FAMILY_H

#include <sys/types.h>

#include "init/table.h"
#include "lib/clock.h"

enum entry_flag {
	ENTRY_DEMAND = 1 << 0,          /* activated by telinit a, b or c */
	ENTRY_EXECUTED = 1 << 1,        /* not again in this level */
	ENTRY_WAITING = 1 << 2,         /* the walk stands at it until it ends */
	ENTRY_STOPPING = 1 << 3,        /* has been sent SIGTERM */
	ENTRY_LISTED = 1 << 4,          /* due for a start, or held back by the respawn guard */
	ENTRY_LEAVING = 1 << 5,         /* the change of level that is under way will stop it */
	ENTRY_DROPPED = 1 << 6,         /* was damaged when family_attach() found it */
};

struct entry {
	uint32_t checksum;              /* of the rest: family_seal() */
	uint32_t flags;
	char id[8];
	char levels[16];
	uint32_t action;
	int32_t pid;                    /* 0: not running */
	int32_t wait_code, wait_status; /* CLD_EXITED ... and the status of its last end */
	int64_t guard_since_ns;         /* CLOCK_BOOTTIME */
	int64_t held_until_ns;
	uint32_t guard_count;
	uint32_t process_offset, process_len;
	int32_t forked;                 /* by the kernel: the pid of a start that is not noted yet; not in the checksum */
};

struct family {
	int fd;
	struct family_image *image;     /* only family.c knows the layout */
	size_t size_bytes;
	struct entry *entry;
	int32_t count, total;           /* the table's; with those only waited for */
	int32_t running, running_boot, stopping;
	int32_t *pid_bucket, *pid_next; /* the index, made anew from the records */
	int32_t *list_next;
	size_t index_bytes;
	uint32_t bucket_mask;
	struct family_list {
		int32_t head, tail;
	} due, held;
};

void family_init(struct family *family);
void family_free(struct family *family);          /* unmaps, closes; then it is as family_init() leaves it */

/* Makes the table the one in use. Entries of the same id and action keep pid, marks, exit state and guard; running ones
 * that are gone or changed their action move behind the table. Lists start afresh. On failure
 * (-ENOMEM, -EMFILE ...) the family is as it was. */
int family_adopt(struct family *family, const struct table *table) MUST_CHECK;

/* Takes over the records that the image before left in fd. What is damaged is dropped: *dropped counts it; what remains is an
 * entry that does nothing, ENTRY_DROPPED, with what can be shown of its id.
 * -EPROTO: nothing of it can be used; fd stays the caller's then, else the family's. */
int family_attach(struct family *family, int fd, int32_t *dropped) MUST_CHECK;

struct entry *family_find_pid(struct family *family, pid_t pid);
const char *family_process(const struct family *family, const struct entry *entry);
/* True for what only an event starts: it counts as executed until one comes. */
bool family_is_born_executed(uint32_t action);
int32_t family_position(const struct family *family, const struct entry *entry);
/* The highest letter of the first initdefault, S above 9, whether it is a level or not; 0: there is none. */
char family_initdefault(const struct family *family);

/* After any change of a field. */
void family_seal(struct entry *entry);

/* For a fatal handler: what the signal of another process found in the middle of a change is no damage. */
void family_seal_all(struct family *family);

/* The entry's process was started / has ended or is given up: index, counts and marks in one step, so that no pid is
 * looked up, and none signalled, after its end. */
void family_set_running(struct family *family, struct entry *entry, pid_t pid);
void family_set_ended(struct family *family, struct entry *entry, int code, int status);
void family_set_stopping(struct family *family, struct entry *entry);

/* Lists of entries, oldest first; an entry is in one at most. family_list_pop: NULL when empty. */
void family_list_push(struct family *family, struct family_list *list, struct entry *entry);
void family_list_push_front(struct family *family, struct family_list *list, struct entry *entry);
struct entry *family_list_first(struct family *family, const struct family_list *list);
struct entry *family_list_pop(struct family *family, struct family_list *list);
void family_lists_clear(struct family *family);

#endif
