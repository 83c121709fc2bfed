/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.h - what pid 1 was started with. Nothing here blocks or allocates. */
#ifndef INIT_ARGS_H
#define INIT_ARGS_H

#include <stdbool.h>

#include "init/init.h"

/* -i or --init among the arguments: a running init executed this image. */
bool args_is_reexec(int argc, char **argv);

/* single -s S s, a digit: the level. -b emergency: a shell first. -a auto: AUTOBOOT=YES. -z XXX: skipped. The kernel
 * passes what it does not know itself, so everything else is left alone. */
void args_parse(int argc, char **argv, struct boot_args *out);

/* Copies the environment to in->inherited before the title overwrites it. What does not fit is left out: returns the
 * first such variable, or NULL. */
const char *args_keep_environment(struct init *in, char **envp);

/* After an exec the INIT_ variables of the image before stand in the environment, too, as stock hands them over. Those
 * that in->vars has are taken out of in->inherited; with adopt, the others become in->vars'. */
void args_settle_variables(struct init *in, bool adopt);

/* Adds it, which must outlive in, to in->inherited; where there is no room left it takes the last place. */
void args_add_variable(struct init *in, const char *variable);

/* The value of NAME in in->inherited, or NULL. */
const char *args_getenv(const struct init *in, const char *name);

#endif
