# SPDX-License-Identifier: GPL-2.0-or-later
PROGS += runlevel last utmpdump
SBIN += runlevel
USRBIN += last utmpdump
LINKS += usrbin/lastb:last
LAST_OBJS := $(addprefix records/,last_args.o backward.o history.o ends.o alive.o columns.o)
DUMP_OBJS := $(addprefix records/,forward.o lines.o dump.o stamp.o)
BOTH_OBJS := $(addprefix records/,layout.o moment.o address.o)
RECORDS_OBJS := $(LAST_OBJS) $(DUMP_OBJS) $(BOTH_OBJS)
runlevel_OBJS = records/runlevel.o $(LIB_OBJS)
last_OBJS = records/last.o $(LAST_OBJS) $(BOTH_OBJS) $(LIB_OBJS) $(TOOL_OBJS)
utmpdump_OBJS = records/utmpdump.o $(DUMP_OBJS) $(BOTH_OBJS) $(LIB_OBJS) $(TOOL_OBJS)
