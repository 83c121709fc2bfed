/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_exit.h - how selinux-load ends, for process 1 to go by. */
#ifndef INIT_POLICY_EXIT_H
#define INIT_POLICY_EXIT_H

enum policy_exit {
	POLICY_EXIT_LOADED,             /* init is to be executed again, to enter its domain */
	POLICY_EXIT_FAILED,             /* no policy, and the machine goes on; also for what nobody foresaw */
	POLICY_EXIT_USAGE,
	POLICY_EXIT_NOTHING,            /* none is wanted or possible: no SELinux, disabled, loaded already, not installed */
	POLICY_EXIT_REFUSED,            /* no policy, and the machine must not go on without */
	POLICY_EXIT_ABSENT,             /* between process 1's children: there is no such program */
};

#endif
