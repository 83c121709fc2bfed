# SPDX-License-Identifier: GPL-2.0-or-later
PROGS += runlevel last utmpdump
SBIN += runlevel
USRBIN += last utmpdump
LINKS += usrbin/lastb:last
LAST_MODULES := $(addprefix records/,last_args.o backward.o history.o ends.o alive.o columns.o)
UTMPDUMP_MODULES := $(addprefix records/,forward.o lines.o dump.o stamp.o)
RECORDS_MODULES := $(addprefix records/,layout.o moment.o address.o)
RECORDS_OBJS := records/runlevels.o $(LAST_MODULES) $(UTMPDUMP_MODULES) $(RECORDS_MODULES)
runlevel_OBJS = records/runlevel.o records/runlevels.o $(LIB_OBJS)
last_OBJS = records/last.o $(LAST_MODULES) $(RECORDS_MODULES) $(LIB_OBJS) $(TOOL_OBJS)
utmpdump_OBJS = records/utmpdump.o $(UTMPDUMP_MODULES) $(RECORDS_MODULES) $(LIB_OBJS) $(TOOL_OBJS)
