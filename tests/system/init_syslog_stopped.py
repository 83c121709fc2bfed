#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""syslogd hangs: its socket is there, its queue is full, and nobody takes anything out.

Stock fails: after eleven lines it sits in sendto with all signals blocked.
"""
from rows import Row, tap


@tap.case(deadline=120)
def a_stopped_syslogd_stops_nothing_and_gets_every_line_once():
    with Row() as row:
        row.m.syslog.stop()
        row.log(200)
        row.holds()
        row.m.syslog.go_on()
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)


tap.main()
