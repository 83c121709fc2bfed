/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlet.h - one place where output goes to, as the relay sees it: a backlog and a writer process (writer.h). Nothing here
 * blocks: one packet is under way at a time, and its answer is awaited by poll(2) elsewhere. An error is tried again
 * later; what the backlog had to lose meanwhile is said in its place. A writer that dies is started again. */
#ifndef TERMINAL_OUTLET_H
#define TERMINAL_OUTLET_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "terminal/backlog.h"
#include "terminal/writer.h"

enum {
	OUTLET_STALL_MS = 5000,         /* without an answer: said, once */
	OUTLET_RETRY_MS = 500,          /* after an error */
};

enum outlet_state {
	OUTLET_READY = 1,
	OUTLET_WAITS,                   /* for an answer, until stall_at in good faith */
	OUTLET_STALLED,                 /* for an answer that is overdue */
	OUTLET_RESTS,                   /* after an error, until retry_at */
	OUTLET_GONE,
};

/* Runs in the writer's process and never returns; socket is its end. */
typedef void outlet_child(void *context, int socket);

struct outlet {
	const char *name;
	const char *stamp;              /* put before what is said of losses; NULL: nothing is */
	outlet_child *child;
	void *context;
	size_t packet_bytes;            /* at most WRITER_BYTES_MAX at a time: who is slow shows sooner with less */
	bool wants_open;                /* before there is anything to write */
	enum outlet_state state;
	struct backlog backlog;
	int fd;                         /* to be polled for reading; -1: gone */
	pid_t pid;
	struct mono stall_at, retry_at;
	int err;                        /* the last answer's */
	uint32_t order;                 /* under way */
	uint32_t wanted;                /* WRITER_REOPEN or WRITER_SYNC before anything else; 0 */
	bool is_open;
	uint64_t device;
	int32_t east_s;
	bool at_line_begin;
	size_t flight_len, flight_done;
	char flight[WRITER_BYTES_MAX];  /* taken from the backlog, not yet answered for */
};

/* Takes the memory and starts the writer, which opens at once if wants_open. The caller has set the fields from name to
 * wants_open. 0 or a negative errno. */
int outlet_begin(struct outlet *outlet, size_t backlog_bytes) MUST_CHECK;

void outlet_put(struct outlet *outlet, const char *bytes, size_t len_bytes);

/* Sends what is due. */
void outlet_tend(struct outlet *outlet, struct mono now);

/* When outlet_tend() has something to do, if no answer comes before. */
struct mono outlet_due(const struct outlet *outlet);

/* fd is readable: takes the answer, or notices the writer's death. */
void outlet_hear(struct outlet *outlet, struct mono now);

/* Bytes put and not answered for. */
size_t outlet_waiting(const struct outlet *outlet);

/* True when an answer is awaited. */
bool outlet_is_busy(const struct outlet *outlet);

/* Forgets an error's pause. */
void outlet_hurry(struct outlet *outlet);

/* Closes the socket, upon which the writer ends, and gives the memory back. */
void outlet_end(struct outlet *outlet);

#endif
