/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_account.h - root's entry and its password.
 * /etc/passwd and /etc/shadow come first, read here, without the name service: what it asks may be a network that is
 * down. Only what they do not hold is asked from the C library, in a child with a time limit.
 * No shape of a stored password makes it "no password": only an empty field does, and crypt(3) judges all others. */
#ifndef TERMINAL_SU_ACCOUNT_H
#define TERMINAL_SU_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/clock.h"
#include "lib/num.h"

enum su_secret {
	SU_SECRET_SET = 1,      /* there is a password, or something that no password will match */
	SU_SECRET_BLANK,        /* the field is empty */
	SU_SECRET_LOCKED,       /* it begins with ! or * */
	SU_SECRET_ABSENT,       /* no file, a file that the disk does not give, or no line for root */
	SU_SECRET_UNREADABLE,   /* the file is there and could not be read this time: not the same as absent */
};

enum { SU_FIELD_BYTES = 1024, SU_WHY_BYTES = 128 };

struct su_account {
	enum su_secret secret;
	bool is_known;                  /* a passwd entry was found; else home is "/" and shell empty */
	char hash[SU_FIELD_BYTES];
	char home[SU_FIELD_BYTES];
	char shell[SU_FIELD_BYTES];
	char why[SU_WHY_BYTES];         /* of ABSENT and UNREADABLE: what is wrong with which file, without a line end */
};

/* Fills all of out. Waits for the disk, and for the name service until the deadline at most. */
void su_account_read(struct su_account *out, struct mono name_service_deadline);

/* Whether answer is the password of an account whose secret is SET. 1, 0, or a negative errno: crypt(3) could not judge
 * it, which is to be taken as 0. Takes as long as the method of hashing wants. */
int su_account_judge(const struct su_account *account, const char *answer) MUST_CHECK;

#endif
