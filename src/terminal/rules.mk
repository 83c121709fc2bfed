# SPDX-License-Identifier: GPL-2.0-or-later
WALL_OBJS := terminal/wall_text.o
MESG_OBJS := terminal/mesg_mode.o
TERMINAL_OBJS += $(WALL_OBJS) $(MESG_OBJS)
PROGS += wall mesg
USRBIN += wall mesg
wall_OBJS = terminal/wall.o $(WALL_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
mesg_OBJS = terminal/mesg.o $(MESG_OBJS) $(TOOL_OBJS) $(LIB_OBJS)

# sulogin needs crypt(3). Debian's musl has been deprived of it: there, and where libcrypt-dev is missing, it is left out, and said.
CRYPT_H := $(shell $(CC) $(CPPFLAGS) -E -include crypt.h -x c /dev/null >/dev/null 2>&1 && echo yes)
CRYPT_LIBS ?= $(or $(shell pkg-config --libs libcrypt 2>/dev/null),-lcrypt)
ifeq ($(CRYPT_H),yes)
PROGS += sulogin
SBIN += sulogin
else
$(info sulogin is not built: $(CC) finds no crypt.h)
endif
SULOGIN_OBJS := $(addprefix terminal/su_,account.o consoles.o context.o door.o line.o log.o root.o shell.o talk.o watch.o)
TERMINAL_OBJS += $(SULOGIN_OBJS)
sulogin_OBJS = terminal/sulogin.o $(SULOGIN_OBJS) $(LIB_OBJS) $(TOOL_OBJS)
sulogin_LIBS = $(CRYPT_LIBS) $(SELINUX_LIBS)
# The context of the shell (WITH_SELINUX: src/init/rules.mk).
ifeq ($(WITH_SELINUX),yes)
SELINUX_LIBS := $(shell pkg-config --libs libselinux 2>/dev/null)
$(B)/obj/terminal/su_context.o: OURS += $(if $(SELINUX_LIBS),-DHAVE_SELINUX $(shell pkg-config --cflags libselinux 2>/dev/null))
endif
TERMINAL_LIBS += $(sulogin_LIBS)

BOOTLOGD_OBJS := $(addprefix terminal/,backlog.o bootcons.o bootlines.o console_writer.o escape.o log_writer.o outlet.o \
	redirect.o bootrelay.o writer.o)
READBOOTLOG_OBJS := $(addprefix terminal/,escape.o follow.o render.o)
TERMINAL_OBJS += $(BOOTLOGD_OBJS) $(READBOOTLOG_OBJS)
PROGS += bootlogd readbootlog
SBIN += bootlogd
USRBIN += readbootlog
bootlogd_OBJS = terminal/bootlogd.o $(BOOTLOGD_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
readbootlog_OBJS = terminal/readbootlog.o $(READBOOTLOG_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
