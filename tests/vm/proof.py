# SPDX-License-Identifier: GPL-2.0-or-later
"""What must hold in every row of faults, seen from inside a machine of vm.py.

    table = Table(m)            an inittab to which entries, and bad lines for messages, are added
    unharmed(m, table)          orphans are reaped, telinit q and telinit 3 answered, a respawn
                                entry comes back, pid 1 sleeps in its one wait
    Numbers(m, mark, 1).judge() numbered messages come in order, or are counted as lost
    in_order(words, 1, last)    the same of what words_of() found in any text
"""
import re

import vm
from vm import tap

INITTAB = """id:2:initdefault:
si::sysinit:/etc/rc sysinit
~~:S:wait:/sbin/sulogin
l0:0:wait:/etc/rc 0
l2:2:wait:/etc/rc 2
l3:3:wait:/etc/rc 3
l6:6:wait:/etc/rc 6
rs:2345:respawn:/etc/rc.keep rs
"""

# Lets go of the console at once: whoever holds it open changes what its last close is.
KEEP = """#!/bin/sh
exec </dev/null >/dev/null 2>&1
echo $$ > /run/$1.pid
exec sleep 1000000
"""

FILES = {"/etc/inittab": INITTAB, "/etc/rc.keep": KEEP}

ORPHAN_MS = 1000
# A contended lock may put any process to sleep for the blink of an eye.
BLINK_MS, BLINKS = 30, 5


class Table:
    """The machine's inittab as the test changes it. Syslog is witness of what init says of it."""
    BATCH = 50              # bad lines in one reading: of very many, init names only the first

    def __init__(self, machine, text=INITTAB):
        self.m = machine
        self.text = text
        self.asked = 0
        self.numbered = 0
        self.syslog = "/var/log/messages"
        if machine.run("pidof syslogd").status != 0:
            machine.check(f"syslogd -O {self.syslog} </dev/null >/dev/null 2>&1")
        machine.wait("a syslogd", "test -S /dev/log")

    def _reload(self, more):
        self.m.write("/etc/inittab", self.text + more)
        result = self.m.run("telinit q", timeout=30)
        tap.equal(result.status, 0, f"telinit q ends well ({result.text.strip()})")

    def answers(self, more=""):
        """telinit q makes init start an entry that was not there before; more: lines that it is to read, too."""
        self.asked += 1
        mark = f"/run/asked.{self.asked}"
        self._reload(more + f"q{self.asked % 100}:2345:once:/bin/touch {mark}\n")
        self.m.wait(f"init starts a new entry ({mark})", f"test -e {mark}")

    def say(self, count):
        """Has init say COUNT numbered messages, by as many bad lines, and waits until it has."""
        end = self.numbered + count
        while self.numbered < end:
            first, self.numbered = self.numbered + 1, min(self.numbered + self.BATCH, end)
            mark = self._syslog_size()
            self._reload("".join(f"x:2:seq-{n:06d}:true\n"
                                 for n in range(first, self.numbered + 1)))
            self.m.wait(f"init has said number {self.numbered}",
                        f"tail -c +{mark} {self.syslog} | grep -q 'seq-{self.numbered:06d}:'")

    def _syslog_size(self):
        return int(self.m.check(f"wc -c < {self.syslog} || echo 0").split()[-1]) + 1


def quick_orphan(m):
    ms = m.orphan_ms()
    tap.check(ms is not None and ms <= ORPHAN_MS,
              f"an orphan is gone within {ORPHAN_MS} ms (it took {ms})")


class LevelChange:
    """Asks for the other one of 2 and 3; wait() for it, and for its rc entry to have run."""

    def __init__(self, m):
        self.m = m
        self.old = m.runlevel().split()[-1]
        self.new = "3" if self.old == "2" else "2"
        self.before = self._ran()
        result = m.run(f"telinit {self.new}", timeout=30)
        tap.equal(result.status, 0, f"telinit {self.new} ends well ({result.text.strip()})")

    def _ran(self):
        return self.m.rc_log().count(f"{self.new} {self.old} {self.new}")

    def wait(self):
        vm.wait_until(f"level {self.new} is entered", lambda: self._ran() > self.before)
        self.m.wait_runlevel(f"{self.old} {self.new}")


def respawn(m, name="rs"):
    """An entry that is killed comes back."""
    old = m.check(f"cat /run/{name}.pid").strip()
    m.check(f"kill -9 {old}")
    m.wait(f"entry {name} comes back",
           f"new=$(cat /run/{name}.pid); test $new != {old} && kill -0 $new")


def in_the_one_wait(m):
    elsewhere = m.pid1_elsewhere()
    for k in elsewhere:
        tap.diag(f"pid 1 elsewhere: {k}")
    tap.check(all(k["longest_ms"] < BLINK_MS and k["count"] < BLINKS for k in elsewhere),
              "pid 1 sleeps in its one wait and nowhere else")


def unharmed(m, table):
    quick_orphan(m)
    table.answers()
    LevelChange(m).wait()
    respawn(m)
    quick_orphan(m)
    in_the_one_wait(m)


WORD = re.compile(rb"seq-(\d{6}): unknown action field\r*\n|(\d+) messages? lost")


def words_of(text):
    """[(number, None) or (None, how many are lost)] of the numbered messages in a console's or a file's bytes."""
    return [(int(a), None) if a else (None, int(b)) for a, b in WORD.findall(text)]


def has_arrived(words, last):
    return any(number == last for number, _ in words)


def in_order(words, first, last, others, doubles=0):
    """Judges words_of() up to number LAST. OTHERS: how many messages besides the numbered ones may be
    among the lost. DOUBLES: how many may come twice, their helper having been killed."""
    due, lost_here, gaps, lost = first, 0, 0, 0
    for number, count in words:
        if number is None:
            lost_here += count
            continue
        if doubles and number == due - 1:
            doubles -= 1
            continue
        tap.check(number >= due, f"messages come once and in order: {number}, not {due}")
        gap = number - due
        tap.check(lost_here >= gap, f"{gap} are missing before {number}, {lost_here} are "
                                    "counted as lost there")
        due, gaps, lost, lost_here = number + 1, gaps + gap, lost + lost_here, 0
        if number == last:
            break
    tap.check(gaps <= lost <= gaps + others,
              f"{gaps} numbers are missing, up to {others} others; {lost} are counted as lost")
    tap.diag(f"{last - first + 1} said, {gaps} of them lost and counted")


class Numbers:
    """What a console shows of the numbered messages, from MARK on."""

    def __init__(self, machine, mark, first):
        self.m = machine
        self.mark = mark
        self.first = first

    def words(self):
        return words_of(self.m.console.since(self.mark))

    def arrived(self, last):
        return has_arrived(self.words(), last)

    def judge(self, last, others, doubles=0):
        """Waits for the LAST number; then as in_order()."""
        vm.wait_until(f"message {last} on the console", lambda: self.arrived(last))
        in_order(self.words(), self.first, last, others, doubles)
