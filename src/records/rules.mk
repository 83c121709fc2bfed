# SPDX-License-Identifier: GPL-2.0-or-later
PROGS += runlevel
SBIN += runlevel
runlevel_OBJS = records/runlevel.o $(LIB_OBJS)
