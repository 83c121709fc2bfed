/* SPDX-License-Identifier: GPL-2.0-or-later */
/* telinit.h - the other face of the binary: writes one request to init's control channel. */
#ifndef INIT_TELINIT_H
#define INIT_TELINIT_H

#include "lib/initctl.h"

/* The exit status for main(). name: last path component of argv[0]. Ends within 3 s whatever the
 * FIFO is or does (missing, full, no reader, a regular file, a device); never creates or
 * truncates a file. */
int telinit_main(const char *name, int argc, char **argv);

/* The same for another FIFO and another patience, and another file that holds the name of process 1: where a request fails
 * and that is not "init", it is said. */
int telinit_run(const char *name, int argc, char **argv, const struct initctl_channel *channel, const char *init_name);

#endif
