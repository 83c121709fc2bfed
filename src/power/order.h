/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.h - what the command line of shutdown(8) asks for, checked as a whole before anything is done. */
#ifndef POWER_ORDER_H
#define POWER_ORDER_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/num.h"
#include "power/countdown.h"
#include "power/when.h"

enum { ORDER_TEXT_MAX = 2048, ORDER_STOP_MAX_S = 86400, ORDER_STOP_S = 3 };

enum order_halt { ORDER_HALT_UNSAID, ORDER_HALT_HALT, ORDER_HALT_POWEROFF };

struct order {
	char level;
	enum order_halt halt;
	enum countdown_marks marks;
	bool ask_consent, cancel, warn_only, fast_boot, force_fsck, direct;
	int stop_s;                     /* between TERM and KILL */
	struct when when;
	char text[ORDER_TEXT_MAX];      /* the message, with \r\n at its end; "" when there is none */
};

/* Takes argv apart. Options may stand before the time and behind it, up to the first word of the message. 0, or
 * what to exit with: what is wrong was told on standard error then. */
int order_take(struct order *order, int argc, char **argv) MUST_CHECK;

void order_usage(FILE *out);

/* "for system halt", "for reboot", "to maintenance mode", "to runlevel X"; valid until buf goes. */
const char *order_aim(char level, char buf[32]);

#endif
