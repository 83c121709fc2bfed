#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An inittab that cannot be read, or that is not one: the table in use stays, a message says why.

Stock fails: it waits in open() or read() for the FIFO and the dead file system, and takes a
directory or garbage for an empty table, so that it stops all that ran.
"""
import itertools
import os

from rows import CMD_RUNLVL, INITTAB, Row, tap, wait_for
from stuck import StuckFs

MIB = 1 << 20


def about_the_inittab(row):
    return [text for text in row.m.syslog.texts() if "inittab" in text and "Re-reading" not in text]


def kept_in_use(make, why):
    with Row() as row:
        getty, said = row.gettys("g1"), len(about_the_inittab(row))
        row.put_inittab(make)
        row.m.request(CMD_RUNLVL, "q")
        wait_for(lambda: any(why in text for text in about_the_inittab(row)[said:]),
                 "a message with: " + why)
        tap.equal(row.gettys("g1"), getty, "the getty is left alone")
        tap.check(row.m.process(getty[-1]), "the getty lives")
        row.holds(q=False)
        path = row.m.path("/etc") + "/inittab"
        if os.path.isdir(path):
            os.rmdir(path)
        row.answers_q()


def write_garbage(path):
    with open(path, "wb") as file:
        chunk = os.urandom(MIB)
        for _ in range(100):
            file.write(chunk)


@tap.case(deadline=120)
def an_inittab_that_is_a_fifo_leaves_the_old_table_in_use():
    kept_in_use(os.mkfifo, "not a regular file")


@tap.case(deadline=120)
def an_inittab_that_is_a_directory_leaves_the_old_table_in_use():
    kept_in_use(os.mkdir, "not a regular file")


@tap.case(deadline=120)
def an_inittab_of_100_mib_of_garbage_leaves_the_old_table_in_use():
    kept_in_use(write_garbage, "too large")


@tap.case(deadline=120)
def an_inittab_of_2_mib_of_garbage_leaves_the_old_table_in_use():
    def small_garbage(path):
        with open(path, "wb") as file:
            file.write(os.urandom(2 * MIB))
    kept_in_use(small_garbage, "not one good line")


@tap.case(deadline=120)
def an_inittab_that_is_gone_leaves_the_old_table_in_use():
    with Row() as row:
        os.unlink(row.m.path("/etc") + "/inittab")
        row.m.request(CMD_RUNLVL, "q")
        wait_for(lambda: "No inittab file found" in row.m.syslog.texts(), "the message")
        row.holds(q=False)
        row.answers_q()


@tap.case(deadline=240)
def an_inittab_on_a_dead_file_system_leaves_the_old_table_in_use():
    with Row() as row:
        dead = StuckFs(row.m, "/mnt/dead", "inittab", INITTAB + "new:23:once:/tmp/mark alive\n")
        dead.hold()
        row.put_inittab(lambda path: os.symlink("/mnt/dead/inittab", path))
        row.m.request(CMD_RUNLVL, "q")
        wait_for(dead.requests_held, "somebody to read the inittab")
        wait_for(lambda: about_the_inittab(row), "a message that says why", 60)
        row.holds(q=False)
        dead.release()
        wait_for(lambda: row.m.request(CMD_RUNLVL, "q") or row.marked("alive"),
                 "the inittab to be read when its file system answers again")


@tap.case(deadline=120)
def an_inittab_on_a_frozen_file_system_stops_nothing():
    def prepare(machine):
        machine.loop_ext4("/mnt/tab")
    with Row(prepare=prepare) as row:
        row.m.write("/mnt/tab/inittab", INITTAB + "new:23:once:/tmp/mark frozen\n")
        row.m.freeze("/mnt/tab")
        row.put_inittab(lambda path: os.symlink("/mnt/tab/inittab", path))
        row.m.request(CMD_RUNLVL, "q")
        wait_for(lambda: row.marked("frozen") or about_the_inittab(row),
                 "the inittab to be read, or a message that says why it is not")
        row.holds(q=False)
        row.m.thaw("/mnt/tab")


@tap.case(deadline=120)
def an_inittab_of_50000_valid_entries_is_loaded():
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    ids = ["".join(four) for four in itertools.product(digits[:2], digits, digits, digits)][:50000]
    with Row() as row:
        big = INITTAB + "".join("%s:4:off:/bin/true %d\n" % (i, n) for n, i in enumerate(ids))
        row.m.write("/etc/inittab", big + "last:23:once:/tmp/mark last\n")
        row.m.request(CMD_RUNLVL, "q")
        wait_for(lambda: row.marked("last"), "the last of 50,000 entries to run")
        row.holds(q=False)
        row.m.write("/etc/inittab", INITTAB)
        row.answers_q()


tap.main()
