# SPDX-License-Identifier: GPL-2.0-or-later
LIB_OBJS := lib/sys.o lib/clock.o lib/io.o lib/num.o lib/title.o lib/utmpfile.o
