#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The console takes nothing: a pty that nobody reads, ^S on a terminal. Syslog goes on.

Stock opens it without waiting and does not stand still here, but what did not fit is lost unsaid.
"""
from rows import Row, tap


def blocked(block, unblock, count, others=0):
    with Row() as row:
        block(row.m.console)
        row.log(count)
        row.holds()
        row.delivered(row.m.syslog.texts, others=others)    # one sink does not hold up another
        unblock(row.m.console)
        row.log(1)
        row.delivered(row.m.console.lines, others=others)


@tap.case(deadline=180)
def a_console_that_nobody_reads_stops_nothing_and_gets_each_line_or_their_count():
    blocked(lambda c: c.fill(), lambda c: c.resume(), 200)


@tap.case(deadline=180)
def a_console_stopped_by_xoff_stops_nothing_and_gets_each_line_or_their_count():
    blocked(lambda c: c.xoff(), lambda c: c.xon(), 200)


@tap.case(deadline=180)
def more_lines_than_the_queue_holds_are_counted_where_they_are_missing():
    blocked(lambda c: c.fill(), lambda c: c.resume(), 1500, others=4)


tap.main()
