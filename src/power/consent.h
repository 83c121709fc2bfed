/* SPDX-License-Identifier: GPL-2.0-or-later */
/* consent.h - shutdown -a: is somebody at a console who is allowed to? May block as file systems may. */
#ifndef POWER_CONSENT_H
#define POWER_CONSENT_H

#include <stdbool.h>

#include "lib/num.h"

/* True: there is no /etc/shutdown.allow, or root or a user that it names is logged in on a virtual console (by utmp, with
 * a process that lives). False: nobody is, or the file is there and cannot be read. */
bool consent_is_given(void) MUST_CHECK;

/* Says that on /dev/console, if that takes it at once. */
void consent_tell_refusal(void);

#endif
