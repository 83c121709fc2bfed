#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""20,000 orphans at once, 10,000 requests in a row, random bytes: all get their turns.

Stock holds here, but for the storm while syslogd is stopped.
"""
import os
import random

from rows import CMD_RUNLVL, CMD_SETENV, INITTAB, PROMPT_S, Row, request_bytes, tap, wait_for
from storm import storm

ORPHANS, REQUESTS, CROWD = 20000, 10000, 1000


@tap.case(deadline=240)
def twenty_thousand_orphans_at_once_hold_up_no_orphan_no_request_and_no_level():
    with Row() as row, storm(row.m, ORPHANS) as break_loose:
        tap.check(len(row.m.zombies()) >= ORPHANS, "the zombies of the storm are there")
        probe = row.m.orphan()
        break_loose()
        lag = probe.die()
        tap.check(lag < PROMPT_S, "a probe orphan is gone within a second; it lay %.3f s" % lag)
        row.changes_level()
        row.answers_q()
        wait_for(lambda: not row.m.zombies(), "all of the orphans to be reaped")
        row.holds()


@tap.case(deadline=240)
def storms_while_the_level_changes_and_syslogd_is_stopped_are_reaped():
    with Row() as row, storm(row.m, ORPHANS) as break_loose:
        row.m.syslog.stop()
        row.log(60)
        break_loose()
        row.holds()
        wait_for(lambda: not row.m.zombies(), "all of the orphans to be reaped")
        row.m.syslog.go_on()
        row.delivered(row.m.syslog.texts)


def sleepers(m):
    return {process.pid for process in m.processes() if process.title == "/bin/sleep 1000000" and process.ppid == 1}


@tap.case(deadline=240)
def a_storm_in_which_hundreds_of_a_thousand_entries_die_holds_up_nobody():
    inittab = INITTAB + "".join("%03x:23:respawn:/bin/sleep 1000000\n" % n for n in range(CROWD))
    with Row(inittab=inittab) as row, storm(row.m, 5000) as break_loose:
        wait_for(lambda: len(sleepers(row.m)) == CROWD, "the crowd to run")
        victims = sorted(sleepers(row.m))[::3]
        break_loose()
        for pid in victims:
            row.kill(pid)
        row.reaps()
        wait_for(lambda: len(sleepers(row.m) - set(victims)) == CROWD, "those who died to be started again")
        wait_for(lambda: not row.m.zombies(), "all who died to be reaped")
        row.holds()


def write_requests(path):
    fd = os.open(path, os.O_WRONLY)
    for n in range(1, REQUESTS + 1):
        os.write(fd, request_bytes(CMD_SETENV, data=b"INIT_COUNT=%d\0" % n))
        if n % 100 == 0:
            os.write(fd, request_bytes(CMD_RUNLVL, "q"))


@tap.case(deadline=240)
def ten_thousand_requests_in_a_row_are_all_taken_and_hold_up_no_orphan():
    with Row() as row:
        writer = row.m.spawn(lambda: write_requests("/run/initctl"))
        row.reaps(5)
        row.changes_level()
        row.respawns()
        tap.equal(writer.wait(120), 0, "the writer's exit status")
        row.answers_q()
        row.respawns()
        tap.equal(row.environment(row.gettys("g1")[-1]).get("INIT_COUNT"), str(REQUESTS), "the last request counts")
        tap.equal([t for t in row.m.syslog.texts() if "bogus" in t], [], "requests that were torn")
        row.holds()


@tap.case(deadline=240)
def random_bytes_as_requests_are_refused_and_the_next_request_is_taken():
    seed = random.randrange(1 << 32)
    tap.diag("seed %d" % seed)
    source = random.Random(seed)
    with Row() as row:
        fifo = row.m.path("/run/initctl")
        fd = os.open(fifo, os.O_WRONLY)
        lengths = [1, 383, 385, 384 * 3, 4096, 65536]
        for length in lengths + [source.randrange(1, 3000) for _ in range(50)]:
            os.write(fd, source.randbytes(length))
        row.reaps()
        wait_for(lambda: not row.m.unread_requests(), "the bytes to be read")
        wait_for(lambda: "got bogus initrequest" in row.m.syslog.texts(), "the message")
        row.holds()
        os.close(fd)


@tap.case(deadline=240)
def requests_of_unknown_kinds_and_strange_levels_are_refused():
    with Row() as row:
        for cmd in (0, 5, 8, -1, 0x7FFFFFFF):
            row.m.request(cmd)
        for level in ("x", "~", "\0", 300, -5, 0x7FFFFFFF):
            row.m.request(CMD_RUNLVL, level)
        row.m.request(CMD_SETENV, data=b"x" * 368)
        row.m.request(CMD_SETENV, data=b"LD_PRELOAD=/nowhere\0")
        row.holds()
        tap.equal(row.environment(row.gettys("g1")[-1]).get("LD_PRELOAD"), None, "only INIT_ names can be set")


tap.main()
