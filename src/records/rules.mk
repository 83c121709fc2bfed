# SPDX-License-Identifier: GPL-2.0-or-later
RECORDS_OBJS := records/runlevels.o
PROGS += runlevel
SBIN += runlevel
runlevel_OBJS = records/runlevel.o $(RECORDS_OBJS) $(LIB_OBJS)
