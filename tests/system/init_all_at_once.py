#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A boot without syslogd, one that appears late and is stopped at once, its restart on a stream
socket, and a full console, all at once.

Stock fails as in init_syslog_stopped.py.
"""
from rows import Row, tap


@tap.case(deadline=240)
def late_stopped_and_restarted_syslogd_and_a_full_console_together_stop_nothing():
    with Row(syslog=None) as row:
        row.m.console.fill()
        row.log(50)
        row.m.syslog.start()
        row.m.syslog.stop()
        row.log(100)
        row.holds()
        row.m.syslog.end()
        row.log(50)
        row.m.syslog.start("stream")
        row.holds()
        row.delivered(row.m.syslog.texts)
        row.m.console.resume()
        row.log(1)
        row.delivered(row.m.console.lines)


tap.main()
