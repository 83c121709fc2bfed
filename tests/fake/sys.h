/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake/sys.h - lib/sys.c with a say in what fails: the n-th call, every call of a name, and the clock.
 * Linked into unit tests in place of lib/sys.c. Nothing fails until it is armed. */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include <stdbool.h>
#include <stdint.h>

/* The n-th system call from now on (1 is the next) fails with err (negative); with always, all after it too. */
void fault_arm(int nth, int err);
void fault_arm_always(int nth, int err);

/* Every call of this name ("open", "fork" ...) fails with err until fault_clear(). One name at a time. */
void fault_name(const char *name, int err);

/* Calls of this name after the first skip ones fail. */
void fault_name_after(const char *name, int skip, int err);

void fault_clear(void);

/* True if the armed fault was reached since it was armed; disarms it. The end of an n-th-failure sweep. */
bool fault_fired(void);

/* Calls made since the last fault_clear() / fault_arm(), of any name. */
int fault_calls(void);

/* Freezes both clocks at these values (fake_clock_ns >= 0); -1: the real ones. */
void fake_clock_set(int64_t mono_ns, int64_t wall_ns);
void fake_clock_advance_ms(int64_t ms);

/* Number of open descriptors of this process, from 3 on. */
int fds_open(void);

#endif
