INIT_OBJS := $(addprefix init/,inittab.o table.o loader.o command.o simple.o environ.o telinit.o)
