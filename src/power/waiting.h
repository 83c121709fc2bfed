/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waiting.h - how a shutdown waits for its time. From the beginning all signals are blocked, whatever was inherited; they
 * are looked at nowhere but in the wait, so that no signal can interrupt what comes before or after it. */
#ifndef POWER_WAITING_H
#define POWER_WAITING_H

#include <stdint.h>

#include "lib/num.h"
#include "power/when.h"

struct waiting {
	int signal_fd;
};

enum waiting_end {
	WAITING_TIME,           /* it has come, or the wall clock was set: look again */
	WAITING_CANCELLED,      /* SIGINT */
	WAITING_ENDED,          /* SIGTERM, or another signal that ends programs */
};

/* 0 or a negative errno: all signals are blocked then, too. Lasts until the program ends. */
int waiting_begin(struct waiting *waiting) MUST_CHECK;

/* Sleeps until there is no more than left_ns to the moment, for days if need be. */
enum waiting_end waiting_until(const struct waiting *waiting, const struct moment *moment, int64_t left_ns) MUST_CHECK;

#endif
