/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule.h - what a waiting shutdown tells of itself to those who ask (shutdown --show): a small text file beside its pid
 * file, which counts as long as the pid file is locked. */
#ifndef POWER_SCHEDULE_H
#define POWER_SCHEDULE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/num.h"
#include "power/order.h"
#include "power/when.h"

struct schedule {
	char level;
	enum order_halt halt;
	bool warn_only;
	struct moment moment;
	char user[33], tty[33];         /* who asked for it; tty "" when it was none */
	char text[ORDER_TEXT_MAX];
};

/* In place of what another one has left. 0 or a negative errno. */
int schedule_write(const struct schedule *schedule) MUST_CHECK;
void schedule_remove(void);

/* 0, -EINVAL: not of this form, or another negative errno. */
int schedule_read(struct schedule *out) MUST_CHECK;

/* For a person: "reboot scheduled for DATE, in 12 minutes, by USER on TTY (pid PID)", and the message below it, control
 * characters made visible. */
void schedule_print(FILE *out, const struct schedule *schedule, int pid);

#endif
