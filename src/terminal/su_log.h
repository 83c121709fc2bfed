/* SPDX-License-Identifier: GPL-2.0-or-later */
/* su_log.h - a line for the record: who was let in or refused, never what was typed. */
#ifndef TERMINAL_SU_LOG_H
#define TERMINAL_SU_LOG_H

/* To the syslog daemon (authpriv.notice), else to the kernel's log; lost when neither takes it at once. Never waits. */
void su_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
