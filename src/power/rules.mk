# SPDX-License-Identifier: GPL-2.0-or-later
# NOLOGIN=PATH: the file that keeps users from logging in while a shutdown is near; Debian's is /run/nologin.
NOLOGIN ?= /etc/nologin
$(B)/obj/power/shutdown.o: OURS += -DNOLOGIN_PATH='"$(NOLOGIN)"'

DOWN_OBJS := $(addprefix power/,bounded.o downcall.o downrecord.o)
HALT_OBJS := $(addprefix power/,disks.o nics.o nowlevel.o)
SHUTDOWN_OBJS := $(addprefix power/,consent.o countdown.o direct.o downlog.o order.o ownfile.o pidlock.o schedule.o waiting.o when.o)
POWER_OBJS := $(DOWN_OBJS) $(HALT_OBJS) $(SHUTDOWN_OBJS)
PROGS += halt shutdown
SBIN += halt shutdown
LINKS += sbin/poweroff:halt sbin/reboot:halt
halt_OBJS = power/halt.o $(DOWN_OBJS) $(HALT_OBJS) records/runlevels.o $(TOOL_OBJS) $(LIB_OBJS)
shutdown_OBJS = power/shutdown.o $(DOWN_OBJS) $(SHUTDOWN_OBJS) $(INITLOG_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
