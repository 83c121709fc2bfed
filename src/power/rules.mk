# SPDX-License-Identifier: GPL-2.0-or-later
# NOLOGIN=PATH: the file that keeps users from logging in while a shutdown is near; Debian's is /run/nologin.
NOLOGIN ?= /etc/nologin
POWER_OBJS := $(addprefix power/,bounded.o disks.o downcall.o downrecord.o nics.o nowlevel.o)
PROGS += halt
SBIN += halt
LINKS += sbin/poweroff:halt sbin/reboot:halt
halt_OBJS = power/halt.o $(POWER_OBJS) $(RECORDS_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
