# SPDX-License-Identifier: GPL-2.0-or-later
INIT_OBJS := $(addprefix init/,args.o child.o command.o console.o control.o environ.o family.o inittab.o job.o kept.o \
	level.o load.o loader.o loop.o power.o reap.o report.o signals.o simple.o start.o stopping.o stream.o survive.o takeover.o table.o telinit.o walk.o)
PID1_PROGS += init
SBIN += init
LINKS += sbin/telinit:init
init_OBJS = init/main.o $(INIT_OBJS) $(INITLOG_OBJS) $(LIB_OBJS)
