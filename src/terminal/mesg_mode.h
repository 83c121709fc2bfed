/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesg_mode.h - who but its owner may write to a terminal, by the bits of its mode. Cannot block. */
#ifndef TERMINAL_MESG_MODE_H
#define TERMINAL_MESG_MODE_H

#include <stdbool.h>
#include <sys/types.h>

/* True if somebody else may. */
bool mesg_mode_is_open(mode_t mode);

/* Nobody else may. */
mode_t mesg_mode_close(mode_t mode);

/* The terminal's group may; where there is no group for terminals, everybody. */
mode_t mesg_mode_open(mode_t mode, bool has_group);

#endif
