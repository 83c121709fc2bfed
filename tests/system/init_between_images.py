#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens while the image of pid 1 changes, between the end of one and the beginning of the next: a child that ends there, a signal
that comes there, memory that is damaged there.

It is made to happen by a program that is executed in between, as pid 1, and executes the real init. Stock (3.06) finds such
a child only when another one ends, if its SIGCHLD went to the image before.
"""
from machine import CMD_RUNLVL
from upgrade import Upgrade, binary, tap, wait_for

BETWEEN = r"""#!/usr/bin/python3
import os, signal, sys, time
if "--version" in sys.argv:
    os.execv("/sbin/init.real", sys.argv)
%s
os.execv("/sbin/init.real", sys.argv)
"""
ENDS = """os.kill(%d, 9)
while open("/proc/%d/stat").read().rpartition(")")[2].split()[0] != "Z":
    time.sleep(0.01)
signal.sigtimedwait([signal.SIGCHLD], 0)    # It has come to the image before.
"""
# The entries are in shared memory; behind the id come the levels.
DAMAGE = """for fd in map(int, os.listdir("/proc/self/fd")):
    try:
        if "memfd:" in os.readlink("/proc/self/fd/%d" % fd):
            at = os.pread(fd, 1 << 20, 0).find(b"g2".ljust(8, bytes(1)) + b"23")
            if at >= 0:
                os.pwrite(fd, b"9", at + 8)
    except OSError:
        pass
"""


class Between(Upgrade):
    def began(self, exits):
        super().began(exits)
        self.wait_getty("g1")
        self.wait_getty("g2")
        self.m.write("/sbin/init.real", binary("ours"), 0o755)

    def change(self, act):
        before = self.reloads()
        self.install((BETWEEN % act).encode())
        self.ask()
        wait_for(lambda: self.reloads() > before, "the next image")
        self.serves()


@tap.case(deadline=120)
def a_child_that_ends_there_is_found_and_started_again_once():
    for before in ("ours", "stock"):
        with Between(before) as up:
            gone = up.gettys("g1")[0]
            up.change(ENDS % (gone, gone))
            up.wait_getty("g1", 2)
            wait_for(lambda up=up: not up.m.zombies(), "the dead to be reaped")
            up.enters("3")
            tap.equal(len(up.gettys("g1")), 2, "starts of g1")
            up.kept("g2")


@tap.case(deadline=120)
def a_signal_that_comes_there_is_served():
    for before in ("ours", "stock"):
        with Between(before) as up:
            up.change("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); signal.raise_signal(signal.SIGINT)")
            up.wait_mark("ctrlaltdel")
            up.enters("3")
            tap.equal(len(up.marked("ctrlaltdel")), 1, "how often")
            up.kept("g1", "g2")


@tap.case(deadline=120)
def an_entry_that_is_damaged_there_is_named_and_the_rest_lives():
    with Between("ours") as up:
        lost = up.gettys("g2")[0]
        up.change(DAMAGE)
        wait_for(lambda: 'Id "g2": damaged, dropped' in up.m.console.lines(), "its name")
        wait_for(lambda: "1 damaged entries dropped" in up.m.syslog.texts(), "how many")
        up.wait_getty("g2", 2)
        tap.check(up.runs(lost), "its process goes on")
        up.kept("g1")
        up.respawns("g1")
        up.enters("3")


@tap.case(deadline=240)
def the_respawn_guard_counts_on():
    """It allows for ten starts within two minutes; what had been counted is not forgotten."""
    with Between("ours") as up:
        def too_fast():
            return any("respawning too fast" in text for text in up.m.syslog.texts())

        def killed():
            count = len(up.gettys("g1"))
            up.kill(up.gettys("g1")[-1])
            wait_for(lambda: len(up.gettys("g1")) > count or too_fast(), "the getty to come back, or to be held back")
        for _ in range(7):
            killed()
        tap.check(not too_fast(), "not yet")
        up.change("")
        up.kept("g2")
        while not too_fast() and len(up.gettys("g1")) < 40:
            killed()
        starts = len(up.gettys("g1"))
        tap.check(too_fast() and starts < 13, "it is held back after %d starts" % starts)
        up.change("")
        up.respawns("g2")
        tap.equal(len(up.gettys("g1")), starts, "starts of what is held back")
        up.m.request(CMD_RUNLVL, "Q")
        up.wait_getty("g1", starts + 1)


tap.main()
