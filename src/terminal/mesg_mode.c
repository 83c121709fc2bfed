/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/mesg_mode.h"

#include <sys/stat.h>

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

bool mesg_mode_is_open(mode_t mode)
{
	return mode & OTHERS_WRITE;
}

mode_t mesg_mode_close(mode_t mode)
{
	return mode & ~(mode_t)OTHERS_WRITE;
}

mode_t mesg_mode_open(mode_t mode, bool has_group)
{
	return mode | (has_group ? S_IWGRP : OTHERS_WRITE);
}
