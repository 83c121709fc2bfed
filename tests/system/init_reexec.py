#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A new image of pid 1, by telinit u or by a crash: no child is lost or started twice.

Stock keeps its children over telinit u too; a fault of its own it meets with a pause of 30 s and the same fault again.
"""
import fcntl
import os
import re
import signal

import probe
from rows import Row, level_records, number_of, pids_of, sinks, tap, wait_for
from stuck import locker

FATAL = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)


class Reborn(Row):
    """An image that comes to be may sleep in the kernel: its memory is laid out, read and locked."""

    def began(self, exits):
        super().began(exits)
        self.watch.passed = ("execve", "mlockall")


def reloads(row):
    return sum("reloading" in line for line in row.m.console.lines())


def helper_pids(row):
    return {p.title: p.pid for p in row.m.processes() if p.title.startswith("init [log:")}


def check_kept(row, getty, marks):
    """The getty lives on, nothing ran again, and what must always hold holds."""
    tap.equal(row.gettys("g1")[-1], getty, "the getty that runs")
    tap.equal(row.marks()[:len(marks)], marks, "what had been started before")
    tap.equal(row.marks()[len(marks):], [], "what was started again")
    row.holds()


@tap.case(deadline=180)
def telinit_u_keeps_children_and_replaces_the_helpers():
    with Reborn() as row:
        getty, marks, before = row.gettys("g1")[-1], row.marks(), helper_pids(row)
        row.m.telinit("u")
        wait_for(lambda: reloads(row) == 1, "the new image's line")
        wait_for(lambda: len(helper_pids(row)) == len(before), "the helpers to be there again")
        tap.check(not set(before.values()) & set(helper_pids(row).values()), "every helper is a new process")
        check_kept(row, getty, marks)


@tap.case(deadline=240)
def what_is_not_yet_delivered_at_telinit_u_is_delivered_once_and_in_order():
    with Reborn() as row:
        wait_for(lambda: level_records(row.m.wtmp()) == row.changes(), "the record of the level")
        row.m.syslog.stop()
        lock = locker(row.m, "/var/log/wtmp", os.O_RDWR, fcntl.F_WRLCK)
        row.log(100)
        row.changes_level()
        row.respawns()
        row.m.telinit("u")
        wait_for(lambda: reloads(row) == 1, "the new image's line")
        row.log(50)
        row.changes_level()
        row.reaps()
        lock.kill()
        lock.wait()
        row.m.syslog.go_on()
        row.settle(row.m.syslog.texts)
        tap.equal([n for n in map(number_of, row.m.syslog.texts()) if n], list(range(1, 151)), "the lines")
        row.delivered(row.m.console.lines)
        wait_for(lambda: level_records(row.m.wtmp()) == row.changes(), "each change of level in wtmp, once and in order")
        wait_for(lambda: pids_of(row.m.wtmp(), sinks.DEAD_PROCESS, "g1") == row.gettys("g1")[:-1], "the end of the getty in wtmp, once")


@tap.case(deadline=180)
def a_binary_that_is_replaced_is_pinned_by_nobody_after_telinit_u():
    with Reborn() as row:
        row.m.write("/sbin/init", open(row.m.path("/sbin/init"), "rb").read(), 0o755)
        row.m.telinit("u")
        wait_for(lambda: reloads(row) == 1, "the new image's line")

        def pinned():
            found = []
            for process in row.m.processes():
                try:
                    exe = row.m.call(lambda pid=process.pid: os.readlink("/proc/%d/exe" % pid))
                except OSError:
                    continue
                if exe.endswith(" (deleted)") and "init" in exe:
                    found.append(process)
            return found
        wait_for(lambda: not pinned(), "the old binary to be let go")
        row.holds()


@tap.case(deadline=180)
def an_exec_that_fails_changes_nothing():
    with Reborn() as row:
        getty, marks = row.gettys("g1")[-1], row.marks()
        binary = open(row.m.path("/sbin/init"), "rb").read()
        row.m.write("/sbin/init", "no program\n", 0o644)
        row.m.request(1, "U")
        wait_for(lambda: "Attempt to re-exec failed" in row.m.console.lines(), "the message")
        tap.equal(reloads(row), 0, "images that came up")
        row.m.write("/sbin/init", binary, 0o755)
        check_kept(row, getty, marks)


def descriptors(m):
    """{number: what it is} of pid 1."""
    place = "/proc/%d/fd/" % m.pid
    return {int(fd): re.sub(r"\d+", "N", os.readlink(place + fd)) for fd in os.listdir(place)}


@tap.case(deadline=180)
def an_exec_that_fails_at_the_last_moment_costs_no_descriptor():
    with Reborn() as row:
        getty = row.gettys("g1")[-1]
        row.answers_q()
        before = wait_for(lambda: "/proc/N/task/N/children" in descriptors(row.m).values() and descriptors(row.m), "all descriptors to be there")
        for times in (1, 2):
            with probe.Strace(row.m.pid, "execve:error=EIO"):
                row.m.request(1, "U")
                wait_for(lambda: row.m.console.lines().count("Attempt to re-exec failed") == times, "the message")     # noqa: B023
            row.answers_q()
            try:
                wait_for(lambda: sorted(descriptors(row.m).values()) == sorted(before.values()), "the same descriptors as before")
            except tap.Failed:
                tap.diag("before: %r\nnow: %r" % (before, descriptors(row.m)))
                raise
        tap.equal((reloads(row), row.gettys("g1")[-1]), (0, getty), "images that came up, and the getty that runs")
        row.holds()


@tap.case(deadline=240)
def descriptors_that_somebody_left_open_take_no_number_that_init_needs():
    for count in range(14):
        with Reborn(left_open=count) as row:
            row.m.telinit("u")
            wait_for(lambda: reloads(row) == 1, "the new image's line")     # noqa: B023
            row.respawns()
            row.log(10)
            row.delivered(row.m.syslog.texts)
            row.changes_level()
            tap.check("cannot set up" not in row.m.console.text(), "everything could be set up with %d descriptors open" % count)


def crash(signo):
    with Reborn() as row:
        getty, marks = row.gettys("g1")[-1], row.marks()
        row.m.signal(signo)
        wait_for(lambda: reloads(row) == 1, "init to be executed again")
        tap.check(any(line.startswith("PANIC: ") for line in row.m.console.lines()), "a PANIC line on the console")
        wait_for(lambda: any(text.startswith("PANIC: ") for text in row.m.syslog.texts()), "a PANIC line for syslog")
        check_kept(row, getty, marks)


for number in FATAL:
    tap.add("a crash by %s keeps all children and is said" % number.name,
            lambda number=number: crash(number), 180)


@tap.case(deadline=180)
def a_crash_in_the_middle_of_a_change_of_level_does_not_stop_it():
    with Reborn() as row:
        row.m.write("/tmp/stubborn", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n", 0o755)
        row.m.append("/etc/inittab", "st:2:respawn:/tmp/stubborn\n")
        row.m.telinit("q")
        wait_for(lambda: any("stubborn" in p.title for p in row.m.processes()), "the stubborn entry to run")
        since = len(row.marks())
        row.m.telinit("-t", "4", "3")
        wait_for(lambda: any("the TERM signal" in line for line in row.m.console.lines()), "the change to be under way")
        row.m.signal(signal.SIGSEGV)
        wait_for(lambda: reloads(row) == 1, "init to be executed again")
        row.arrives("3", "2", since)
        row.level = "3"
        row.holds()


@tap.case(deadline=180)
def the_third_crash_leaves_a_shell_for_root_and_orphans_are_still_reaped():
    with Reborn() as row:
        row.m.write("/sbin/sulogin", "#!/bin/sh\necho the last shell\nexec sleep 1000000\n", 0o755)
        row.watch.passed += ("nanosleep", "clock_nanosleep")   # the last resort has no loop
        for number in (1, 2):
            row.m.signal(signal.SIGSEGV)
            wait_for(lambda number=number: reloads(row) == number, "image %d" % number)
        getty = row.gettys("g1")[-1]
        orphan = row.m.orphan()
        row.m.signal(signal.SIGSTOP)
        wait_for(lambda: probe.look(row.m.pid).state in "Tt", "pid 1 to stand still")
        row.m.signal(signal.SIGSEGV)
        orphan.end()
        row.m.signal(signal.SIGCONT)
        wait_for(lambda: "the last shell" in row.m.console.text(), "the shell for root")
        wait_for(lambda: any("Once too often" in line for line in row.m.console.lines()), "what happened to be said")
        tap.equal(row.gettys("g1")[-1], getty, "the getty that runs")
        row.reaps(5)
        wait_for(lambda: not row.m.zombies(), "who was dead before to be gone, too")
        shell = next(p.pid for p in row.m.processes() if p.ppid == 1 and p.title.startswith("sleep") and p.pid != getty)
        row.m.call(lambda: os.kill(shell, signal.SIGKILL))
        wait_for(lambda: row.m.console.text().count("the last shell") == 2, "another shell for root")


tap.main()
