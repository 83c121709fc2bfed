# SPDX-License-Identifier: GPL-2.0-or-later
WALL_OBJS := terminal/wall_text.o
MESG_OBJS := terminal/mesg_mode.o
TERMINAL_OBJS += $(WALL_OBJS) $(MESG_OBJS)
PROGS += wall mesg
USRBIN += wall mesg
wall_OBJS = terminal/wall.o $(WALL_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
mesg_OBJS = terminal/mesg.o $(MESG_OBJS) $(TOOL_OBJS) $(LIB_OBJS)
