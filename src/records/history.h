/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h - what became of each login: told from a file's records, the newest first.
 * Feed it every record in turn; it says which of them are shown, and how each ended. Memory grows with the number of
 * different terminal lines in use between two boots, not with the file. Nothing here blocks but what is_alive does. */
#ifndef RECORDS_HISTORY_H
#define RECORDS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "records/layout.h"

enum fate {
	FATE_ENDED = 1,                 /* at end_s, in good order */
	FATE_CRASHED,                   /* at end_s, by a boot without a shutdown */
	FATE_DOWN,                      /* at end_s, by a shutdown */
	FATE_LOGGED_IN,                 /* still */
	FATE_RUNNING,                   /* likewise, of a boot or a level */
	FATE_GONE,                      /* without a trace */
	FATE_UNKNOWN,                   /* a shutdown that no boot followed */
	FATE_MOMENT,                    /* a change of the clock: it has no end */
};

struct happening {
	struct record record;
	struct text line;               /* as it is shown, and compared with what is asked for */
	char line_room[16];             /* what line may point to */
	enum fate fate;
	int64_t end_s;
};

struct history_config {
	bool is_bad;                    /* of btmp(5): each record stands for itself */
	bool with_system;               /* levels, shutdowns and changes of the clock, too */
	/* Whether a session of this record may be on now; NULL: take it for granted. */
	bool (*is_alive)(void *context, const struct record *record);
	void *context;
};

struct history;

/* Freed with history_free(). NULL: out of memory. */
struct history *history_new(const struct history_config *config) MUST_CHECK;

/* The next older record. 1: to be shown, and *out is what there is to show, valid as long as the record; 0: it is not;
 * -ENOMEM: an end may be missing from what follows. */
int history_take(struct history *history, const struct record *record, struct happening *out) MUST_CHECK;

void history_free(struct history *history);

#endif
