# SPDX-License-Identifier: GPL-2.0-or-later
INITLOG_OBJS := $(addprefix initlog/,queue.o place.o initlog.o helper.o jail.o sink_console.o sink_syslog.o sink_records.o record.o)
