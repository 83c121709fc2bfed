# SPDX-License-Identifier: GPL-2.0-or-later
INIT_OBJS := $(addprefix init/,args.o child.o command.o console.o control.o environ.o family.o inittab.o job.o kept.o \
	level.o load.o loader.o loop.o policy.o policy_place.o policy_wish.o power.o reap.o report.o signals.o simple.o start.o stopping.o stream.o survive.o takeover.o table.o telinit.o walk.o)
PID1_PROGS += init
SBIN += init
LINKS += sbin/telinit:init
init_OBJS = init/main.o $(INIT_OBJS) $(INITLOG_OBJS) $(LIB_OBJS)

# Loads the SELinux policy at boot. With libselinux and libsepol, which pid 1 does not link; they are glibc libraries.
# helperdir is where init looks for it.
helperdir ?= /lib/sysvinit
$(B)/obj/init/policy.o: OURS += -DSELINUX_LOAD_PATH='"$(helperdir)/selinux-load"'
$(B)/pid1/init/policy.o: PID1_OURS += -DSELINUX_LOAD_PATH='"$(helperdir)/selinux-load"'
WITH_SELINUX ?= $(if $(findstring musl,$(CC)),no,$(shell pkg-config --exists libselinux libsepol 2>/dev/null && echo yes))
ifeq ($(WITH_SELINUX),yes)
SELINUX_OBJS := $(addprefix init/,apart.o policy_check.o policy_file.o policy_kernel.o)
INIT_LIBS := $(shell pkg-config --libs libselinux libsepol 2>/dev/null || echo -lselinux -lsepol)
PROGS += selinux-load
HELPERS += selinux-load
selinux-load_OBJS = init/selinux-load.o $(SELINUX_OBJS) init/policy_place.o init/policy_wish.o $(LIB_OBJS) $(TOOL_OBJS)
selinux-load_LIBS = $(INIT_LIBS)
endif
