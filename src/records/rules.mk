RECORDS_OBJS := records/utmpfile.o
PROGS += runlevel
SBIN += runlevel
runlevel_OBJS := records/runlevel.o $(RECORDS_OBJS) $(LIB_OBJS)
