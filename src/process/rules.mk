# SPDX-License-Identifier: GPL-2.0-or-later
PROCESS_OBJS := $(addprefix process/,births.o complain.o decode.o guard.o household.o hunt.o killing.o logbook.o match.o mounts.o omit.o pidof.o \
	pidset.o relay.o scout.o strip.o subject.o target.o)
PROGS += killall5 fstab-decode logsave mountpoint
SBIN += killall5 fstab-decode logsave
BIN += mountpoint
# pidof is killall5 by another name.
LINKS += bin/pidof:$(sbindir)/killall5
killall5_OBJS = $(addprefix process/,killall5.o births.o complain.o guard.o household.o hunt.o killing.o match.o omit.o pidof.o pidset.o scout.o \
	subject.o target.o) $(addprefix lib/,logline.o mountinfo.o procfs.o systool.o tool.o) $(LIB_OBJS)
fstab-decode_OBJS = process/fstab-decode.o process/decode.o $(addprefix lib/,systool.o tool.o) $(LIB_OBJS)
logsave_OBJS = $(addprefix process/,logsave.o logbook.o relay.o strip.o) $(addprefix lib/,systool.o tool.o) $(LIB_OBJS)
mountpoint_OBJS = process/mountpoint.o process/mounts.o $(addprefix lib/,mountinfo.o systool.o tool.o) $(LIB_OBJS)
