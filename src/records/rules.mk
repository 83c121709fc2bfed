PROGS += runlevel
SBIN += runlevel
runlevel_OBJS = records/runlevel.o $(LIB_OBJS)
