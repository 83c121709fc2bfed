/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.h - the address in a record as text, and the name that the system's resolver has for it.
 * Each address is asked for once: the answers are kept, up to a bound. */
#ifndef RECORDS_ADDRESS_H
#define RECORDS_ADDRESS_H

#include <stdbool.h>

#include "records/layout.h"

enum {
	ADDRESS_TEXT_BYTES = 46,        /* INET6_ADDRSTRLEN */
	ADDRESS_NAME_BYTES = 512,
	ADDRESS_NAMES_MAX = 4096,       /* then the answers are forgotten */
};

bool address_is_none(const unsigned char address[LAYOUT_ADDRESS_BYTES]);

/* IPv4 when all but the first four bytes are zero. */
void address_write(const unsigned char address[LAYOUT_ADDRESS_BYTES], char out[ADDRESS_TEXT_BYTES]);

/* The other way. False: it is no address. */
bool address_parse(const char *text, unsigned char out[LAYOUT_ADDRESS_BYTES]);

struct address_names;
struct address_names *address_names_new(void) MUST_CHECK;       /* NULL: out of memory */
void address_names_free(struct address_names *names);

/* The host's name, or the address as text when it has none; valid until the next call. Blocks as long as the resolver does:
 * seconds when no server answers. */
const char *address_name(struct address_names *names, const unsigned char address[LAYOUT_ADDRESS_BYTES]);

#endif
