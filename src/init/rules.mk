INIT_OBJS := $(addprefix init/,inittab.o table.o loader.o command.o environ.o telinit.o)
