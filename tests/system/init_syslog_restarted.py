#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""syslogd ends and comes back, on a datagram or a stream socket: nothing is lost or doubled.

Stock loses what it says while there is no syslogd, and wedges on a stream socket that is full.
"""
from rows import Row, tap


def an_orderly_restart(before, after):
    with Row(syslog=before) as row:
        row.log(100)                # the end comes in the middle of these
        row.m.syslog.end()
        row.log(50)
        row.holds()
        row.m.syslog.start(after)
        row.log(50)
        row.delivered(row.m.syslog.texts)


for kinds in (("dgram", "dgram"), ("stream", "stream"), ("dgram", "stream"), ("stream", "dgram")):
    tap.add("a restart from a %s to a %s socket loses and doubles nothing" % kinds,
            lambda kinds=kinds: an_orderly_restart(*kinds), 120)


@tap.case(deadline=120)
def a_killed_syslogd_gets_the_lines_that_followed_when_it_is_back():
    with Row() as row:
        row.log(20)
        row.settle(row.m.syslog.texts)      # no line is under way
        row.m.syslog.kill()
        row.log(100)
        row.holds()
        row.m.syslog.start()
        row.delivered(row.m.syslog.texts)


@tap.case(deadline=180)
def a_stopped_syslogd_with_a_stream_socket_gets_its_lines_or_their_count():
    with Row(syslog="stream") as row:
        row.log(10)
        row.settle(row.m.syslog.texts)      # no line is under way
        row.m.syslog.stop()
        row.log(4000)               # more than the socket takes
        row.holds()
        row.m.syslog.go_on()
        row.log(10)
        row.delivered(row.m.syslog.texts, others=8)


tap.main()
