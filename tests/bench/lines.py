# SPDX-License-Identifier: GPL-2.0-or-later
"""What pid 1 pays for a line to console and syslog.

Stock: its own processor time for requests that it complains of, less that for requests that it takes in silence; thousands of
each, in alternating hundreds of which the medians are compared. Ours pays less for the line than for whatever request could
be the silent one, so its initlog() is measured itself: in a process that logs as pid 1 does, with helpers of its own.
"""
import os
import statistics
import time

from measure import BASE, Row, cpu_ns, machine_of, put, settle, wait_for
from machine import CMD_SETENV, request_bytes

UNKNOWN_CMD = 99
SILENT, LOGGED = request_bytes(CMD_SETENV, data=b"INIT_BENCH=1\0"), request_bytes(UNKNOWN_CMD)
COUNT = 160


def cost(m, request, at_once, gap_s=0.0008):
    fd = os.open(m.path("/run/initctl"), os.O_WRONLY)
    settle(m, 0.05)
    before = cpu_ns(m.pid)
    for _ in range(COUNT // at_once):
        os.write(fd, request * at_once)
        time.sleep(gap_s * at_once)       # the pace that is measured: pid 1 has gone to sleep again
    wait_for(lambda: m.unread_requests() == 0, "the requests to be read", 60)
    settle(m, 0.05)
    spent = (cpu_ns(m.pid) - before) / COUNT
    os.close(fd)
    return spent


def line_cost(m, at_once, rounds=12):
    had = len(m.syslog.lines())
    pairs = [(cost(m, LOGGED, at_once), cost(m, SILENT, at_once)) for _ in range(rounds)]
    wait_for(lambda: len(m.syslog.lines()) - had >= rounds * COUNT, "all lines to be logged", 60)
    return statistics.median(logged for logged, _ in pairs) - statistics.median(silent for _, silent in pairs)


def initlog_cost(m, at_once, lines=2000):
    had = len(m.syslog.lines())
    put(m, "initlog_cost", "/tmp/initlog_cost")
    done = m.run(["/tmp/initlog_cost", str(lines), str(at_once)], 60)
    if done.status:
        raise RuntimeError("initlog_cost: %r" % (done,))
    wait_for(lambda: len(m.syslog.lines()) - had >= lines, "all lines to be logged", 60)
    return float(done.out)


def bench_lines():
    with machine_of("ours", BASE) as ours, machine_of("stock", BASE) as stock:
        for at_once, what in ((1, "alone: who delivers it is woken"), (16, "one of sixteen at once")):
            yield Row("a line for console and syslog, %s (CPU of pid 1)" % what, "ns", initlog_cost(ours, at_once),
                      line_cost(stock, at_once), "0.05")
