#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shutdown(8) and a syslogd that does not read: shutdown ends all the same, the lines come later, once and in order, by a
process that outlives it; which holds up nobody.

Stock sleeps in send(2) until syslogd goes on, before init is told anything.
"""
import contextlib
import os
import signal
import socket
import time

from downing import Down, tap, wait_for

TITLE = "shutdown [log: syslog]"
SLACK_S = 60
LINES = ["shutting down for system reboot", "shutdown failed"]
FILLER = "filler"


def fill(d):
    """As many lines as the socket of a stopped syslogd takes."""
    def work():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("/dev/log")
            sock.setblocking(False)
            count = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.send(b"<13>Nov 25 10:00:00 filler: x")
                    count += 1
            return count
    return d.machine.call(work)


def helpers(d):
    """Those that live; the dead are of whoever is process 1."""
    return [p.pid for p in d.machine.processes() if p.title == TITLE and p.state != "Z"]


def fails(d):
    """A shutdown that has two things to say: init is not there."""
    begun = time.monotonic()
    done = d.run("shutdown", "-r", "now", deadline=SLACK_S)
    tap.equal(done.status, 1, "its status")
    tap.diag("%.1f s" % (time.monotonic() - begun))


def ours(d):
    return [line for line in d.machine.syslog.lines() if line.ident == "shutdown"]


@tap.case(deadline=120)
def lines_that_a_stopped_syslogd_does_not_take_come_when_it_goes_on():
    with Down("ours") as d:
        d.channel("absent")
        d.machine.syslog.start()
        d.machine.syslog.stop()
        filled = fill(d)
        tap.check(filled > 0, "the socket is full")
        for _ in range(2):
            fails(d)
        tap.equal(len(helpers(d)), 2, "processes that wait for syslogd")
        tap.equal(ours(d), [], "lines while it is stopped")
        d.machine.syslog.go_on()
        wait_for(lambda: len(ours(d)) == 2 * len(LINES), "all lines")
        found = {}
        for line in ours(d):
            found.setdefault(line.pid, []).append(line.text)
            tap.equal(line.priority, 13, "user.notice")
        tap.equal(list(found.values()), [LINES, LINES], "each shutdown's lines, in order")
        wait_for(lambda: not helpers(d), "the processes to end")
        tap.equal(len(ours(d)), 2 * len(LINES), "lines when all is over")
        tap.equal(d.machine.syslog.texts("filler"), ["x"] * filled, "what was there before")


@tap.case(deadline=120)
def lines_come_in_order_when_a_syslogd_appears():
    with Down("ours") as d:
        d.channel("absent")
        fails(d)
        pid, = helpers(d)
        d.machine.syslog.start("stream")
        wait_for(lambda: len(ours(d)) == len(LINES), "the lines")
        tap.equal([line.text for line in ours(d)], LINES, "lines")
        wait_for(lambda: not helpers(d), "process %d to end" % pid)


@tap.case(deadline=120)
def what_ends_everybody_ends_the_one_that_waits():
    """As the scripts of levels 0 and 6 do, which then look until all are gone."""
    with Down("ours") as d:
        d.channel("absent")
        d.machine.syslog.start()
        d.machine.syslog.stop()
        fill(d)
        fails(d)
        pid, = helpers(d)
        tap.equal(d.machine.process(pid).session, pid, "it is in a session of its own")
        for signo in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            tap.equal(helpers(d), [pid], "that it is there before " + signo.name)
            d.machine.call(lambda: os.kill(pid, signo))
        wait_for(lambda: not helpers(d), "it to end by SIGTERM")
        d.machine.syslog.go_on()


def in_send(pid):
    with open("/proc/%d/syscall" % pid) as file:
        return file.read().split()[0] == {"x86_64": "44", "aarch64": "206"}[os.uname().machine]


@tap.case(deadline=120)
def stock_tells_init_nothing_until_syslogd_goes_on():
    with Down("ours") as mine, Down("stock") as stock:
        for d in (mine, stock):
            d.machine.syslog.start()
            d.machine.syslog.stop()
            fill(d)
            process = d.spawn("shutdown", "-r", "now")
            if d is mine:
                tap.equal(process.wait(), 0, "the status of ours")
                tap.equal(len(d.requests()), 2, "requests of ours")
            else:
                wait_for(lambda: in_send(process.pid), "stock to sleep in send(2)")
                tap.equal(d.requests(), [], "requests of stock")
            d.machine.syslog.go_on()
            tap.equal(process.wait(), 0, "its status")


@tap.case(deadline=120)
def when_the_order_is_given_nothing_of_it_is_left():
    with Down("ours") as d:
        d.machine.syslog.start()
        tap.equal(d.run("shutdown", "-h", "now", env={"TZ": "XXX-5"}).status, 0, "its status")
        wait_for(lambda: ours(d), "the line")
        stamp = ours(d)[0].stamp
        local = [time.strftime("%b %e %H:", time.gmtime(time.time() + 5 * 3600 - late)) for late in (0, 120)]
        tap.check(any(stamp.startswith(hour) for hour in local), "the caller's time zone: %r, %r" % (stamp, local))
        wait_for(lambda: not helpers(d), "its process to end")
        tap.equal(len(d.requests()), 2, "requests")


tap.main()
