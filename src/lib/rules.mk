# SPDX-License-Identifier: GPL-2.0-or-later
# What pid 1 links too (tests/unit/imports.py reads this line), and what only the tools link.
LIB_OBJS := lib/clock.o lib/cmdline.o lib/devlog.o lib/initctl.o lib/io.o lib/num.o lib/sys.o lib/text.o lib/title.o lib/utmpfile.o lib/zone.o
TOOL_OBJS := lib/audience.o lib/broadcast.o lib/deliver.o lib/logline.o lib/mountinfo.o lib/procfs.o lib/systool.o lib/tool.o lib/ttylist.o
