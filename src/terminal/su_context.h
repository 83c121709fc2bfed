/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_context.h - the SELinux context of root's shell. Built without SELinux it does nothing. */
#ifndef TERMINAL_SU_CONTEXT_H
#define TERMINAL_SU_CONTEXT_H

/* Makes what this process executes next run in root's default context. NULL, or what failed, as a text that lives for
 * ever. Reads the policy's files. */
const char *su_context_set(void);

#endif
