/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* Before a policy is loaded the kernel takes any label for what is to become its own. */
int label_main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (setxattr(argv[1], "security.selinux", argv[2], strlen(argv[2]) + 1, 0) < 0) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
