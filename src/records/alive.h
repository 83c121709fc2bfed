/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alive.h - whether the process that a login record names is still that session.
 * A pid alone says little: it may have been given to somebody else since. Where /proc tells more, the process must have
 * started no later than the record was written, and its terminal, if it has one, must be the record's. What cannot be found
 * out counts for the session. Reads /proc/PID/stat and looks at /dev/LINE; neither waits for anybody. */
#ifndef RECORDS_ALIVE_H
#define RECORDS_ALIVE_H

#include <stdbool.h>

#include "records/layout.h"

enum { ALIVE_SLACK_S = 60 };            /* a clock may be set a little, a record written a little early */

/* As history_config wants it; context is not used. */
bool alive_session(void *context, const struct record *record);

#endif
