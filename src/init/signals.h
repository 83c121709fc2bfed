/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals.h - signals to pid 1: all blocked, taken from a signalfd. The fatal ones are survive.h's. */
#ifndef INIT_SIGNALS_H
#define INIT_SIGNALS_H

#include <signal.h>

#include "init/init.h"

/* Blocks every signal but those that a fault raises; *out is what the signalfd takes. */
void signals_block(sigset_t *out);

/* Takes what has come and acts on it. Never blocks. */
void signals_read(struct init *in);

#endif
