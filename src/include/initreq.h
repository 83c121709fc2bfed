/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initreq.h - what a program writes to init's control channel, INIT_FIFO: one struct init_request a
 * write, 384 bytes. Installed; the type, field and macro names are those that programs already use. */
#ifndef _INITREQ_H
#define _INITREQ_H

#include <sys/param.h>

#define INIT_FIFO "/run/initctl"
#define INIT_MAGIC 0x03091969

#define INIT_CMD_START 0
#define INIT_CMD_RUNLVL 1
#define INIT_CMD_POWERFAIL 2
#define INIT_CMD_POWERFAILNOW 3
#define INIT_CMD_POWEROK 4
#define INIT_CMD_BSD 5
#define INIT_CMD_SETENV 6
#define INIT_CMD_UNSETENV 7

#ifdef MAXHOSTNAMELEN
#define INITRQ_HLEN MAXHOSTNAMELEN
#else
#define INITRQ_HLEN 64
#endif

/* The request of BSD's getty tables: carried for compatibility, not acted upon. */
struct init_request_bsd {
	char gen_id[8];            /* entry it is about */
	char tty_id[16];           /* terminal without /dev/ */
	char host[INITRQ_HLEN];
	char term_type[16];
	int signal;                /* to send */
	int pid;                   /* to send it to */
	char exec_name[128];
	char reserved[128];
};

struct init_request {
	int magic;                 /* INIT_MAGIC */
	int cmd;                   /* INIT_CMD_... */
	int runlevel;              /* a character, for INIT_CMD_RUNLVL */
	int sleeptime;             /* seconds between TERM and KILL */
	union {
		struct init_request_bsd bsd;
		char data[368];    /* INIT_CMD_SETENV: strings, each ended by NUL, one more NUL */
	} i;
};

#endif
