#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What runlevel(8) prints is the level that init is in, whatever happens to utmp and wtmp."""
import fcntl
import os
import time

from machine import Machine, sinks, subject, tap, wait_for

INITTAB = """id:2:initdefault:
si::sysinit:/bin/true
g1:2345:respawn:/bin/sleep 1000000
"""
NOBODY = 65534


class Booted:
    """A machine in level 2."""

    def __init__(self, inittab=INITTAB, prepare=None):
        self.inittab, self.prepare = inittab, prepare

    def __enter__(self):
        self.machine = Machine(subject())
        m = self.machine.__enter__()
        try:
            m.write("/etc/inittab", self.inittab)
            if self.prepare:
                self.prepare(m)
            m.boot()
            wait_for(lambda: m.title() == "init [2]", "level 2 to be entered")
        except BaseException as why:
            self.machine.__exit__(type(why), why, why.__traceback__)
            raise
        return m

    def __exit__(self, *why):
        return self.machine.__exit__(*why)


def runlevel(m):
    done = m.run(["/sbin/runlevel"])
    return done.out.strip() if done.status == 0 else "exit %d" % done.status


def prints(m, text, deadline=30):
    wait_for(lambda: runlevel(m) == text, "runlevel to print " + text, deadline)


def goes_to(m, level):
    m.telinit(level)
    wait_for(lambda: m.title() == "init [%s]" % level, "pid 1 to be in level " + level)


def levels(records):
    return [(chr(r.pid & 255), chr(r.pid >> 8)) for r in records if r.type == sinks.RUN_LVL]


def boots(records):
    return len([r for r in records if r.type == sinks.BOOT_TIME])


@tap.case(deadline=120)
def runlevel_prints_each_change():
    with Booted() as m:
        prints(m, "N 2")
        goes_to(m, "3")
        prints(m, "2 3")
        tap.equal(m.read("/var/run/runlevel"), "3", "/var/run/runlevel")
        goes_to(m, "5")
        prints(m, "3 5")
        wait_for(lambda: levels(m.wtmp()) == [("2", "N"), ("3", "2"), ("5", "3")],
                 "wtmp to have all")
        tap.equal(levels(m.utmp()), [("5", "3")], "utmp has the last")


@tap.case(deadline=120)
def boot_scripts_may_empty_utmp():
    with Booted(INITTAB + "bw::bootwait:/bin/sh -c ': >/run/utmp'\n") as m:
        prints(m, "N 2")
        wait_for(lambda: boots(m.utmp()) == 1, "the boot record to be in utmp again")
        wait_for(lambda: boots(m.wtmp()) == 1 and levels(m.wtmp()) == [("2", "N")],
                 "boot and level to be in wtmp once")


@tap.case(deadline=120)
def without_utmp_the_runlevel_file_tells():
    with Booted(INITTAB + "bw::bootwait:/bin/rm /run/utmp\n") as m:
        prints(m, "N 2")
        goes_to(m, "3")
        prints(m, "N 3")
        tap.check(not m.exists("/run/utmp"), "nobody made utmp again")


@tap.case(deadline=180)
def a_readers_lock_on_utmp_does_not_make_runlevel_old():
    with Booted() as m:
        ready, tell = os.pipe()

        def hold():
            fd = os.open("/run/utmp", os.O_RDONLY)
            fcntl.lockf(fd, fcntl.LOCK_SH)
            os.write(1, b"held")
            while True:
                time.sleep(1000)
        holder = m.spawn(hold, out=tell, uid=NOBODY)
        os.close(tell)
        tap.equal(os.read(ready, 4), b"held", "the lock is held")
        os.close(ready)
        goes_to(m, "3")
        prints(m, "2 3")
        goes_to(m, "2")
        prints(m, "3 2")
        holder.end()


@tap.case(deadline=180)
def a_read_only_wtmp_gets_its_records_later_and_utmp_at_once():
    def prepare(m):
        m.loop_ext4("/var/log")
        m.write("/var/log/wtmp", "")
        tap.equal(m.run(["mount", "-o", "remount,ro", "/var/log"]).status, 0, "read-only")

    with Booted(prepare=prepare) as m:
        prints(m, "N 2")
        goes_to(m, "3")
        prints(m, "2 3")
        tap.equal(m.wtmp(), [], "wtmp while it is read-only")
        tap.equal(m.run(["mount", "-o", "remount,rw", "/var/log"]).status, 0, "writable")
        wait_for(lambda: levels(m.wtmp()) == [("2", "N"), ("3", "2")], "wtmp to have both", 60)
        tap.equal(boots(m.wtmp()), 1, "boot records in wtmp")
        times = [(r.sec, r.usec) for r in m.wtmp()]
        tap.equal(times, sorted(times), "their times are those of the events")
        # Nobody has a file open there: it can be made read-only again.
        tap.equal(m.run(["mount", "-o", "remount,ro", "/var/log"]).status, 0, "read-only again")


tap.main()
