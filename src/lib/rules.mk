# SPDX-License-Identifier: GPL-2.0-or-later
# What pid 1 links too (tests/unit/imports.py reads this line), and what only the tools link.
LIB_OBJS := lib/sys.o lib/clock.o lib/cmdline.o lib/io.o lib/num.o lib/title.o lib/utmpfile.o
TOOL_OBJS := lib/tool.o
