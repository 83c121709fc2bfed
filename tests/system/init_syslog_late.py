#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No syslogd until late: what was said before it came reaches it, with the time it was said at.

Stock does not stand still, but what it said early is lost.
"""
import time

from rows import Row, number_of, tap, wait_for

LATE_S = 3


def stamp_time(stamp):
    year = time.localtime().tm_year
    return time.mktime(time.strptime("%d %s" % (year, stamp), "%Y %b %d %H:%M:%S"))


@tap.case(deadline=120)
def lines_from_before_syslogd_reach_it_in_order_with_their_own_times():
    with Row(syslog=None) as row:
        row.log(30)
        wait_for(lambda: 30 in map(number_of, row.m.console.lines()),
                 "the last of the early lines on the console")
        said = time.time()
        row.holds()
        wait_for(lambda: time.time() > said + LATE_S, "the wall clock to move on")
        row.m.syslog.start()
        row.delivered(row.m.syslog.texts)
        early = [line for line in row.m.syslog.lines()
                 if number_of(line.text) == 30 or line.text == "Entering runlevel: 2"]
        tap.equal(len(early), 2, "early lines in syslog, that of the boot among them")
        for line in early:
            tap.equal((line.priority, line.ident, line.pid), (30, "init", None),
                      "facility, priority and ident")
            tap.check(said - 60 <= stamp_time(line.stamp) <= said + 1,
                      "%r is stamped with the time when it was said" % line.raw)


@tap.case(deadline=120)
def a_syslogd_that_appears_gets_each_later_line_once():
    with Row(syslog=None) as row:
        row.m.syslog.start()
        row.log(200)
        row.delivered(row.m.syslog.texts)


tap.main()
