/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout.h - the record of utmp(5) as any machine wrote it: both word sizes, both byte orders, and the old one of libc5.
 * A record stays where it was read; what is needed of it is taken out here, and nothing in it is believed: texts end at
 * their field's end, numbers are what their bytes are. Nothing here can block, allocate or fail but as said. */
#ifndef RECORDS_LAYOUT_H
#define RECORDS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/num.h"
#include "lib/utmpfile.h"

enum layout_text { TEXT_LINE, TEXT_ID, TEXT_USER, TEXT_HOST, TEXT_COUNT };

enum {
	LAYOUT_BYTES_MAX = 400,
	LAYOUT_HOST_MAX = 256,                  /* the longest text */
	LAYOUT_ADDRESS_BYTES = 16,
	LAYOUT_REST_MAX = 26,                   /* padding and reserved bytes together */
	LAYOUT_SAMPLE_BYTES = 64 * LAYOUT_BYTES_MAX,
	RECORD_ACCOUNTING = 9,                  /* the last of utmp(5)'s types */
	RECORD_SHUTDOWN = 254,                  /* this suite's own, never in a file of today */
};

struct layout {
	const char *name;                       /* "384le" ... "56be": bytes and byte order */
	uint16_t bytes;
	bool is_swapped;                        /* not this machine's byte order */
	bool is_old;
	struct {
		uint16_t at, bytes;
	} text[TEXT_COUNT];
	uint16_t pid_at, exit_at, session_at, s_at, us_at;      /* 0: it has no such field */
	uint16_t long_bytes;                    /* of session, seconds and microseconds */
	uint16_t address_at, address_bytes;
	uint16_t rest_at, rest_bytes;           /* what is reserved */
};

/* A text within a record, without what follows its first NUL. Not terminated. */
struct text {
	const char *at;
	size_t len;
};

struct record {
	const struct layout *layout;
	const unsigned char *bytes;
	int type;
	int32_t pid;
	int64_t s, us;                          /* 32-bit seconds are unsigned: they reach to 2106 */
};

/* A record that lies nowhere yet. */
struct record_fields {
	int type;
	int32_t pid;
	char text[TEXT_COUNT][LAYOUT_HOST_MAX];         /* padded with NULs */
	int termination, exit;
	int64_t session, s, us;
	unsigned char address[LAYOUT_ADDRESS_BYTES];    /* in network byte order */
	unsigned char rest[LAYOUT_REST_MAX];            /* two bytes of padding, then what is reserved */
};

/* That of this machine's C library; with is_old that of libc5. */
const struct layout *layout_native(bool is_old);

/* By its name; NULL: there is none such. The names, with a blank between two, for usage texts. */
const struct layout *layout_named(const char *name);
const char *layout_names(void);

/* Which layout the first bytes of a file have: the native one unless most of its records make no sense in it and nearly all
 * do in another. */
const struct layout *layout_detect(const void *sample, size_t len_bytes, bool is_old);

/* bytes must stay as long as what is taken out of it is used. */
struct record record_of(const struct layout *layout, const void *bytes);
struct text record_text(const struct record *record, enum layout_text which);
void record_address(const struct record *record, unsigned char out[LAYOUT_ADDRESS_BYTES]);
void record_fields(const struct record *record, struct record_fields *out);

/* True for a type that utmp(5) or this suite knows, "empty" included. */
bool record_is_known_type(int type);

/* Whether all its bytes are zero: a hole, or a slot never used. */
bool record_is_blank(const struct record *record);

/* Whether it looks like what a program wrote on purpose: a known type but "empty", a time, texts that begin as texts do. */
bool record_is_sound(const struct record *record);

/* Writes a record. -ERANGE: a field does not fit this layout; out is then not complete. */
int layout_encode(const struct layout *layout, const struct record_fields *fields, void *out) MUST_CHECK;

#endif
