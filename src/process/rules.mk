# SPDX-License-Identifier: GPL-2.0-or-later
# pidof is killall5 by another name.
PROCESS_OBJS := $(addprefix process/,complain.o guard.o hunt.o killing.o match.o omit.o pidof.o pidset.o scout.o subject.o \
	target.o)
PROGS += killall5
SBIN += killall5
LINKS += bin/pidof:/sbin/killall5
killall5_OBJS = process/killall5.o $(PROCESS_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
