/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.h - a running init's state as text, by which inits of another make or version hand over (telinit u).
 * A signature, then a line for each fact: three letters and a value. The three-letter words and their order are an
 * interface of sysvinit's; who does not know a word skips its line, so ours are among them:
 *   -XE events not yet served (a number)      XGD the respawn guard of an entry: starts, since, held until (ns)
 * Everything here is for disposable children: it allocates, and writing blocks until it is read. */
#ifndef INIT_STREAM_H
#define INIT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "init/init.h"
#include "initlog/sink_records.h"

#define STREAM_SIGNATURE "12567362"

enum {
	STREAM_FD = 11,                 /* where the next image looks for it */
	STREAM_SIGNATURE_BYTES = sizeof STREAM_SIGNATURE - 1,
	STREAM_STOCK_PROCESS_MAX = 127, /* what stock holds of a process field: it cuts the rest */
	STREAM_BYTES_MAX = 64 << 20,
};

/* Writes all that follows the signature. Only the table's entries: what is being stopped is none of the next one's.
 * 0 or a negative errno (-EPIPE: the reader needs no more). */
int stream_write_in_child(const struct init *in, int fd) MUST_CHECK;

/* Reading: bytes are fed as they come, in pieces of any size. What cannot be used is dropped and said, the rest stands. */
struct stream;
struct stream *stream_begin(void (*say)(void *context, const char *text), void *context);     /* NULL: no memory */
void stream_feed(struct stream *stream, const char *bytes, size_t len_bytes);
bool stream_is_complete(const struct stream *stream);      /* END was read: what follows counts for nothing */

/* Ends and frees it. level, out and family become what was told; family must be empty. level->now is 0 if no level was
 * told, level->is_torn is set if the end is missing. 0, or a negative errno: no memory for it, family stays empty. */
int stream_end(struct stream *stream, struct level *level, struct record_flags *out, struct family *family) MUST_CHECK;

#endif
