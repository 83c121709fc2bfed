# SPDX-License-Identifier: GPL-2.0-or-later
BOOTLOGD_OBJS := $(addprefix terminal/,backlog.o bootcons.o bootlines.o console_writer.o escape.o log_writer.o outlet.o \
	redirect.o relay.o writer.o)
READBOOTLOG_OBJS := $(addprefix terminal/,escape.o follow.o render.o)
TERMINAL_OBJS += $(BOOTLOGD_OBJS) $(READBOOTLOG_OBJS)
PROGS += bootlogd readbootlog
SBIN += bootlogd
USRBIN += readbootlog
bootlogd_OBJS = terminal/bootlogd.o $(BOOTLOGD_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
readbootlog_OBJS = terminal/readbootlog.o $(READBOOTLOG_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
